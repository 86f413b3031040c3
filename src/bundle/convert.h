// SPDX-License-Identifier: Apache-2.0
// Tensors in another type: what `koe bundle build --precision` stores.
#ifndef KOE_BUNDLE_CONVERT_H_
#define KOE_BUNDLE_CONVERT_H_

#include <string>
#include <vector>

#include "bundle/tensor_data.h"
#include "koe/result.h"

namespace koe::bundle {

// The largest numbers of a tensor's first dimension's row become +-127.
inline constexpr int kInt8Levels = 127;

// `tensors` is parallel to `table`; its integer tensors come out with one scale and zero point or one for each row.
//   "": as they are
//   fp32: every value widened; exact
//   fp16: matrices, tensors with two or more dimensions above 1, rounded to the nearest half (relative error 2^-11
//   above 6.1e-5, else at
//     most 3e-8 off); the others, 0.15 % of the numbers, stay or become F32
//   int8: matrices that are not integers already: one scale a row, max|row| / 127, nearest
//     integer, zero point 0 (off by at most half a scale); the others as they are
// kInvalidArgument: another precision; kUnsupported: a value beyond what a half holds, or a row
// whose scale is above FLT_MAX / 256.
Result<void> ConvertTensors(const std::string& precision, const std::vector<TensorSpec>& table,
                            std::vector<ImportedTensor>* tensors);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_CONVERT_H_
