// SPDX-License-Identifier: Apache-2.0
// Stage 6: pitch -> sines and noise (hn-NSF) -> excitation spectrum. Runs beside the decoder.
// Source: reference kokoro-coreml.md 2.11; Kokoro istftnet.py SineGen, SourceModuleHnNSF, TorchSTFT.
#ifndef KOE_STAGES_HARMONIC_SOURCE_HARMONIC_SOURCE_H_
#define KOE_STAGES_HARMONIC_SOURCE_HARMONIC_SOURCE_H_

#include <cstdint>
#include <memory>
#include <span>

#include "bundle/weights.h"
#include "stages/stage.h"

namespace koe::stages {

class HarmonicSource {
 public:
  static constexpr size_t kHarmonics = 9;  // fundamental and eight overtones

  struct Input {
    std::span<const float> f0_hz;   // [2F]; voiced above 10 Hz
    uint64_t seed = 0;              // of the noise: counter-based, bit-equal for any number of threads
    float noise_scale = 1;          // 0: the sines alone
    std::span<const float> source;  // [S] or empty; given: taken as the source signal instead of making one
  };
  struct Output {
    std::span<const float> source;  // [S]
    ConstMatrix excitation;         // [E][22]: 11 magnitudes, then 11 phases ("har")
  };

  virtual ~HarmonicSource() = default;
  // kInvalidArgument: shapes. kInternal: pitch that is not finite. kCancelled.
  // Observes har_source [S][1] and har [E][22].
  virtual Result<Output> Run(const Input& input, const StageContext& context) const = 0;
};

// Deviates: phase in double, and no random initial phase of the overtones, which the reference draws and never reads.
Result<std::unique_ptr<HarmonicSource>> MakeHarmonicSourceCpu(const bundle::Weights& weights,
                                                              const kernels::KernelSet& kernels);

}  // namespace koe::stages

#endif  // KOE_STAGES_HARMONIC_SOURCE_HARMONIC_SOURCE_H_
