// SPDX-License-Identifier: Apache-2.0
import CKoe

/// Chunks of speech as soon as they are made: `for try await chunk in stream`. The library works up to 60 seconds of speech
/// ahead. When the task that iterates is cancelled, KokoroError.cancelled is thrown within 100 ms. Iterate once.
public struct KokoroAudioStream: AsyncSequence, Sendable {
    public typealias Element = KokoroAudioChunk

    let handle: StreamHandle

    /// Ends the speech, from any thread; whoever iterates gets KokoroError.cancelled.
    public func cancel() { handle.cancel() }

    public func makeAsyncIterator() -> Iterator { Iterator(handle: handle) }

    public struct Iterator: AsyncIteratorProtocol {
        let handle: StreamHandle

        public mutating func next() async throws -> KokoroAudioChunk? {
            let handle = self.handle
            return try await withTaskCancellationHandler {
                try await onWorker { try KokoroAudioStream.nextChunk(of: handle) }
            } onCancel: {
                handle.cancel()
            }
        }
    }

    private static func nextChunk(of handle: StreamHandle) throws -> KokoroAudioChunk? {
        var made: OpaquePointer?
        try check { koe_stream_next(handle.pointer, &made, $0) }
        guard let chunk = made else { return nil }
        defer { koe_chunk_free(chunk) }
        return try KokoroAudioChunk(chunk)
    }
}
