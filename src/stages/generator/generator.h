// SPDX-License-Identifier: Apache-2.0
// Stage 7: decoder features + excitation -> waveform. Upsampling by 10 and 6, residual blocks with AdaIN and Snake, and
// an inverse STFT. Source: Kokoro istftnet.py Generator.
#ifndef KOE_STAGES_GENERATOR_GENERATOR_H_
#define KOE_STAGES_GENERATOR_GENERATOR_H_

#include <memory>
#include <span>

#include "bundle/weights.h"
#include "stages/stage.h"

namespace koe::stages {

class Generator {
 public:
  struct Input {
    ConstMatrix decoder_features;           // [2F][512]
    ConstMatrix excitation;                 // [E][22], E = 120 F + 1
    std::span<const float> acoustic_style;  // [128]
  };
  struct Output {
    std::span<const float> waveform;  // [600 F]
  };

  virtual ~Generator() = default;
  // kInvalidArgument: shapes. kCancelled.
  // Observes ups0, x_source0, mrf0 [20F][256], ups1 [120F][128], x_source1, mrf1 [E][128], conv_post [E][22],
  // waveform [600F][1].
  virtual Result<Output> Run(const Input& input, const StageContext& context) const = 0;
};

Result<std::unique_ptr<Generator>> MakeGeneratorCpu(const bundle::Weights& weights, const kernels::KernelSet& kernels,
                                                    const LoadOptions& options = {});

}  // namespace koe::stages

#endif  // KOE_STAGES_GENERATOR_GENERATOR_H_
