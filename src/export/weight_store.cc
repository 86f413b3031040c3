// SPDX-License-Identifier: Apache-2.0
#include "export/weight_store.h"

#include <cmath>

#include "export/half.h"

namespace koe::exporter {

std::vector<float> WeightStore::Floats(const std::string& name, size_t size) {
  std::vector<float> values(size);
  const bundle::StoredTensor* tensor = weights_.Find(name);
  if (tensor == nullptr || tensor->num_elements() != size) {
    if (mistake_.empty()) mistake_ = name + (tensor == nullptr ? ": not in the tensor table" : ": unexpected size");
    return values;
  }
  const auto done = bundle::Dequantise(*tensor, values);
  if (!done && mistake_.empty()) mistake_ = name + ": " + done.error().message();
  return values;
}

Value WeightStore::Tensor(Graph* graph, const std::string& name, Type type, Shape shape) {
  const auto size = static_cast<size_t>(NumElements(shape));
  return Derived(graph, name, type, std::move(shape), [&] { return Floats(name, size); });
}

Value WeightStore::Derived(Graph* graph, const std::string& key, Type type, Shape shape,
                           const std::function<std::vector<float>()>& make) {
  SharedBytes& bytes = cache_[{key, type}];
  if (bytes == nullptr) {
    constexpr float kHalfOverflow = 65520;
    const std::vector<float> values = make();
    for (const float v : values) {
      if (type == Type::kF16 && std::abs(v) >= kHalfOverflow && overflow_.empty()) overflow_ = key;
    }
    bytes = PackFloats(type == Type::kF16, values);
  }
  return graph->Constant(type, std::move(shape), bytes);
}

Result<void> WeightStore::Check() const {
  if (!mistake_.empty()) return Error(ErrorCode::kInternal, "weights: " + mistake_);
  if (!overflow_.empty()) return Error(ErrorCode::kUnsupported, "weights: " + overflow_ + ": beyond float16");
  return {};
}

}  // namespace koe::exporter
