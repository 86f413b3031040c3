// SPDX-License-Identifier: Apache-2.0
#include "support/synthetic_weights.h"

#include <algorithm>
#include <cmath>

#include "base/rng.h"

namespace koe::test_support {
namespace {

constexpr size_t kPoolBytes = size_t{1} << 23;  // the largest matrix has 3.4 million values
constexpr float kByteDeviation = 73.9f;         // of a uniform number in [-128, 127]
constexpr size_t kWindowStep = 64;

bool EndsWith(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}
bool Contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

uint64_t Hash(const std::string& text) {  // FNV-1a
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// Standard deviation that keeps a unit input at unit size, where the model has no reason for another.
float MatrixDeviation(const bundle::TensorSpec& spec) {
  if (Contains(spec.name, "embedding") && !Contains(spec.name, "mapping")) return 0.5f;
  size_t fan_in = 1;
  for (size_t i = 1; i < spec.shape.size(); ++i) fan_in *= spec.shape[i];
  if (Contains(spec.name, ".ups.")) fan_in = 2 * spec.shape[0];  // [in][out][2 stride]: two taps meet in an output
  float gain = 1;
  if (EndsWith(spec.name, ".fc.weight")) gain = 0.5f;
  if (EndsWith(spec.name, "conv_post.weight")) gain = 0.2f;  // logarithms of magnitudes
  if (EndsWith(spec.name, "F0_proj.weight")) gain = 10;      // Hz
  return gain / std::sqrt(static_cast<float>(fan_in));
}

struct Distribution {
  float mean, deviation;
};
Distribution VectorDistribution(const std::string& name) {
  if (Contains(name, "alpha")) return {1, 0.15f};
  if (EndsWith(name, "Norm.weight") || EndsWith(name, "norm.weight") || EndsWith(name, "gamma")) return {1, 0.1f};
  if (EndsWith(name, "duration_proj.linear_layer.bias")) return {-4.5f, 0.3f};  // 50 sigmoids: about half a frame
  if (EndsWith(name, "F0_proj.bias")) return {150, 0};
  return {0, 0.05f};
}

// A half with a random sign and mantissa and the exponent of `size`.
uint16_t RandomHalf(uint32_t bits, float size) {
  const int exponent = std::clamp(std::ilogb(size) + 15, 1, 30);
  return static_cast<uint16_t>((bits & 0x83FFu) | static_cast<uint32_t>(exponent) << 10);
}

}  // namespace

SyntheticWeights::SyntheticWeights(uint64_t seed) : pool_(kPoolBytes / sizeof(uint32_t)) {
  for (uint32_t i = 0; i < pool_.size(); i += 4) {
    const auto words = Philox4x32({i, 0, 0, 0}, {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
    std::copy(words.begin(), words.end(), pool_.data() + i);
  }
  for (const bundle::TensorSpec& spec : bundle::KokoroTensorTable()) Add(spec, seed);
}

void SyntheticWeights::Add(const bundle::TensorSpec& spec, uint64_t seed) {
  bundle::StoredTensor tensor;
  tensor.name = spec.name;
  tensor.shape = spec.shape;
  const size_t count = tensor.num_elements();
  const uint64_t hash = Hash(spec.name);
  const size_t window = hash % ((kPoolBytes - count * (EndsWith(spec.name, "norm1.fc.weight") ? 2 : 1)) / kWindowStep);
  const std::byte* bytes = reinterpret_cast<const std::byte*>(pool_.data()) + window * kWindowStep;
  if (spec.shape.size() < 2 || Contains(spec.name, "alpha")) {
    AlignedBuffer<float>& values = owned_.emplace_back(count);
    const auto [mean, deviation] = VectorDistribution(spec.name);
    FillNormal(seed, static_cast<uint32_t>(hash), 0, values.span());
    for (float& v : values.span()) v = mean + deviation * v;
    tensor.data = reinterpret_cast<const std::byte*>(values.data());
  } else if (EndsWith(spec.name, "norm1.fc.weight")) {
    tensor.dtype = bundle::DType::kF16;
    AlignedBuffer<float>& storage = owned_.emplace_back(CeilDiv(count, 2));
    uint16_t* halves = reinterpret_cast<uint16_t*>(storage.data());
    const float deviation = MatrixDeviation(spec);
    for (size_t i = 0; i < count; ++i) {
      const auto low = static_cast<uint32_t>(bytes[2 * i]), high = static_cast<uint32_t>(bytes[2 * i + 1]);
      halves[i] = RandomHalf(low | high << 8, deviation);
    }
    tensor.data = reinterpret_cast<const std::byte*>(halves);
  } else {
    const bool is_conv = spec.shape.size() == 3, is_recurrent = Contains(spec.name, "_l0");
    tensor.dtype = is_conv ? bundle::DType::kU8 : bundle::DType::kI8;
    const size_t groups = is_recurrent ? spec.shape[0] : 1;
    tensor.scales.assign(groups, MatrixDeviation(spec) / kByteDeviation);
    tensor.zero_points.assign(groups, is_conv ? 128 : 0);
    tensor.data = bytes;
  }
  index_[tensor.name] = tensors_.size();
  tensors_.push_back(std::move(tensor));
}

const bundle::StoredTensor* SyntheticWeights::Find(std::string_view name) const {
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : &tensors_[it->second];
}

void SyntheticWeights::Remove(const std::string& name) { index_.erase(name); }

void SyntheticWeights::Fill(const std::string& name, float value) {
  bundle::StoredTensor& tensor = tensors_[index_.at(name)];
  AlignedBuffer<float>& values = owned_.emplace_back(tensor.num_elements());
  std::fill_n(values.data(), values.size(), value);
  tensor.dtype = bundle::DType::kF32;
  tensor.scales.clear();
  tensor.zero_points.clear();
  tensor.data = reinterpret_cast<const std::byte*>(values.data());
}

}  // namespace koe::test_support
