// SPDX-License-Identifier: Apache-2.0
// With a model bundle: KOE_BUNDLE names its folder; skipped without.
import Foundation
import XCTest

@testable import KokoroTTS

final class KokoroTTSModelTests: XCTestCase {
    private func folder(_ variable: String) throws -> KokoroResourceProvider {
        guard let path = ProcessInfo.processInfo.environment[variable] else {
            throw XCTSkip("\(variable) names no bundle")
        }
        return .directory(URL(fileURLWithPath: path))
    }
    private func load() async throws -> KokoroTTS { try await KokoroTTS.load(resources: folder("KOE_BUNDLE")) }

    /// KOE_COREML_BUNDLE: what `koe bundle build --kind coreml` made of KOE_BUNDLE.
    func testStagesInCoreML() async throws {
        let models = try folder("KOE_COREML_BUNDLE")
        let native = try await load().synthesize("Hello world.")
        for policy: KokoroComputePolicy? in [nil, .cpuOnly] {
            let tts = try await KokoroTTS.load(
                resources: folder("KOE_BUNDLE"), coreMLModels: models, computePolicy: policy)
            let audio = try await tts.synthesize("Hello world.")
            XCTAssertEqual(audio.samples.count, native.samples.count)
            XCTAssertNotEqual(audio.samples, native.samples)
        }
    }

    func testAComputePolicyNeedsModels() async throws {
        do {
            _ = try await KokoroTTS.load(resources: folder("KOE_BUNDLE"), computePolicy: .cpuOnly)
            XCTFail("loaded")
        } catch KokoroError.invalidArgument(let message) {
            XCTAssertTrue(message.contains("koe bundle build --kind coreml"), message)
        }
    }

    func testHelloWorld() async throws {
        let tts = try await load()
        XCTAssertTrue(try tts.voices().contains { $0.id == .afHeart })
        let audio = try await tts.synthesize("Hello world.")
        XCTAssertEqual(audio.samples.count, 37_800)
        XCTAssertEqual(audio.durationSeconds, 1.575, accuracy: 1e-9)
        XCTAssertEqual(audio.words.map { $0.text }, ["Hello", "world", "."])
        XCTAssertTrue(audio.samples.allSatisfy { $0.isFinite })
        let again = try await tts.synthesize("Hello world.")
        XCTAssertEqual(audio.samples, again.samples)
    }

    func testAStreamIsTheWhole() async throws {
        let tts = try await load()
        let text = "The first sentence. The second one, which is longer. The third."
        let whole = try await tts.synthesize(text)
        var samples: [Float] = []
        var ends = 0
        for try await chunk in try tts.stream(text) {
            XCTAssertEqual(chunk.firstSample, samples.count)
            samples += chunk.samples
            ends += chunk.isLast ? 1 : 0
        }
        XCTAssertEqual(samples, whole.samples)
        XCTAssertEqual(ends, 1)
    }

    func testPreparedTextSpeaksTheSame() async throws {
        let tts = try await load()
        let prepared = try await tts.prepare("Hello world.")
        XCTAssertEqual(prepared.inputs.count, 1)
        XCTAssertEqual(prepared.inputs[0].inputIds.first, 0)
        XCTAssertEqual(prepared.inputs[0].inputIds.last, 0)
        XCTAssertEqual(prepared.inputs[0].refS.count, 256)
        let audio = try await tts.synthesizePrepared(prepared)
        let whole = try await tts.synthesize("Hello world.")
        XCTAssertEqual(audio.samples, whole.samples)
    }

    func testCancellation() async throws {
        let tts = try await load()
        try await tts.prewarm()
        let text = String(repeating: "A long text that is not going to be spoken to its end. ", count: 50)
        let task = Task { try await tts.synthesize(text) }
        try await Task.sleep(nanoseconds: 200_000_000)
        let start = Date()
        task.cancel()
        do {
            _ = try await task.value
            XCTFail("was not cancelled")
        } catch {
            guard case KokoroError.cancelled = error else { return XCTFail("\(error)") }
        }
        XCTAssertLessThan(Date().timeIntervalSince(start), 0.5)

        let stream = try tts.stream(text)
        do {
            for try await _ in stream { stream.cancel() }
            XCTFail("was not cancelled")
        } catch {
            guard case KokoroError.cancelled = error else { return XCTFail("\(error)") }
        }
        // The engine is as it was.
        let audio = try await tts.synthesize("Hello world.")
        XCTAssertEqual(audio.samples.count, 37_800)
    }

    func testPrewarmReportsItsStages() async throws {
        let tts = try await load()
        let stages = Stages()
        try await tts.prewarm { stage, fraction in stages.add(stage, fraction) }
        XCTAssertEqual(stages.last, .complete)
        XCTAssertTrue(stages.areInRange)
    }

    func testErrorsNameTheirReason() async throws {
        let tts = try await load()
        do {
            _ = try await tts.synthesize("Hello.", voice: "af_hart")
            XCTFail("an unknown voice was taken")
        } catch KokoroError.invalidArgument(let message) {
            XCTAssertTrue(message.contains("af_heart"), message)
        }
        do {
            _ = try await tts.synthesize("")
            XCTFail("an empty text was taken")
        } catch KokoroError.invalidArgument {
        }
    }
}

/// What the progress function was told, from whichever thread.
private final class Stages: @unchecked Sendable {
    private let lock = NSLock()
    private var stages: [KokoroPrewarmStage] = []
    private var fractions: [Double] = []

    func add(_ stage: KokoroPrewarmStage, _ fraction: Double) {
        lock.lock()
        defer { lock.unlock() }
        stages.append(stage)
        fractions.append(fraction)
    }
    var last: KokoroPrewarmStage? {
        lock.lock()
        defer { lock.unlock() }
        return stages.last
    }
    var areInRange: Bool {
        lock.lock()
        defer { lock.unlock() }
        return fractions.allSatisfy { $0 >= 0 && $0 <= 1 }
    }
}
