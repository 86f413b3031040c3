// SPDX-License-Identifier: Apache-2.0

/// Which processors run which stage in Core ML.
public struct KokoroComputePolicy: Sendable, Equatable {
    public enum Units: String, Sendable, CaseIterable {
        case cpuOnly = "cpu"
        case cpuAndGPU = "gpu"
        case cpuAndNeuralEngine = "ane"
        case all = "all"
    }
    public var duration: Units
    public var f0ntrain: Units
    public var decoderPre: Units
    public var generator: Units

    public init(duration: Units, f0ntrain: Units, decoderPre: Units, generator: Units) {
        self.duration = duration
        self.f0ntrain = f0ntrain
        self.decoderPre = decoderPre
        self.generator = generator
    }

    /// kokoro-coreml's choice: the Neural Engine for the decoder alone, the GPU for prosody and generator.
    public static let gistDefault = KokoroComputePolicy(
        duration: .cpuOnly, f0ntrain: .cpuAndGPU, decoderPre: .cpuAndNeuralEngine, generator: .cpuAndGPU)
    public static let cpuOnly = KokoroComputePolicy(
        duration: .cpuOnly, f0ntrain: .cpuOnly, decoderPre: .cpuOnly, generator: .cpuOnly)

    /// The same for koe_engine_options.place.
    var places: String {
        let stages = [("duration", duration), ("prosody", f0ntrain), ("decoder", decoderPre), ("generator", generator)]
        return stages.map { "\($0.0)=coreml:\($0.1.rawValue)" }.joined(separator: ",")
    }
}
