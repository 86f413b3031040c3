// SPDX-License-Identifier: Apache-2.0
// Convolutions and an LSTM over token embeddings (Kokoro modules.py TextEncoder).
#ifndef KOE_STAGES_DURATION_TEXT_ENCODER_H_
#define KOE_STAGES_DURATION_TEXT_ENCODER_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "stages/weight_loader.h"

namespace koe::stages {

class TextEncoder {
 public:
  static constexpr size_t kChannels = 512;

  explicit TextEncoder(WeightLoader& loader);
  // token_ids [T] -> y [T][512].
  void Run(const nn::Exec& exec, std::span<const int32_t> token_ids, Matrix y) const;

 private:
  struct Layer {
    nn::Conv1d conv;
    std::vector<float> gamma, beta;
  };
  std::vector<float> embedding_;  // [178][512]
  std::array<Layer, 3> layers_;
  nn::BiLstm lstm_;
};

}  // namespace koe::stages

#endif  // KOE_STAGES_DURATION_TEXT_ENCODER_H_
