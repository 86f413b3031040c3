// SPDX-License-Identifier: Apache-2.0
import CKoe

public struct KokoroEngineOptions: Sendable {
    /// 0: one for every processor.
    public var threadCount = 0
    /// false: the files' SHA-256 are not compared; for files that nobody else can write.
    public var verifiesDigests = true

    public init() {}
}

/// Text to speech. Immutable: any number of tasks may use one at once, each call computing with all of its threads.
/// Every call that computes runs off Swift's own threads and ends within 100 ms of its task's cancellation.
public final class KokoroTTS: Sendable {
    public static let sdkName = "KokoroTTS"
    /// Of libkoe: "0.1.0".
    public static var version: String { String(cString: koe_version()) }

    private let engine: EngineHandle

    private init(_ engine: EngineHandle) { self.engine = engine }

    /// Reads the bundle's manifests and vocabulary; the model is loaded by the first synthesis or by prewarm.
    /// coreMLModels: what `koe bundle build --kind coreml` made of the same bundle. Its packages then run the neural
    /// stages, on the processors of computePolicy (nil: gistDefault), and only on them: what fails in Core ML is an error.
    /// Without, every stage is native, and a computePolicy is refused.
    public static func load(
        resources: KokoroResourceProvider, coreMLModels: KokoroResourceProvider? = nil,
        computePolicy: KokoroComputePolicy? = nil, options: KokoroEngineOptions = KokoroEngineOptions()
    ) async throws -> KokoroTTS {
        guard let threads = Int32(exactly: options.threadCount), threads >= 0 else {
            throw KokoroError.invalidArgument("threads: \(options.threadCount): must not be below 0")
        }
        let path = resources.directoryURL.path
        let models = coreMLModels?.directoryURL.path
        let places = computePolicy?.places ?? (models == nil ? nil : KokoroComputePolicy.gistDefault.places)
        let verifiesDigests = options.verifiesDigests
        if Task.isCancelled { throw KokoroError.cancelled("load: cancelled") }
        return try await onWorker { () throws -> KokoroTTS in
            var inC = koe_engine_options()
            koe_struct_init(&inC, MemoryLayout<koe_engine_options>.stride)
            inC.num_threads = threads
            inC.skip_digests = verifiesDigests ? 0 : 1
            var made: OpaquePointer?
            try path.withCString { pathInC in
                try withOptionalCString(places) { (placesInC: UnsafePointer<CChar>?) throws -> Void in
                    try withOptionalCString(models) { (modelsInC: UnsafePointer<CChar>?) throws -> Void in
                        inC.place = placesInC
                        inC.models_dir = modelsInC
                        try check { koe_engine_open(pathInC, &inC, &made, $0) }
                    }
                }
            }
            guard let pointer = made else { throw KokoroError.internal("engine: none was made") }
            return KokoroTTS(EngineHandle(pointer))
        }
    }

    /// The voices of the bundle.
    public func voices() throws -> [KokoroVoice] {
        var voices: [KokoroVoice] = []
        for index in 0..<koe_engine_num_voices(engine.pointer) {
            var info = koe_voice_info()
            koe_struct_init(&info, MemoryLayout<koe_voice_info>.stride)
            try withUnsafeMutablePointer(to: &info) { pointer in
                try check { koe_engine_voice(engine.pointer, index, pointer, $0) }
            }
            voices.append(
                KokoroVoice(
                    id: KokoroVoiceID(rawValue: string(info.id)), language: string(info.language),
                    gender: string(info.gender)))
        }
        return voices
    }

    /// Loads the model and speaks once, so that the next synthesis is as quick as it gets. progress is called on a
    /// worker thread, with a fraction of 0 to 1.
    public func prewarm(
        text: String = "Hello world.", voice: KokoroVoiceID? = .afHeart,
        progress: (@Sendable (KokoroPrewarmStage, Double) -> Void)? = nil
    ) async throws {
        let engine = self.engine
        let report = progress.map { PrewarmProgress($0) }
        try await onWorkerCancellably { (cancel: CancelHandle) throws -> Void in
            try prewarmEngine(engine, text: text, voice: voice, cancel: cancel, progress: report)
        }
    }

    /// The whole of a text.
    public func synthesize(
        _ text: String, voice: KokoroVoiceID = .afHeart, options: KokoroSynthesisOptions = KokoroSynthesisOptions()
    ) async throws -> KokoroAudio {
        let engine = self.engine
        return try await onWorkerCancellably { (cancel: CancelHandle) throws -> KokoroAudio in
            var made: OpaquePointer?
            let length = text.utf8.count
            try options.withC(voice: voice, cancel: cancel.pointer) { inC in
                try text.withCString { start in
                    try check { koe_synthesize(engine.pointer, start, length, &inC, &made, $0) }
                }
            }
            return try KokoroTTS.takeAudio(made)
        }
    }

    /// The same in parts, each as soon as it is made.
    public func stream(
        _ text: String, voice: KokoroVoiceID = .afHeart, options: KokoroSynthesisOptions = KokoroSynthesisOptions()
    ) throws -> KokoroAudioStream {
        var made: OpaquePointer?
        let length = text.utf8.count
        let engine = self.engine
        try options.withC(voice: voice, cancel: nil) { inC in
            try text.withCString { start in
                try check { koe_stream_open(engine.pointer, start, length, &inC, nil, &made, $0) }
            }
        }
        guard let pointer = made else { throw KokoroError.internal("stream: none was made") }
        return KokoroAudioStream(handle: StreamHandle(pointer, lexicon: options.lexicon))
    }

    /// Chunks and phonemes of a text; loads no model.
    public func prepare(
        _ text: String, voice: KokoroVoiceID = .afHeart, options: KokoroSynthesisOptions = KokoroSynthesisOptions()
    ) async throws -> KokoroPreparedText {
        let engine = self.engine
        return try await onWorkerCancellably { (cancel: CancelHandle) throws -> KokoroPreparedText in
            var made: OpaquePointer?
            let length = text.utf8.count
            try options.withC(voice: voice, cancel: cancel.pointer) { inC in
                try text.withCString { start in
                    try check { koe_prepare(engine.pointer, start, length, &inC, &made, $0) }
                }
            }
            guard let pointer = made else { throw KokoroError.internal("prepared: none was made") }
            return try KokoroPreparedText(PreparedHandle(pointer))
        }
    }

    /// What `synthesize` does after `prepare`.
    public func synthesizePrepared(_ prepared: KokoroPreparedText) async throws -> KokoroAudio {
        let engine = self.engine
        return try await onWorkerCancellably { (cancel: CancelHandle) throws -> KokoroAudio in
            var made: OpaquePointer?
            try check {
                koe_synthesize_prepared(
                    engine.pointer, prepared.handle.pointer, 0, prepared.inputs.count, cancel.pointer, &made, $0)
            }
            return try KokoroTTS.takeAudio(made)
        }
    }

    private static func takeAudio(_ made: OpaquePointer?) throws -> KokoroAudio {
        guard let audio = made else { throw KokoroError.internal("audio: none was made") }
        defer { koe_audio_free(audio) }
        return try KokoroAudio(audio)
    }
}
