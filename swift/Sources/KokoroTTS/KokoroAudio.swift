// SPDX-License-Identifier: Apache-2.0
import CKoe
import Foundation
#if canImport(AVFoundation)
import AVFoundation
#endif

/// When a word is heard.
public struct KokoroWord: Equatable, Sendable {
    public let text: String
    /// Where it stands in the text, in bytes of UTF-8.
    public let utf8Offset: Int
    public let utf8Length: Int
    /// Counted from the start of the audio or stream.
    public let firstSample: Int
    public let sampleCount: Int

    public var startSeconds: Double { Double(firstSample) / KokoroAudio.sampleRate }
    public var durationSeconds: Double { Double(sampleCount) / KokoroAudio.sampleRate }

    init(_ word: koe_word_time) {
        text = string(word.text)
        utf8Offset = word.offset
        utf8Length = word.length
        firstSample = word.first_sample
        sampleCount = word.num_samples
    }

    /// Reads one word with a function of the C API.
    static func read(_ call: (UnsafeMutablePointer<koe_word_time>, UnsafeMutablePointer<koe_error>) -> koe_status) throws
        -> KokoroWord
    {
        var word = koe_word_time()
        koe_struct_init(&word, MemoryLayout<koe_word_time>.stride)
        try withUnsafeMutablePointer(to: &word) { pointer in try check { call(pointer, $0) } }
        return KokoroWord(word)
    }
}

/// Speech: finite samples at 24 kHz, mono.
public struct KokoroAudio: Sendable {
    public static let sampleRate = Double(KOE_SAMPLE_RATE_HZ)

    public let samples: [Float]
    public let words: [KokoroWord]

    public var sampleRate: Double { KokoroAudio.sampleRate }
    public var durationSeconds: Double { Double(samples.count) / KokoroAudio.sampleRate }

    init(samples: [Float], words: [KokoroWord]) {
        self.samples = samples
        self.words = words
    }

    /// Copies what the library made.
    init(_ audio: OpaquePointer) throws {
        let count = koe_audio_num_samples(audio)
        samples = Array(UnsafeBufferPointer(start: koe_audio_samples(audio), count: count))
        var words: [KokoroWord] = []
        let wordCount = koe_audio_num_words(audio)
        words.reserveCapacity(wordCount)
        for index in 0..<wordCount {
            words.append(try KokoroWord.read { koe_audio_word(audio, index, $0, $1) })
        }
        self.words = words
    }

    /// Writes a file whose format is that of its ending: wav, flac, mp3, ogg, opus, raw.
    public func write(to url: URL) throws {
        try samples.withUnsafeBufferPointer { buffer in
            try url.path.withCString { path in
                try check { koe_write_audio(buffer.baseAddress, buffer.count, path, nil, $0) }
            }
        }
    }

    #if canImport(AVFoundation)
    /// Float32, mono, not interleaved.
    public func makePCMBuffer() throws -> AVAudioPCMBuffer {
        try KokoroAudio.makePCMBuffer(samples: samples)
    }

    static func makePCMBuffer(samples: [Float]) throws -> AVAudioPCMBuffer {
        guard
            let format = AVAudioFormat(
                commonFormat: .pcmFormatFloat32, sampleRate: sampleRate, channels: 1, interleaved: false),
            let frames = AVAudioFrameCount(exactly: samples.count),
            let buffer = AVAudioPCMBuffer(pcmFormat: format, frameCapacity: max(frames, 1)),
            let channels = buffer.floatChannelData
        else {
            throw KokoroError.outOfMemory("audio: a buffer of \(samples.count) samples: cannot be made")
        }
        buffer.frameLength = frames
        samples.withUnsafeBufferPointer { source in
            if let start = source.baseAddress, source.count > 0 {
                channels[0].update(from: start, count: source.count)
            }
        }
        return buffer
    }
    #endif
}

/// A part of a stream.
public struct KokoroAudioChunk: Sendable {
    public let samples: [Float]
    /// Of those samples, in the stream.
    public let firstSample: Int
    public let isLast: Bool
    public let words: [KokoroWord]

    public var durationSeconds: Double { Double(samples.count) / KokoroAudio.sampleRate }

    /// Copies what the library made.
    init(_ chunk: OpaquePointer) throws {
        let count = koe_chunk_num_samples(chunk)
        samples = Array(UnsafeBufferPointer(start: koe_chunk_samples(chunk), count: count))
        firstSample = koe_chunk_first_sample(chunk)
        isLast = koe_chunk_is_last(chunk) != 0
        var words: [KokoroWord] = []
        for index in 0..<koe_chunk_num_words(chunk) {
            words.append(try KokoroWord.read { koe_chunk_word(chunk, index, $0, $1) })
        }
        self.words = words
    }

    #if canImport(AVFoundation)
    /// Float32, mono, not interleaved.
    public func makePCMBuffer() throws -> AVAudioPCMBuffer {
        try KokoroAudio.makePCMBuffer(samples: samples)
    }
    #endif
}
