// SPDX-License-Identifier: Apache-2.0
import CKoe

/// How far prewarm has come; says nothing of the text.
public enum KokoroPrewarmStage: String, Sendable {
    case textPreparation = "text_preparation"
    case modelLoad = "model_load"
    case prediction = "first_run"
    case complete = "done"
}

/// What the C callback gets as its user data.
final class PrewarmProgress: @unchecked Sendable {
    let report: @Sendable (KokoroPrewarmStage, Double) -> Void
    init(_ report: @escaping @Sendable (KokoroPrewarmStage, Double) -> Void) { self.report = report }
}

func prewarmEngine(
    _ engine: EngineHandle, text: String, voice: KokoroVoiceID?, cancel: CancelHandle, progress: PrewarmProgress?
) throws {
    var options = koe_prewarm_options()
    koe_struct_init(&options, MemoryLayout<koe_prewarm_options>.stride)
    options.cancel = cancel.pointer
    if let progress = progress {
        options.user_data = Unmanaged.passUnretained(progress).toOpaque()
        options.progress = { userData, name, fraction in
            guard let userData = userData, let name = name,
                let stage = KokoroPrewarmStage(rawValue: String(cString: name))
            else { return }
            Unmanaged<PrewarmProgress>.fromOpaque(userData).takeUnretainedValue().report(stage, fraction)
        }
    }
    try withExtendedLifetime(progress) {
        try text.withCString { textInC in
            try withOptionalCString(voice?.rawValue) { (voiceInC: UnsafePointer<CChar>?) throws -> Void in
                options.text = textInC
                options.voice = voiceInC
                try check { koe_engine_prewarm(engine.pointer, &options, $0) }
            }
        }
    }
}
