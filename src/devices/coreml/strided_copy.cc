// SPDX-License-Identifier: Apache-2.0
#include "devices/coreml/strided_copy.h"

#include <cmath>
#include <cstring>

#include "bundle/half.h"

namespace koe::devices {
namespace {

Error Bad(const char* why) { return Error(ErrorCode::kInternal, std::string("coreml: array: ") + why); }

// Elements from the first to the last one, that one included.
Result<uint64_t> Extent(const StridedArray& array, size_t count) {
  if (array.shape.size() != array.strides.size()) return Bad("shape and strides do not go together");
  uint64_t elements = 1, last = 0;
  for (size_t i = 0; i < array.shape.size(); ++i) {
    if (array.shape[i] < 1 || array.strides[i] < 0 || array.shape[i] > INT32_MAX || array.strides[i] > INT32_MAX) {
      return Bad("a dimension out of range");
    }
    elements *= static_cast<uint64_t>(array.shape[i]);
    last += static_cast<uint64_t>(array.shape[i] - 1) * static_cast<uint64_t>(array.strides[i]);
    if (elements > UINT32_MAX || last > UINT32_MAX) return Bad("too large");
  }
  if (elements != count) return Bad("another number of elements than expected");
  return last + 1;
}

template <typename Stored, typename Wanted, typename Convert>
bool CopyAll(const StridedArray& array, std::span<Wanted> out, const Convert& convert) {
  const auto* data = static_cast<const Stored*>(array.data);
  std::vector<int64_t> index(array.shape.size(), 0);
  int64_t at = 0;
  for (Wanted& value : out) {
    if (!convert(data[at], &value)) return false;
    // The next index, the last dimension first.
    for (size_t i = array.shape.size(); i-- > 0;) {
      at += array.strides[i];
      if (++index[i] < array.shape[i]) break;
      at -= array.strides[i] * array.shape[i];
      index[i] = 0;
    }
  }
  return true;
}

bool ToInteger(float value, int32_t* out) {
  const float rounded = std::nearbyint(value);
  if (!(rounded >= -0x1p31f && rounded < 0x1p31f)) return false;
  *out = static_cast<int32_t>(rounded);
  return true;
}

template <typename Wanted>
Result<void> Copy(const StridedArray& array, std::span<Wanted> out) {
  KOE_TRY(const uint64_t extent, Extent(array, out.size()));
  const size_t size = array.type == ArrayType::kFloat16 ? 2 : 4;
  if (array.data == nullptr || extent * size > array.bytes) return Bad("elements beyond its bytes");
  const auto from_float = [](float value, Wanted* to) {
    if constexpr (std::is_same_v<Wanted, float>) {
      *to = value;
      return true;
    } else {
      return ToInteger(value, to);
    }
  };
  bool good = false;
  switch (array.type) {
    case ArrayType::kFloat16:
      good = CopyAll<uint16_t>(array, out,
                               [&](uint16_t half, Wanted* to) { return from_float(bundle::HalfToFloat(half), to); });
      break;
    case ArrayType::kFloat32:
      good = CopyAll<float>(array, out, from_float);
      break;
    case ArrayType::kInt32:
      good = CopyAll<int32_t>(array, out, [](int32_t value, Wanted* to) {
        *to = static_cast<Wanted>(value);
        return true;
      });
      break;
  }
  if (!good) return Bad("a number that is no integer");
  return {};
}

}  // namespace

Result<void> CopyStrided(const StridedArray& array, std::span<float> out) { return Copy(array, out); }
Result<void> CopyStrided(const StridedArray& array, std::span<int32_t> out) { return Copy(array, out); }

}  // namespace koe::devices
