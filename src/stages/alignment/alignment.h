// SPDX-License-Identifier: Apache-2.0
// Stage 3: frames per token -> features per frame: dst[f] = src[frame_to_token[f]].
// Source: Kokoro model.py forward_with_tokens (there, a product with a one-hot matrix).
#ifndef KOE_STAGES_ALIGNMENT_ALIGNMENT_H_
#define KOE_STAGES_ALIGNMENT_ALIGNMENT_H_

#include <cstdint>
#include <memory>
#include <span>

#include "stages/stage.h"

namespace koe::stages {

class Alignment {
 public:
  // 512 tokens of 50 frames at the slowest speed of the API, 0.25: 43 minutes of speech.
  static constexpr size_t kMaxFrames = 512 * 50 * 4;

  struct Input {
    std::span<const int32_t> durations;  // [T], each >= 1
    ConstMatrix duration_features;       // [T][640]
    ConstMatrix text_features;           // [T][512]
  };
  struct Output {
    std::span<const int32_t> frame_to_token;  // [F]
    ConstMatrix aligned_duration_features;    // [F][640] ("en")
    ConstMatrix aligned_text_features;        // [F][512] ("asr")
  };

  virtual ~Alignment() = default;
  // kInvalidArgument: shapes that differ, a duration below 1. kTooLong: over kMaxFrames.
  virtual Result<Output> Run(const Input& input, const StageContext& context) const = 0;
};

std::unique_ptr<Alignment> MakeAlignmentCpu();

}  // namespace koe::stages

#endif  // KOE_STAGES_ALIGNMENT_ALIGNMENT_H_
