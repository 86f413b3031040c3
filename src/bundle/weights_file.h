// SPDX-License-Identifier: Apache-2.0
// weights.safetensors of a bundle. docs/bundle_format.md describes the layout.
#ifndef KOE_BUNDLE_WEIGHTS_FILE_H_
#define KOE_BUNDLE_WEIGHTS_FILE_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/byte_reader.h"
#include "bundle/tensor_data.h"
#include "bundle/weights.h"
#include "koe/result.h"

namespace koe::bundle {

inline constexpr size_t kTensorAlignment = 64;
inline constexpr std::string_view kScaleSuffix = ".scale";
inline constexpr std::string_view kZeroPointSuffix = ".zero_point";
inline constexpr std::string_view kPaddingPrefix = "padding.";

// Calls sink with consecutive parts of the file; equal tensors give equal bytes. `tensors` is parallel to `table`.
Result<void> WriteWeightsFile(const std::vector<TensorSpec>& table, const std::vector<ImportedTensor>& tensors,
                              const std::function<Result<void>(Bytes)>& sink);

// The same comparison that Weights::Open makes, on bytes whose first is 64-byte aligned. The spans of the result point
// into `file`.
Result<std::vector<StoredTensor>> ReadWeightsFile(Bytes file, const std::vector<TensorSpec>& table);

// int8, fp16 or fp32: the smallest type among the tensors.
const char* TensorPrecision(const std::vector<DType>& types);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_WEIGHTS_FILE_H_
