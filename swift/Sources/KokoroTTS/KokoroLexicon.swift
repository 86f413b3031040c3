// SPDX-License-Identifier: Apache-2.0
import CKoe
import Foundation

/// Your own pronunciations (docs/user_lexicon.md). Immutable.
public final class KokoroLexicon: @unchecked Sendable {
    let pointer: OpaquePointer

    public init(contentsOf url: URL) throws {
        var made: OpaquePointer?
        try url.path.withCString { path in try check { koe_lexicon_load(path, &made, $0) } }
        pointer = try KokoroLexicon.unwrap(made)
    }

    public init(text: String) throws {
        var made: OpaquePointer?
        let length = text.utf8.count
        try text.withCString { start in try check { koe_lexicon_parse(start, length, nil, &made, $0) } }
        pointer = try KokoroLexicon.unwrap(made)
    }

    /// Number of words.
    public var count: Int { koe_lexicon_size(pointer) }

    private static func unwrap(_ made: OpaquePointer?) throws -> OpaquePointer {
        guard let made = made else { throw KokoroError.internal("lexicon: none was made") }
        return made
    }

    deinit { koe_lexicon_free(pointer) }
}
