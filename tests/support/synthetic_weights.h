// SPDX-License-Identifier: Apache-2.0
// Random weights in the model's shapes: a clone without model data still runs every stage. They say nothing sensible,
// but activations stay of the size that they have in the model, every token lasts few frames and the voice is voiced.
#ifndef KOE_TESTS_SUPPORT_SYNTHETIC_WEIGHTS_H_
#define KOE_TESTS_SUPPORT_SYNTHETIC_WEIGHTS_H_

#include <map>
#include <string>
#include <vector>

#include "base/array.h"
#include "bundle/weights.h"

namespace koe::test_support {

// All four types of storage occur. Matrices are windows into one pool of random bytes, so that making the 82 million
// values costs nothing. The same seed gives the same values on every machine.
class SyntheticWeights final : public bundle::Weights {
 public:
  explicit SyntheticWeights(uint64_t seed = 1);
  const bundle::StoredTensor* Find(std::string_view name) const override;
  std::span<const bundle::StoredTensor> tensors() const override { return tensors_; }

  // For tests of what bad weights do. The name must be in the table.
  void Remove(const std::string& name);
  void Fill(const std::string& name, float value);

 private:
  void Add(const bundle::TensorSpec& spec, uint64_t seed);

  AlignedBuffer<uint32_t> pool_;
  std::vector<bundle::StoredTensor> tensors_;
  std::map<std::string, size_t, std::less<>> index_;
  std::vector<AlignedBuffer<float>> owned_;
};

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_SYNTHETIC_WEIGHTS_H_
