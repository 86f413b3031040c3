// SPDX-License-Identifier: Apache-2.0
// The model's tensors as the bundle stores them: memory-mapped, int8 kept as int8. Names are the official checkpoint's,
// "<module>.<parameter>" ("bert.embeddings.word_embeddings.weight"), weight norm folded.
#ifndef KOE_BUNDLE_WEIGHTS_H_
#define KOE_BUNDLE_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "koe/result.h"

namespace koe::bundle {

enum class DType { kF32, kF16, kI8, kU8 };

// One stored tensor, row-major. For kI8 and kU8: value = (q - zero_point) * scale in float32, with one scale and zero
// point for the whole tensor or one per index of the first dimension.
struct StoredTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<size_t> shape;
  const std::byte* data = nullptr;   // 64-byte aligned
  std::vector<float> scales;         // kI8, kU8: 1 or shape[0]
  std::vector<int32_t> zero_points;  // same length as scales
  size_t num_elements() const {
    size_t n = 1;
    for (const size_t d : shape) n *= d;
    return n;
  }
};

// dst = the tensor's values in float32, row-major. dst must have num_elements() values (kInternal otherwise).
Result<void> Dequantise(const StoredTensor& tensor, std::span<float> dst);

// Name and shape of one tensor of the architecture: what a file is compared with, never the other way round.
struct TensorSpec {
  std::string name;
  std::vector<size_t> shape;
};
// Every tensor of Kokoro-82M that Koe computes with, in the order of the flow.
const std::vector<TensorSpec>& KokoroTensorTable();

// weights.safetensors of a bundle, open. Immutable and thread-safe; spans live as long as the object.
class Weights {
 public:
  // Maps the file and compares every tensor with `table`. kNotFound, kIo, kCorruptBundle (names the tensor).
  static Result<std::shared_ptr<const Weights>> Open(const std::string& path,
                                                     const std::vector<TensorSpec>& table = KokoroTensorTable());
  // The same on a file that is mapped already.
  static Result<std::shared_ptr<const Weights>> Open(MappedFile file, const std::vector<TensorSpec>& table);
  virtual ~Weights() = default;
  // name must be in the table (every table name is present once Open has succeeded); nullptr otherwise.
  virtual const StoredTensor* Find(std::string_view name) const = 0;
  virtual std::span<const StoredTensor> tensors() const = 0;
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_WEIGHTS_H_
