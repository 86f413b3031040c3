// SPDX-License-Identifier: Apache-2.0
// What needs no model. KokoroTTSModelTests has the rest.
import CKoe
import Foundation
import XCTest

@testable import KokoroTTS

final class KokoroTTSTests: XCTestCase {
    func testEveryCodeHasItsCase() {
        for status in 1...9 {
            let error = KokoroError(status: Int32(status), message: "what: which: why")
            XCTAssertEqual(Int(error.code), status)
            XCTAssertEqual(error.message, "what: which: why")
            XCTAssertEqual(error.localizedDescription, "what: which: why")
            XCTAssertNotEqual(error.name, "unknown")
        }
        XCTAssertEqual(KokoroError(status: 3, message: "m"), .corruptBundle("m"))
        XCTAssertEqual(KokoroError(status: 1000, message: "m"), .internal("m"))
    }

    func testErrorsOfTheLibraryAreThrown() {
        XCTAssertNoThrow(try check { _ in Int32(KOE_OK) })
        XCTAssertThrowsError(try KokoroLexicon(contentsOf: URL(fileURLWithPath: "/no/such/lexicon.tsv"))) { error in
            guard case KokoroError.notFound(let message) = error else { return XCTFail("\(error)") }
            XCTAssertTrue(message.contains("lexicon.tsv"))
        }
    }

    func testABundleThatIsNotThere() async {
        do {
            _ = try await KokoroTTS.load(resources: .directory(URL(fileURLWithPath: "/no/such/bundle")))
            XCTFail("loaded")
        } catch {
            guard case KokoroError.notFound = error else { return XCTFail("\(error)") }
        }
    }

    func testComputePolicies() async throws {
        XCTAssertEqual(
            KokoroComputePolicy.gistDefault.places,
            "duration=coreml:cpu,prosody=coreml:gpu,decoder=coreml:ane,generator=coreml:gpu")
        var policy = KokoroComputePolicy.cpuOnly
        XCTAssertFalse(policy.places.contains("gpu"))
        policy.generator = .all
        XCTAssertTrue(policy.places.hasSuffix("decoder=coreml:cpu,generator=coreml:all"))
    }

    func testResourcesOfBundles() throws {
        XCTAssertThrowsError(try KokoroResourceProvider.appBundle(subdirectory: "no-such-folder")) { error in
            guard case KokoroError.notFound = error else { return XCTFail("\(error)") }
        }
        for path in ["", "..", "a/../b", "/a", "a//b", "a\\b", "./a"] {
            XCTAssertThrowsError(try KokoroResourceProvider.packageBundle(.main, subdirectory: path), path) { error in
                guard case KokoroError.invalidArgument = error else { return XCTFail("\(path): \(error)") }
            }
        }
        let url = URL(fileURLWithPath: "/somewhere")
        XCTAssertEqual(KokoroResourceProvider.directory(url).directoryURL, url)
        XCTAssertEqual(KokoroResourceProvider.downloadedDirectory(url).directoryURL, url)
    }

    func testOptionsInC() throws {
        var options = KokoroSynthesisOptions()
        options.speed = 1.5
        options.maxCharacters = 80
        options.seed = 7
        options.language = "en-gb"
        options.chunking = .packed
        options.firstAudio = .fast
        options.voiceBlend = .spherical
        options.markup = false
        options.strictMarkup = true
        options.inputIsPhonemes = true
        try options.withC(voice: "bf_emma", cancel: nil) { inC in
            XCTAssertEqual(inC.struct_size, MemoryLayout<koe_synthesis_options>.stride)
            XCTAssertEqual(inC.speed, 1.5)
            XCTAssertEqual(inC.max_chunk_characters, 80)
            XCTAssertEqual(inC.seed, 7)
            XCTAssertEqual(string(inC.voice), "bf_emma")
            XCTAssertEqual(string(inC.language), "en-gb")
            XCTAssertEqual(Int(inC.chunking), Int(KOE_CHUNKING_PACKED))
            XCTAssertEqual(Int(inC.first_audio), Int(KOE_FIRST_AUDIO_FAST))
            XCTAssertEqual(Int(inC.voice_blend), Int(KOE_BLEND_SPHERICAL))
            XCTAssertEqual(inC.no_markup, 1)
            XCTAssertEqual(inC.strict_markup, 1)
            XCTAssertEqual(inC.input_is_phonemes, 1)
            XCTAssertNil(inC.cancel)
        }
        for speed: Float in [0, -1, .nan, .infinity] {
            options.speed = speed
            XCTAssertThrowsError(try options.withC(voice: nil, cancel: nil) { _ in })
        }
    }

    func testALexicon() throws {
        let lexicon = try KokoroLexicon(text: "Nguyen\twˈɪn\n")
        XCTAssertEqual(lexicon.count, 1)
    }

    func testVoices() {
        let voice: KokoroVoiceID = "af_heart"
        XCTAssertEqual(voice, .afHeart)
        XCTAssertEqual(KokoroVoiceID.starterVoices, [.afHeart])
    }

    #if canImport(AVFoundation)
    func testPCMBuffer() throws {
        let audio = KokoroAudio(samples: [0, 0.5, -0.5], words: [])
        let buffer = try audio.makePCMBuffer()
        XCTAssertEqual(buffer.frameLength, 3)
        XCTAssertEqual(buffer.format.sampleRate, 24000)
        XCTAssertEqual(buffer.format.channelCount, 1)
        XCTAssertEqual(buffer.floatChannelData?[0][1], 0.5)
        XCTAssertEqual(buffer.floatChannelData?[0][2], -0.5)
    }
    #endif
}
