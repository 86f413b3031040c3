// SPDX-License-Identifier: Apache-2.0

/// A voice by name, or a mixture of voices ("af_heart:0.7+bm_george:0.3").
public struct KokoroVoiceID: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { self.rawValue = value }
    public var description: String { rawValue }

    public static let afHeart: KokoroVoiceID = "af_heart"
    /// What the starter profile of a bundle has.
    public static let starterVoices: [KokoroVoiceID] = [.afHeart]
}

/// What a bundle says of a voice.
public struct KokoroVoice: Equatable, Sendable {
    public let id: KokoroVoiceID
    /// "en-us", "en-gb", ...
    public let language: String
    public let gender: String
}
