// SPDX-License-Identifier: Apache-2.0
// PL-BERT: an ALBERT of 12 passes through one shared layer (Hugging Face transformers, modeling_albert.py).
#ifndef KOE_STAGES_DURATION_ALBERT_H_
#define KOE_STAGES_DURATION_ALBERT_H_

#include <cstdint>
#include <span>
#include <vector>

#include "stages/weight_loader.h"

namespace koe::stages {

class Albert {
 public:
  static constexpr size_t kVocabulary = 178, kEmbedding = 128, kHidden = 768, kHeads = 12, kFeedForward = 2048;
  static constexpr size_t kPositions = 512, kLayers = 12;

  explicit Albert(WeightLoader& loader);
  // token_ids [T] -> y [T][768].
  void Run(const nn::Exec& exec, std::span<const int32_t> token_ids, Matrix y) const;

 private:
  void Attention(const nn::Exec& exec, ConstMatrix query, ConstMatrix key, ConstMatrix value, Matrix y) const;

  std::vector<float> words_, positions_, token_type_;  // [178][128], [512][128], row 0 of [2][128]
  std::vector<float> embedding_gamma_, embedding_beta_;
  nn::Linear embedding_projection_;
  nn::Linear query_, key_, value_, attention_output_, feed_forward_, feed_forward_output_;
  std::vector<float> attention_gamma_, attention_beta_, output_gamma_, output_beta_;
};

}  // namespace koe::stages

#endif  // KOE_STAGES_DURATION_ALBERT_H_
