// SPDX-License-Identifier: Apache-2.0
import CKoe
import Foundation

/// What went wrong: one case for each code of docs/errors.md, with the library's message ("what: which: why").
public enum KokoroError: Error, Equatable, Sendable {
    case invalidArgument(String)
    case notFound(String)
    case corruptBundle(String)
    case unsupported(String)
    case tooLong(String)
    case io(String)
    case outOfMemory(String)
    case cancelled(String)
    /// A bug in Koe, or a code of a newer library.
    case `internal`(String)

    init(status: koe_status, message: String) {
        switch Int(status) {
        case Int(KOE_ERR_INVALID_ARGUMENT): self = .invalidArgument(message)
        case Int(KOE_ERR_NOT_FOUND): self = .notFound(message)
        case Int(KOE_ERR_CORRUPT_BUNDLE): self = .corruptBundle(message)
        case Int(KOE_ERR_UNSUPPORTED): self = .unsupported(message)
        case Int(KOE_ERR_TOO_LONG): self = .tooLong(message)
        case Int(KOE_ERR_IO): self = .io(message)
        case Int(KOE_ERR_OUT_OF_MEMORY): self = .outOfMemory(message)
        case Int(KOE_ERR_CANCELLED): self = .cancelled(message)
        default: self = .internal(message)
        }
    }

    /// The number of docs/errors.md.
    public var code: Int32 {
        switch self {
        case .invalidArgument: return 1
        case .notFound: return 2
        case .corruptBundle: return 3
        case .unsupported: return 4
        case .tooLong: return 5
        case .io: return 6
        case .outOfMemory: return 7
        case .cancelled: return 8
        case .internal: return 9
        }
    }

    /// "invalid_argument", "not_found", ...
    public var name: String { String(cString: koe_status_name(code)) }

    public var message: String {
        switch self {
        case .invalidArgument(let text), .notFound(let text), .corruptBundle(let text), .unsupported(let text),
            .tooLong(let text), .io(let text), .outOfMemory(let text), .cancelled(let text), .internal(let text):
            return text
        }
    }
}

extension KokoroError: LocalizedError {
    public var errorDescription: String? { message }
}

/// Calls a function of the C API and throws what it returns unless that is KOE_OK.
func check(_ call: (UnsafeMutablePointer<koe_error>) -> koe_status) throws {
    var error = koe_error()
    koe_struct_init(&error, MemoryLayout<koe_error>.stride)
    let status = withUnsafeMutablePointer(to: &error) { call($0) }
    if Int(status) == Int(KOE_OK) { return }
    let message = withUnsafeBytes(of: error.message) { bytes in
        String(decoding: bytes.prefix(while: { $0 != 0 }), as: UTF8.self)
    }
    throw KokoroError(status: status, message: message)
}
