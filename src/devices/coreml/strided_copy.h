// SPDX-License-Identifier: Apache-2.0
// Core ML's arrays: of the type and with the gaps that the processor which computed them likes.
#ifndef KOE_DEVICES_COREML_STRIDED_COPY_H_
#define KOE_DEVICES_COREML_STRIDED_COPY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "koe/result.h"

namespace koe::devices {

enum class ArrayType { kFloat16, kFloat32, kInt32 };

// Somebody else's memory: element (i, j, ...) lies strides[0] i + strides[1] j + ... elements behind the first.
struct StridedArray {
  const void* data = nullptr;
  size_t bytes = 0;  // that may be read
  ArrayType type = ArrayType::kFloat32;
  std::vector<int64_t> shape, strides;
};

// All elements in row-major order. kInternal: another number of elements than `out` has, an element outside the bytes.
Result<void> CopyStrided(const StridedArray& array, std::span<float> out);
// The same; numbers with a fraction are rounded to the nearest, kInternal for what no int32 holds.
Result<void> CopyStrided(const StridedArray& array, std::span<int32_t> out);

}  // namespace koe::devices

#endif  // KOE_DEVICES_COREML_STRIDED_COPY_H_
