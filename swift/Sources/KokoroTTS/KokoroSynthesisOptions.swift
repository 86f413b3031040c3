// SPDX-License-Identifier: Apache-2.0
import CKoe

/// What is asked of a synthesis beside its text and voice.
public struct KokoroSynthesisOptions: Sendable {
    public enum Chunking: Sendable { case sentences, kokoro, packed, paragraph }
    public enum FirstAudio: Sendable { case natural, fast }
    public enum VoiceBlend: Sendable { case linear, spherical }

    /// 0.25 to 4.
    public var speed: Float = 1
    /// A hard limit of characters in a chunk; nil: by length of speech alone.
    public var maxCharacters: Int?
    /// Estimated seconds of speech in a chunk.
    public var maxChunkSeconds: Double = 15
    /// Of the noise in the voice: the same seed gives the same samples.
    public var seed: UInt64 = 0
    /// Up to 16.
    public var gain: Float = 1
    /// "en-us", "en-gb"; nil: the voice's own.
    public var language: String?
    public var lexicon: KokoroLexicon?
    public var chunking: Chunking = .sentences
    /// Of streams: .fast makes the first chunk a short one.
    public var firstAudio: FirstAudio = .natural
    public var voiceBlend: VoiceBlend = .linear
    /// The text is Kokoro's phoneme symbols.
    public var inputIsPhonemes = false
    /// [pause:], [rate:] and [voice:] are instructions, not text.
    public var markup = true
    /// Malformed markup is an error.
    public var strictMarkup = false

    public init() {}

    /// Calls body with the same in C; what it points to lives for that call. cancel may be nil.
    func withC<Value>(voice: KokoroVoiceID?, cancel: OpaquePointer?, _ body: (inout koe_synthesis_options) throws -> Value)
        throws -> Value
    {
        // 0 means the default in C; as a number of the caller's it is a mistake.
        if !speed.isFinite || speed <= 0 { throw KokoroError.invalidArgument("speed: \(speed): must be above 0") }
        if !gain.isFinite || gain <= 0 { throw KokoroError.invalidArgument("gain: \(gain): must be above 0") }
        if !maxChunkSeconds.isFinite || maxChunkSeconds <= 0 {
            throw KokoroError.invalidArgument("maxChunkSeconds: \(maxChunkSeconds): must be above 0")
        }
        if let characters = maxCharacters, characters <= 0 {
            throw KokoroError.invalidArgument("maxCharacters: \(characters): must be above 0")
        }
        var options = koe_synthesis_options()
        koe_struct_init(&options, MemoryLayout<koe_synthesis_options>.stride)
        options.speed = speed
        options.gain = gain
        options.seed = seed
        options.max_chunk_seconds = maxChunkSeconds
        options.max_chunk_characters = maxCharacters ?? 0
        options.lexicon = lexicon?.pointer
        options.cancel = cancel
        options.input_is_phonemes = inputIsPhonemes ? 1 : 0
        options.no_markup = markup ? 0 : 1
        options.strict_markup = strictMarkup ? 1 : 0
        options.chunking = chunkingInC
        options.first_audio = firstAudio == .fast ? Int32(KOE_FIRST_AUDIO_FAST) : Int32(KOE_FIRST_AUDIO_NATURAL)
        options.voice_blend = voiceBlend == .spherical ? Int32(KOE_BLEND_SPHERICAL) : Int32(KOE_BLEND_LINEAR)
        return try withOptionalCString(voice?.rawValue) { (voiceInC: UnsafePointer<CChar>?) throws -> Value in
            try withOptionalCString(language) { (languageInC: UnsafePointer<CChar>?) throws -> Value in
                options.voice = voiceInC
                options.language = languageInC
                return try body(&options)
            }
        }
    }

    private var chunkingInC: Int32 {
        switch chunking {
        case .sentences: return Int32(KOE_CHUNKING_SENTENCES)
        case .kokoro: return Int32(KOE_CHUNKING_KOKORO)
        case .packed: return Int32(KOE_CHUNKING_PACKED)
        case .paragraph: return Int32(KOE_CHUNKING_PARAGRAPH)
        }
    }
}
