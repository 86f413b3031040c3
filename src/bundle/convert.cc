// SPDX-License-Identifier: Apache-2.0
#include "bundle/convert.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "bundle/half.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

bool IsInteger(DType dtype) { return dtype == DType::kI8 || dtype == DType::kU8; }

Result<std::vector<float>> Values(const TensorSpec& spec, const ImportedTensor& tensor) {
  const StoredTensor stored{spec.name,           tensor.dtype,  spec.shape,
                            tensor.bytes.data(), tensor.scales, tensor.zero_points};
  std::vector<float> values(stored.num_elements());
  KOE_CHECK_OK(Dequantise(stored, values));
  return values;
}

template <typename T>
void Own(DType dtype, const std::vector<T>& values, ImportedTensor* tensor) {
  tensor->dtype = dtype;
  tensor->owned.resize(values.size() * sizeof(T));
  std::memcpy(tensor->owned.data(), values.data(), tensor->owned.size());
  tensor->bytes = tensor->owned;
}

Result<void> ToHalf(const TensorSpec& spec, ImportedTensor* tensor) {
  KOE_TRY(const std::vector<float> values, Values(spec, *tensor));
  std::vector<uint16_t> halves(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    halves[i] = FloatToHalf(values[i]);
    if (!std::isfinite(HalfToFloat(halves[i]))) {
      return Error(ErrorCode::kUnsupported,
                   "tensor: " + spec.name + ": value " + std::to_string(i) + " is too large for fp16");
    }
  }
  tensor->scales.clear();
  tensor->zero_points.clear();
  Own(DType::kF16, halves, tensor);
  return {};
}

Result<void> ToInt8(const TensorSpec& spec, ImportedTensor* tensor) {
  KOE_TRY(const std::vector<float> values, Values(spec, *tensor));
  const size_t rows = spec.shape[0], cols = rows == 0 ? 0 : values.size() / rows;
  std::vector<int8_t> quantised(values.size());
  tensor->scales.assign(rows, 1.0f);
  tensor->zero_points.assign(rows, 0);
  for (size_t r = 0; r < rows; ++r) {
    const float* row = values.data() + r * cols;
    float largest = 0;
    for (size_t c = 0; c < cols; ++c) largest = std::max(largest, std::abs(row[c]));
    const float scale = largest / kInt8Levels;
    if (!(scale >= FLT_MIN)) continue;  // all zeros, or so small that a quotient would not be a number worth storing
    if (scale > FLT_MAX / 256) {        // what CheckValues takes: (q - zero point) x scale stays finite
      return Error(ErrorCode::kUnsupported,
                   "tensor: " + spec.name + ": row " + std::to_string(r) + " is too large for int8");
    }
    tensor->scales[r] = scale;
    for (size_t c = 0; c < cols; ++c) {
      const float level = std::nearbyint(row[c] / scale);
      quantised[r * cols + c] = static_cast<int8_t>(std::clamp(level, -1.0f * kInt8Levels, 1.0f * kInt8Levels));
    }
  }
  Own(DType::kI8, quantised, tensor);
  return {};
}

Result<void> ToFloat(const TensorSpec& spec, ImportedTensor* tensor) {
  if (tensor->dtype == DType::kF32) return {};
  KOE_TRY(const std::vector<float> values, Values(spec, *tensor));
  tensor->scales.clear();
  tensor->zero_points.clear();
  Own(DType::kF32, values, tensor);
  return {};
}

}  // namespace

Result<void> ConvertTensors(const std::string& precision, const std::vector<TensorSpec>& table,
                            std::vector<ImportedTensor>* tensors) {
  if (precision.empty()) return {};
  if (precision != "int8" && precision != "fp16" && precision != "fp32") {
    return Error(ErrorCode::kInvalidArgument, "precision: " + Quoted(precision) + ": not int8, fp16 or fp32");
  }
  if (table.size() != tensors->size()) return Error(ErrorCode::kInternal, "weights: not one tensor a table row");
  for (size_t i = 0; i < table.size(); ++i) {
    ImportedTensor& tensor = (*tensors)[i];
    const bool is_matrix =
        std::count_if(table[i].shape.begin(), table[i].shape.end(), [](size_t d) { return d > 1; }) >= 2;
    if (precision == "fp32" || (precision == "fp16" && !is_matrix)) {
      KOE_CHECK_OK(ToFloat(table[i], &tensor));
    } else if (precision == "fp16" && tensor.dtype != DType::kF16) {
      KOE_CHECK_OK(ToHalf(table[i], &tensor));
    } else if (precision == "int8" && is_matrix && !IsInteger(tensor.dtype)) {
      KOE_CHECK_OK(ToInt8(table[i], &tensor));
    }
  }
  return {};
}

}  // namespace koe::bundle
