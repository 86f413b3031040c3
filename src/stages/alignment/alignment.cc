// SPDX-License-Identifier: Apache-2.0
#include "stages/alignment/alignment.h"

#include <algorithm>
#include <string>

namespace koe::stages {
namespace {

class AlignmentCpu final : public Alignment {
 public:
  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const size_t num_tokens = input.durations.size();
    if (input.duration_features.rows != num_tokens || input.text_features.rows != num_tokens) {
      return Error(ErrorCode::kInvalidArgument,
                   "alignment: features: one row for each of " + std::to_string(num_tokens) + " durations is needed");
    }
    size_t num_frames = 0;
    for (const int32_t frames : input.durations) {
      if (frames < 1) {
        return Error(ErrorCode::kInvalidArgument, "duration: " + std::to_string(frames) + ": must be at least 1");
      }
      num_frames += static_cast<size_t>(frames);
    }
    if (num_frames > kMaxFrames) {
      return Error(ErrorCode::kTooLong, "speech: " + std::to_string(num_frames / 40) + " s in one chunk: at most " +
                                            std::to_string(kMaxFrames / 40));
    }
    Arena& arena = *context.exec.arena;
    const std::span<int32_t> frame_to_token = arena.Allocate<int32_t>(num_frames);
    const bool counts_only = context.exec.CountsOnly();
    size_t frame = 0;
    for (size_t t = 0; t < num_tokens && !counts_only; ++t) {
      const size_t count = static_cast<size_t>(input.durations[t]);
      std::fill_n(frame_to_token.begin() + static_cast<ptrdiff_t>(frame), count, static_cast<int32_t>(t));
      frame += count;
    }
    const auto expand = [&](ConstMatrix src) {
      const Matrix dst = arena.AllocateMatrix(num_frames, src.cols);
      for (size_t f = 0; f < num_frames && !counts_only; ++f) {
        std::copy_n(src.Row(static_cast<size_t>(frame_to_token[f])), src.cols, dst.Row(f));
      }
      return dst;
    };
    const Matrix duration_features = expand(input.duration_features);
    const Matrix text_features = expand(input.text_features);
    context.Observe("en", duration_features);
    context.Observe("asr", text_features);
    return Output{frame_to_token, duration_features, text_features};
  }
};

}  // namespace

std::unique_ptr<Alignment> MakeAlignmentCpu() { return std::make_unique<AlignmentCpu>(); }

}  // namespace koe::stages
