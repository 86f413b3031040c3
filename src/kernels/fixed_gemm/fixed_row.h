// SPDX-License-Identifier: Apache-2.0
// What stands behind the digits of a quantised row. Private to the fixed_gemm files.
#ifndef KOE_KERNELS_FIXED_GEMM_FIXED_ROW_H_
#define KOE_KERNELS_FIXED_GEMM_FIXED_ROW_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/fixed_gemm/fixed_gemm.h"

namespace koe::kernels {

struct FixedRowTail {
  float scale;
  int32_t sums[kFixedDigits];  // of each digit; the third's with 256 times the fourth's
  uint32_t num_outliers;       // how many FixedOutliers are behind this
};

// The fourth digits of four inputs, 4 * group and on, not all zero.
struct FixedOutliers {
  uint32_t group;
  int8_t digits[4];
};
static_assert(sizeof(FixedRowTail) <= 64 && sizeof(FixedOutliers) == 8);
inline constexpr size_t kFixedTailBytes = 64;

// Adds the fourth digit of input i; inputs come in ascending order.
inline void AddOutlier(size_t i, int8_t digit, FixedRowTail* tail, std::byte* list) {
  const auto group = static_cast<uint32_t>(i / 4);
  FixedOutliers last{};
  if (tail->num_outliers > 0) std::memcpy(&last, list + (tail->num_outliers - 1) * sizeof(last), sizeof(last));
  if (tail->num_outliers == 0 || last.group != group) {
    last = {group, {}};
    ++tail->num_outliers;
  }
  last.digits[i % 4] = digit;
  tail->sums[2] += 256 * digit;
  std::memcpy(list + (tail->num_outliers - 1) * sizeof(last), &last, sizeof(last));
}

// 128 in every digit but the fourth: a value's digits are the bytes of (value + this) ^ this.
inline constexpr uint32_t kDigitOffsets = 0x808080;
// A row's largest magnitude counts as at least this, so that neither its scale nor the inverse leaves float32.
inline constexpr float kMinFixedMax = 1e-28f;

}  // namespace koe::kernels

#endif  // KOE_KERNELS_FIXED_GEMM_FIXED_ROW_H_
