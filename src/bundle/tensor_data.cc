// SPDX-License-Identifier: Apache-2.0
#include "bundle/tensor_data.h"

#include <cfloat>
#include <cmath>

#include "bundle/half.h"

namespace koe::bundle {
namespace {

// An exponent of all ones is a NaN or an infinity. Blocks keep the common case (all finite) free of branches.
template <typename Word>
std::optional<size_t> FindAllOnesExponent(Bytes bytes, Word mask) {
  constexpr size_t kBlock = 4096;
  const size_t count = bytes.size() / sizeof(Word);
  for (size_t begin = 0; begin < count; begin += kBlock) {
    const size_t end = begin + kBlock < count ? begin + kBlock : count;
    Word any = 0;
    for (size_t i = begin; i < end; ++i) {
      const Word word = LoadLe<Word>(bytes.data() + i * sizeof(Word));
      any |= static_cast<Word>((word & mask) == mask);
    }
    if (any == 0) continue;
    for (size_t i = begin; i < end; ++i) {
      if ((LoadLe<Word>(bytes.data() + i * sizeof(Word)) & mask) == mask) return i;
    }
  }
  return std::nullopt;
}

}  // namespace

size_t ElementBytes(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return 4;
    case DType::kF16:
      return 2;
    default:
      return 1;
  }
}

const char* DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kI8:
      return "I8";
    default:
      return "U8";
  }
}

std::optional<size_t> FindNonFinite(DType dtype, Bytes bytes) {
  if (dtype == DType::kF32) return FindAllOnesExponent<uint32_t>(bytes, 0x7F800000u);
  if (dtype == DType::kF16) return FindAllOnesExponent<uint16_t>(bytes, 0x7C00u);
  return std::nullopt;
}

Result<void> CheckValues(const std::string& name, DType dtype, Bytes bytes, size_t rows, std::span<const float> scales,
                         std::span<const int32_t> zero_points) {
  const auto corrupt = [&](const std::string& why) {
    return Error(ErrorCode::kCorruptBundle, "tensor: " + name + ": " + why);
  };
  if (const auto bad = FindNonFinite(dtype, bytes)) {
    return corrupt("value " + std::to_string(*bad) + " is not finite");
  }
  if (dtype == DType::kF32 || dtype == DType::kF16) return {};
  if ((scales.size() != 1 && scales.size() != rows) || zero_points.size() != scales.size()) {
    return corrupt(std::to_string(scales.size()) + " scales and " + std::to_string(zero_points.size()) +
                   " zero points for " + std::to_string(rows) + " rows");
  }
  const int32_t lowest = dtype == DType::kI8 ? -128 : 0;
  for (size_t i = 0; i < scales.size(); ++i) {
    // The upper bound keeps (q - zero_point) * scale finite.
    if (!(scales[i] > 0) || scales[i] > FLT_MAX / 256) {
      return corrupt("scale " + std::to_string(i) + " is " + std::to_string(scales[i]));
    }
    if (zero_points[i] < lowest || zero_points[i] > lowest + 255) {
      return corrupt("zero point " + std::to_string(i) + " is " + std::to_string(zero_points[i]));
    }
  }
  return {};
}

std::string ShapeText(std::span<const size_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

// Beside the checks because it is their counterpart: what CheckValues has passed, this makes finite.
Result<void> Dequantise(const StoredTensor& tensor, std::span<float> dst) {
  const size_t count = tensor.num_elements();
  if (dst.size() != count) {
    return Error(ErrorCode::kInternal, "tensor: " + tensor.name + ": destination of another size");
  }
  const size_t rows = tensor.scales.size() > 1 ? tensor.scales.size() : 1;
  const size_t cols = count / rows;
  switch (tensor.dtype) {
    case DType::kF32:
      std::memcpy(dst.data(), tensor.data, count * sizeof(float));
      return {};
    case DType::kF16:
      for (size_t i = 0; i < count; ++i) dst[i] = HalfToFloat(LoadLe<uint16_t>(tensor.data + 2 * i));
      return {};
    case DType::kI8:
    case DType::kU8:
      for (size_t r = 0; r < rows; ++r) {
        const float scale = tensor.scales[r];
        const int32_t zero = tensor.zero_points[r];
        const std::byte* row = tensor.data + r * cols;
        for (size_t c = 0; c < cols; ++c) {
          const int32_t q = tensor.dtype == DType::kI8 ? static_cast<int8_t>(row[c]) : static_cast<uint8_t>(row[c]);
          dst[r * cols + c] = static_cast<float>(q - zero) * scale;
        }
      }
      return {};
  }
  return Error(ErrorCode::kInternal, "tensor: " + tensor.name + ": unknown type");
}

}  // namespace koe::bundle
