// SPDX-License-Identifier: Apache-2.0
// Owners of the C API's handles, and the way from blocking calls to Swift concurrency.
import CKoe
import Dispatch

/// An engine takes any number of threads at once.
final class EngineHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { koe_engine_free(pointer) }
}

/// May be requested from any thread; calls that were given it hold this object until they have returned.
final class CancelHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    init() throws {
        guard let pointer = koe_cancel_create() else {
            throw KokoroError.outOfMemory("memory: a cancel: cannot be made")
        }
        self.pointer = pointer
    }
    func request() { koe_cancel_request(pointer) }
    deinit { koe_cancel_free(pointer) }
}

final class PreparedHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
    deinit { koe_prepared_free(pointer) }
}

/// koe_stream_cancel may be called from any thread, koe_stream_next from one at a time. The stream's cancel and lexicon
/// live as long as the stream.
final class StreamHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    private let lexicon: KokoroLexicon?
    init(_ pointer: OpaquePointer, lexicon: KokoroLexicon?) {
        self.pointer = pointer
        self.lexicon = lexicon
    }
    func cancel() { koe_stream_cancel(pointer) }
    deinit { koe_stream_free(pointer) }
}

/// Blocking calls run here: Swift's own threads are few and must not wait.
private let workers = DispatchQueue(label: "koe.workers", qos: .userInitiated, attributes: .concurrent)

func onWorker<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, Error>) in
        workers.async {
            do {
                continuation.resume(returning: try body())
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// The same for a call that takes a koe_cancel: when the task is cancelled, the call returns within 100 ms and
/// KokoroError.cancelled is thrown.
func onWorkerCancellably<Value: Sendable>(_ body: @escaping @Sendable (CancelHandle) throws -> Value) async throws
    -> Value
{
    let cancel = try CancelHandle()
    return try await withTaskCancellationHandler {
        try await onWorker { try body(cancel) }
    } onCancel: {
        cancel.request()
    }
}

/// text as a C string for the length of the call, or null.
func withOptionalCString<Value>(_ text: String?, _ body: (UnsafePointer<CChar>?) throws -> Value) rethrows -> Value {
    guard let text = text else { return try body(nil) }
    return try text.withCString { try body($0) }
}

/// A copy of what the library owns; "" for null.
func string(_ text: UnsafePointer<CChar>?) -> String {
    guard let text = text else { return "" }
    return String(cString: text)
}
