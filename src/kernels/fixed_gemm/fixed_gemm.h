// SPDX-License-Identifier: Apache-2.0
// Products with weights that are stored as 8-bit integers, at the precision of float32 and with fewer instructions: a
// row of inputs becomes integers of 24 bits, whose three digits are multiplied with the weights and summed exactly in
// int32. The few inputs that stand far above the rest of their row (ALBERT has one of 768 that is 20 times their root
// mean square) have a fourth digit, so that they do not coarsen the others. On a CPU whose 8-bit dot product does four
// times the products of an FMA, that is 4/3 of its speed, from a quarter of the memory.
#ifndef KOE_KERNELS_FIXED_GEMM_FIXED_GEMM_H_
#define KOE_KERNELS_FIXED_GEMM_FIXED_GEMM_H_

#include <cstddef>
#include <cstdint>

#include "kernels/gemm/gemm.h"
#include "kernels/target.h"

namespace koe::kernels {

// An input is the whole number d0 + 256 d1 + 65536 d2 times its row's scale, each digit in [-128, 127]. The largest is
// below 127 * 65793 by enough that no rounding passes it. An outlier is larger and has 2^24 d3 besides.
inline constexpr size_t kFixedDigits = 3;
inline constexpr float kFixedMax = 8355000.0f;
// Outliers of a row: each costs one of the k / 4 steps through the weights a third more.
inline constexpr size_t MaxFixedOutliers(size_t k) { return k / 64; }
// The largest outlier is at most 2^5 kFixedMax < 2^28: its fourth digit at most 2^4.
inline constexpr int kMaxFixedShift = 5;
// Sums of |digit| <= 128 times |weight - zero point| <= 255 stay within int32, the third digits' with 256 times the
// fourth digits' of k / 64 outliers, too: 255 k (128 + 256 2^4 / 64) < 2^31.
inline constexpr size_t kMaxFixedDepth = 32768;

// A row of quantised inputs, opaque: the digits of all k (the lowest first, each padded with zeros), the row's scale,
// the sums of each digit, and the fourth digits where there are any (8 bytes for each outlier, zeros behind them).
inline constexpr size_t FixedDigitBytes(size_t k) { return (k + 63) / 64 * 64; }
inline constexpr size_t FixedListBytes(size_t k) { return (8 * MaxFixedOutliers(k) + 63) / 64 * 64; }
inline constexpr size_t FixedRowBytes(size_t k) { return kFixedDigits * FixedDigitBytes(k) + 64 + FixedListBytes(k); }

// Weights: [ceil(n / 32)][ceil(k / 4)][32][4], zeros beyond n and k.
inline constexpr size_t FixedPanelBytes(size_t k) { return (k + 3) / 4 * 4 * kPanelWidth; }
inline constexpr size_t FixedPackedBytes(size_t k, size_t n) {
  return (n + kPanelWidth - 1) / kPanelWidth * FixedPanelBytes(k);
}

struct FixedGemmArgs {
  const std::byte* x = nullptr;  // m rows of FixedRowBytes(k), 64-byte aligned
  const uint8_t* w = nullptr;    // packed, 64-byte aligned; a weight is (w - zero_point) * scale
  // [n] rounded up to kPanelWidth, 64-byte aligned; zero points in [0, 255]
  const float* scales = nullptr;
  const int32_t* zero_points = nullptr;
  const float* bias = nullptr;  // [n] or null
  float* c = nullptr;           // [m][n], row stride c_stride
  size_t c_stride = 0;
  size_t m = 0, k = 0, n = 0;  // k <= kMaxFixedDepth
};

struct FixedGemmOps {
  // Rows x [rows][k] to out. Scale = max|x| 2^-s / kFixedMax with the largest s <= kMaxFixedShift that at most
  // MaxFixedOutliers(k) values pass max|x| 2^-s; integers rounded to even. With eps = 2^-24, a value is off by at most
  // scale / 2 (its rounding) + 3 eps |x| (of scale, 1 / scale and the product). A row with an infinity or NaN gives NaN
  // in every product.
  void (*quantise)(const float* x, size_t stride, size_t rows, size_t k, std::byte* out);
  // c[m][n] = bias[n] + scale_m scale_n (256 (256 S2 + S1) + S0), S the exact sums of each digit times weights, S2 with
  // 256 times that of the fourth digits, each operation in float32, fused. So the bits depend on nothing but the row
  // and the column. Error: that of the inputs, sum |w| (scale_m / 2 + 3 eps |x|), and at most 6 eps (|bias| +
  // |scale_m scale_n| (65536 |S2| + 256 |S1| + |S0|)): of an S, of the two steps, of the scales and of the last step.
  void (*gemm)(const FixedGemmArgs& args);
};

// Null where the target, or this CPU, has no such dot product: weights are then used as float32.
const FixedGemmOps* FindFixedGemmOps(Target target);

namespace scalar {
// The reference; not chosen by FindFixedGemmOps, since it is no faster than float32.
extern const FixedGemmOps kFixedGemmOps;
}  // namespace scalar

}  // namespace koe::kernels

#endif  // KOE_KERNELS_FIXED_GEMM_FIXED_GEMM_H_
