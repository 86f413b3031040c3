// SPDX-License-Identifier: Apache-2.0
// Counts the products of the model from its table of tensors: every weight is used once at each of its positions.
#include <array>
#include <string_view>

#include "bundle/architecture.h"
#include "koe/bench.h"

namespace koe {
namespace {

struct Positions {
  double tokens = 0, frames = 0, once = 0;
};

// Tensors whose names start with `prefix` (the first row that fits counts) are applied at
// tokens * T + frames * F + once positions.
struct Rule {
  std::string_view prefix;
  std::string_view stage;
  Positions positions;
};

constexpr double kAlbertLayers = 12;
constexpr double kHiddenSize = 768;

constexpr std::array kRules = {
    Rule{"bert.embeddings", "", {}},  // looked up
    Rule{"bert.encoder.embedding_hidden_mapping_in", "duration", {1, 0, 0}},
    Rule{"bert.encoder", "duration", {kAlbertLayers, 0, 0}},
    Rule{"bert_encoder", "duration", {1, 0, 0}},
    Rule{"predictor.text_encoder", "duration", {1, 0, 0}},
    Rule{"predictor.lstm", "duration", {1, 0, 0}},
    Rule{"predictor.duration_proj", "duration", {1, 0, 0}},
    Rule{"text_encoder.embedding", "", {}},
    Rule{"text_encoder", "duration", {1, 0, 0}},
    Rule{"predictor.shared", "prosody", {0, 1, 0}},
    Rule{"predictor.F0.0", "prosody", {0, 1, 0}},
    Rule{"predictor.N.0", "prosody", {0, 1, 0}},
    Rule{"predictor.F0", "prosody", {0, 2, 0}},  // doubled before the convolutions of block 1
    Rule{"predictor.N", "prosody", {0, 2, 0}},
    Rule{"decoder.F0_conv", "decoder", {0, 1, 0}},
    Rule{"decoder.N_conv", "decoder", {0, 1, 0}},
    Rule{"decoder.asr_res", "decoder", {0, 1, 0}},
    Rule{"decoder.encode", "decoder", {0, 1, 0}},
    Rule{"decoder.decode.3", "decoder", {0, 2, 0}},
    Rule{"decoder.decode", "decoder", {0, 1, 0}},
    Rule{"decoder.generator.m_source", "harmonic_source", {0, 600, 0}},
    Rule{"decoder.generator.ups.0", "generator", {0, 2, 0}},
    Rule{"decoder.generator.ups.1", "generator", {0, 20, 0}},
    Rule{"decoder.generator.noise_convs.0", "generator", {0, 20, 0}},
    Rule{"decoder.generator.noise_res.0", "generator", {0, 20, 0}},
    Rule{"decoder.generator.resblocks.0", "generator", {0, 20, 0}},
    Rule{"decoder.generator.resblocks.1", "generator", {0, 20, 0}},
    Rule{"decoder.generator.resblocks.2", "generator", {0, 20, 0}},
    Rule{"decoder.generator", "generator", {0, 120, 1}},
};

const Rule* FindRule(std::string_view name) {
  for (const Rule& rule : kRules) {
    if (name.starts_with(rule.prefix)) return &rule;
  }
  return nullptr;
}

}  // namespace

std::vector<StageWork> NominalWork(size_t num_tokens, size_t num_frames) {
  const auto tokens = static_cast<double>(num_tokens), frames = static_cast<double>(num_frames);
  std::vector<StageWork> work = {
      {"duration", 0}, {"prosody", 0}, {"decoder", 0}, {"harmonic_source", 0}, {"generator", 0}};
  const auto add = [&work](std::string_view stage, double flops) {
    for (StageWork& entry : work) {
      if (entry.stage == stage) entry.flops += flops;
    }
  };
  for (const bundle::TensorSpec& tensor : bundle::KokoroTensorTable()) {
    const Rule* rule = FindRule(tensor.name);
    if (rule == nullptr || tensor.shape.size() < 2) continue;  // biases and gains
    double weights = 1;
    for (const size_t size : tensor.shape) weights *= static_cast<double>(size);
    const bool of_style = tensor.name.find(".fc.") != std::string::npos;
    const bool is_gain = tensor.name.find(".alpha") != std::string::npos;
    if (is_gain) continue;
    const Positions& at = rule->positions;
    add(rule->stage, 2 * weights * (of_style ? 1 : at.tokens * tokens + at.frames * frames + at.once));
  }
  // Attention: queries by keys and probabilities by values, over all heads.
  add("duration", 2 * 2 * kAlbertLayers * kHiddenSize * tokens * tokens);
  return work;
}

}  // namespace koe
