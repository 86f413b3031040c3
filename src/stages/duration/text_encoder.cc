// SPDX-License-Identifier: Apache-2.0
#include "stages/duration/text_encoder.h"

#include <algorithm>

#include "nn/layer_norm.h"
#include "stages/duration/albert.h"

namespace koe::stages {

TextEncoder::TextEncoder(WeightLoader& loader)
    : embedding_(loader.Floats("text_encoder.embedding.weight", Albert::kVocabulary * kChannels)) {
  for (size_t i = 0; i < layers_.size(); ++i) {
    const std::string name = "text_encoder.cnn." + std::to_string(i);
    layers_[i].conv = loader.Conv1d(name + ".0", {.in = kChannels, .out = kChannels, .taps = 5, .padding = 2});
    layers_[i].gamma = loader.Floats(name + ".1.gamma", kChannels);
    layers_[i].beta = loader.Floats(name + ".1.beta", kChannels);
  }
  lstm_ = loader.BiLstm("text_encoder.lstm", kChannels, kChannels / 2);
}

void TextEncoder::Run(const nn::Exec& exec, std::span<const int32_t> token_ids, Matrix y) const {
  constexpr float kEps = 1e-5f, kLeakySlope = 0.2f;
  const Arena::Scope scope(*exec.arena);
  const size_t num_tokens = token_ids.size();
  const Matrix x = exec.arena->AllocateMatrix(num_tokens, kChannels);
  const Matrix convolved = exec.arena->AllocateMatrix(num_tokens, kChannels);
  for (size_t t = 0; t < num_tokens && !exec.CountsOnly(); ++t) {
    std::copy_n(embedding_.data() + static_cast<size_t>(token_ids[t]) * kChannels, kChannels, x.Row(t));
  }
  for (const Layer& layer : layers_) {
    layer.conv.Run(exec, x, {}, convolved, {});
    nn::LayerNorm(exec, convolved, {}, layer.gamma, layer.beta, kEps, x);
    if (!exec.CountsOnly()) exec.kernels->activation.leaky_relu(x.data, num_tokens * kChannels, kLeakySlope, x.data);
  }
  lstm_.Run(exec, x, y);
}

}  // namespace koe::stages
