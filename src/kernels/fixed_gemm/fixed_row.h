// SPDX-License-Identifier: Apache-2.0
// What stands behind the digits of a quantised row. Private to the fixed_gemm files.
#ifndef KOE_KERNELS_FIXED_GEMM_FIXED_ROW_H_
#define KOE_KERNELS_FIXED_GEMM_FIXED_ROW_H_

#include <cstdint>

#include "kernels/fixed_gemm/fixed_gemm.h"

namespace koe::kernels {

struct FixedRowTail {
  float scale;
  int32_t sums[kFixedDigits];  // of each digit
};

// 128 in every digit.
inline constexpr uint32_t kDigitOffsets = 0x808080;
// A row's largest magnitude counts as at least this, so that neither its scale nor the inverse leaves float32.
inline constexpr float kMinFixedMax = 1e-30f;

}  // namespace koe::kernels

#endif  // KOE_KERNELS_FIXED_GEMM_FIXED_ROW_H_
