// SPDX-License-Identifier: Apache-2.0
#include "stages/duration/albert.h"

#include <algorithm>

#include "nn/layer_norm.h"

namespace koe::stages {
namespace {

constexpr float kEps = 1e-12f;  // AlbertConfig.layer_norm_eps
constexpr size_t kHeadSize = Albert::kHidden / Albert::kHeads;
constexpr float kAttentionScale = 0.125f;  // 1 / sqrt(64)

}  // namespace

Albert::Albert(WeightLoader& loader)
    : words_(loader.Floats("bert.embeddings.word_embeddings.weight", kVocabulary * kEmbedding)),
      positions_(loader.Floats("bert.embeddings.position_embeddings.weight", kPositions * kEmbedding)),
      token_type_(loader.Floats("bert.embeddings.token_type_embeddings.weight", 2 * kEmbedding)),
      embedding_gamma_(loader.Floats("bert.embeddings.LayerNorm.weight", kEmbedding)),
      embedding_beta_(loader.Floats("bert.embeddings.LayerNorm.bias", kEmbedding)),
      embedding_projection_(loader.Linear("bert.encoder.embedding_hidden_mapping_in", kEmbedding, kHidden)) {
  const std::string layer = "bert.encoder.albert_layer_groups.0.albert_layers.0.";
  query_ = loader.Linear(layer + "attention.query", kHidden, kHidden);
  key_ = loader.Linear(layer + "attention.key", kHidden, kHidden);
  value_ = loader.Linear(layer + "attention.value", kHidden, kHidden);
  attention_output_ = loader.Linear(layer + "attention.dense", kHidden, kHidden);
  feed_forward_ = loader.Linear(layer + "ffn", kHidden, kFeedForward);
  feed_forward_output_ = loader.Linear(layer + "ffn_output", kFeedForward, kHidden);
  attention_gamma_ = loader.Floats(layer + "attention.LayerNorm.weight", kHidden);
  attention_beta_ = loader.Floats(layer + "attention.LayerNorm.bias", kHidden);
  output_gamma_ = loader.Floats(layer + "full_layer_layer_norm.weight", kHidden);
  output_beta_ = loader.Floats(layer + "full_layer_layer_norm.bias", kHidden);
}

void Albert::Attention(const nn::Exec& exec, ConstMatrix query, ConstMatrix key, ConstMatrix value, Matrix y) const {
  const kernels::KernelSet& kernels = *exec.kernels;
  const Arena::Scope scope(*exec.arena);
  const size_t num_tokens = query.rows;
  const size_t slots = exec.pool->num_threads();
  const size_t key_size = kernels::PackedSize(1, kHeadSize, num_tokens);
  const size_t value_size = kernels::PackedSize(1, num_tokens, kHeadSize);
  const std::span<float> keys = exec.arena->Allocate<float>(slots * key_size);
  const std::span<float> values = exec.arena->Allocate<float>(slots * value_size);
  const Matrix scores = exec.arena->AllocateMatrix(slots * num_tokens, num_tokens);
  exec.pool->ParallelFor(kHeads, [&](size_t head, size_t slot) {
    const size_t column = head * kHeadSize;
    float* packed_key = keys.data() + slot * key_size;
    float* packed_value = values.data() + slot * value_size;
    const Matrix weights = scores.Rows(slot * num_tokens, num_tokens);
    kernels.gemm.pack(key.data + column, 1, kHeadSize, num_tokens, 0, 1, key.stride, packed_key);
    kernels.gemm.gemm({.a = query.data + column,
                       .a_stride = query.stride,
                       .b = packed_key,
                       .c = weights.data,
                       .c_stride = weights.stride,
                       .m = num_tokens,
                       .k = kHeadSize,
                       .n = num_tokens});
    kernels.softmax.softmax_rows(weights.data, weights.stride, num_tokens, num_tokens, kAttentionScale);
    kernels.gemm.pack(value.data + column, 1, num_tokens, kHeadSize, 0, value.stride, 1, packed_value);
    kernels.gemm.gemm({.a = weights.data,
                       .a_stride = weights.stride,
                       .b = packed_value,
                       .c = y.data + column,
                       .c_stride = y.stride,
                       .m = num_tokens,
                       .k = num_tokens,
                       .n = kHeadSize});
  });
}

void Albert::Run(const nn::Exec& exec, std::span<const int32_t> token_ids, Matrix y) const {
  const Arena::Scope scope(*exec.arena);
  const size_t num_tokens = token_ids.size();
  const Matrix embedding = exec.arena->AllocateMatrix(num_tokens, kEmbedding);
  for (size_t t = 0; t < num_tokens && !exec.CountsOnly(); ++t) {
    const float* word = words_.data() + static_cast<size_t>(token_ids[t]) * kEmbedding;
    const float* position = positions_.data() + t * kEmbedding;
    for (size_t c = 0; c < kEmbedding; ++c) embedding.Row(t)[c] = (word[c] + token_type_[c]) + position[c];
  }
  nn::LayerNorm(exec, embedding, {}, embedding_gamma_, embedding_beta_, kEps, embedding);
  embedding_projection_.Run(exec, embedding, y);

  const Matrix query = exec.arena->AllocateMatrix(num_tokens, kHidden);
  const Matrix key = exec.arena->AllocateMatrix(num_tokens, kHidden);
  const Matrix value = exec.arena->AllocateMatrix(num_tokens, kHidden);
  const Matrix context = exec.arena->AllocateMatrix(num_tokens, kHidden);
  const Matrix attended = exec.arena->AllocateMatrix(num_tokens, kHidden);
  // Rows a multiple of 4 KiB apart would all fall into one set of the L1 cache: a product reads twelve at once.
  constexpr size_t kWideStride = kFeedForward + 16;
  const Matrix wide(exec.arena->Allocate<float>(num_tokens * kWideStride).data(), num_tokens, kFeedForward,
                    kWideStride);
  for (size_t layer = 0; layer < kLayers && !exec.IsCancelled(); ++layer) {
    const nn::Linear::Job jobs[] = {{&query_, query}, {&key_, key}, {&value_, value}};
    nn::Linear::RunAll(exec, y, jobs);
    Attention(exec, query, key, value, context);
    attention_output_.Run(exec, context, attended);
    nn::LayerNorm(exec, attended, y, attention_gamma_, attention_beta_, kEps, attended);
    feed_forward_.Run(exec, attended, wide);
    exec.pool->ParallelFor(
        num_tokens, [&](size_t t, size_t) { exec.kernels->activation.gelu(wide.Row(t), kFeedForward, wide.Row(t)); });
    feed_forward_output_.Run(exec, wide, context);
    nn::LayerNorm(exec, context, attended, output_gamma_, output_beta_, kEps, y);
  }
}

}  // namespace koe::stages
