// SPDX-License-Identifier: Apache-2.0
// Stage 5: aligned text features, pitch, energy + acoustic style -> decoder features at 80 frames a second.
// Source: Kokoro istftnet.py Decoder, without its generator.
#ifndef KOE_STAGES_DECODER_DECODER_H_
#define KOE_STAGES_DECODER_DECODER_H_

#include <memory>
#include <span>

#include "bundle/weights.h"
#include "stages/stage.h"

namespace koe::stages {

class Decoder {
 public:
  struct Input {
    ConstMatrix aligned_text_features;      // [F][512]
    std::span<const float> f0_hz, energy;   // [2F]
    std::span<const float> acoustic_style;  // [128]
  };
  struct Output {
    ConstMatrix decoder_features;  // [2F][512] ("x_pre")
  };

  virtual ~Decoder() = default;
  // kInvalidArgument: shapes. kCancelled. Observes x_pre.
  virtual Result<Output> Run(const Input& input, const StageContext& context) const = 0;
};

Result<std::unique_ptr<Decoder>> MakeDecoderCpu(const bundle::Weights& weights, const kernels::KernelSet& kernels,
                                                const LoadOptions& options = {});

}  // namespace koe::stages

#endif  // KOE_STAGES_DECODER_DECODER_H_
