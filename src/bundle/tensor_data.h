// SPDX-License-Identifier: Apache-2.0
// What an importer makes of one tensor, and the checks on values that every reader shares.
#ifndef KOE_BUNDLE_TENSOR_DATA_H_
#define KOE_BUNDLE_TENSOR_DATA_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bundle/byte_reader.h"
#include "bundle/weights.h"
#include "koe/result.h"

namespace koe::bundle {

// One tensor in the bundle's form and the table's shape. `bytes` is row-major little-endian at any alignment and points
// into the source file or into `owned`; move-only, so that it stays valid.
struct ImportedTensor {
  DType dtype = DType::kF32;
  Bytes bytes;
  std::vector<std::byte> owned;
  std::vector<float> scales;         // kI8, kU8: 1 or shape[0]
  std::vector<int32_t> zero_points;  // same length

  ImportedTensor() = default;
  ImportedTensor(ImportedTensor&&) = default;
  ImportedTensor& operator=(ImportedTensor&&) = default;
};

size_t ElementBytes(DType dtype);
const char* DTypeName(DType dtype);  // as safetensors spells it: F32, F16, I8, U8

// Index of the first NaN or infinity; nullopt for integer types and where all is finite.
std::optional<size_t> FindNonFinite(DType dtype, Bytes bytes);

// Values are finite; scales are finite, positive and as many as 1 or `rows`; zero points fit the type.
// kCorruptBundle names the tensor and the index.
Result<void> CheckValues(const std::string& name, DType dtype, Bytes bytes, size_t rows, std::span<const float> scales,
                         std::span<const int32_t> zero_points);

// "[3, 4]"
std::string ShapeText(std::span<const size_t> shape);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_TENSOR_DATA_H_
