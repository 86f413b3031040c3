// SPDX-License-Identifier: Apache-2.0
// Stage 2: token ids + prosody style -> frames per token, and the two feature sets that the later stages expand.
// ALBERT and the duration encoder (LSTMs) beside the text encoder. Source: Kokoro model.py, modules.py.
#ifndef KOE_STAGES_DURATION_DURATION_H_
#define KOE_STAGES_DURATION_DURATION_H_

#include <cstdint>
#include <memory>
#include <span>

#include "bundle/weights.h"
#include "stages/stage.h"

namespace koe::stages {

class Duration {
 public:
  static constexpr size_t kMaxTokens = 512;
  static constexpr size_t kAlbertSize = 768;
  static constexpr size_t kHiddenSize = 512;
  static constexpr size_t kFeatureSize = kHiddenSize + kStyleSize;  // 640
  static constexpr size_t kMaxFramesPerToken = 50;                  // at speed 1: the sum of 50 sigmoids

  static constexpr float kMinStageSpeed = 0.01f;  // keeps frames far from integer overflow

  struct Input {
    std::span<const int32_t> token_ids;    // [T] in [0, 178), 1 <= T <= 512
    std::span<const float> prosody_style;  // [128]
    float speed = 1;                       // finite, at least kMinStageSpeed: frames are divided by it
  };
  struct Output {
    std::span<const int32_t> durations;  // [T] frames per token, 1..ceil(50/speed)
    ConstMatrix duration_features;       // [T][640] ("d")
    ConstMatrix text_features;           // [T][512] ("t_en")
  };

  virtual ~Duration() = default;
  // kInvalidArgument: shapes, token or speed out of range. kInternal: durations that are not finite. kCancelled.
  // Observes bert_dur [T][768], d_en [T][512], d, t_en, duration [T][1] (frames before they are rounded).
  virtual Result<Output> Run(const Input& input, const StageContext& context) const = 0;
};

Result<std::unique_ptr<Duration>> MakeDurationCpu(const bundle::Weights& weights, const kernels::KernelSet& kernels,
                                                  const LoadOptions& options = {});

}  // namespace koe::stages

#endif  // KOE_STAGES_DURATION_DURATION_H_
