// SPDX-License-Identifier: Apache-2.0
import CKoe

/// One chunk of a text, ready for the model.
public struct KokoroPreparedInput: Equatable, Sendable {
    public let text: String
    public let phonemes: String
    public let voice: KokoroVoiceID
    /// With a boundary token (0) at both ends.
    public let inputIds: [Int32]
    /// The voice's row for this many phonemes, [256]: acoustic style, then prosody style.
    public let refS: [Float]
    public let speed: Float
    public let estimatedSeconds: Double

    init(_ chunk: koe_prepared_chunk) {
        text = string(chunk.text)
        phonemes = string(chunk.phonemes)
        voice = KokoroVoiceID(rawValue: string(chunk.voice))
        inputIds = Array(UnsafeBufferPointer(start: chunk.token_ids, count: chunk.num_tokens))
        refS = Array(UnsafeBufferPointer(start: chunk.voice_row, count: chunk.voice_row_size))
        speed = chunk.speed
        estimatedSeconds = chunk.estimated_seconds
    }
}

/// A text that has been cut into chunks and phonemised: so an app can time that apart from the synthesis.
public struct KokoroPreparedText: Sendable {
    public let inputs: [KokoroPreparedInput]
    let handle: PreparedHandle

    init(_ handle: PreparedHandle) throws {
        var inputs: [KokoroPreparedInput] = []
        for index in 0..<koe_prepared_num_chunks(handle.pointer) {
            var chunk = koe_prepared_chunk()
            koe_struct_init(&chunk, MemoryLayout<koe_prepared_chunk>.stride)
            try withUnsafeMutablePointer(to: &chunk) { pointer in
                try check { koe_prepared_get_chunk(handle.pointer, index, pointer, $0) }
            }
            inputs.append(KokoroPreparedInput(chunk))
        }
        self.inputs = inputs
        self.handle = handle
    }
}
