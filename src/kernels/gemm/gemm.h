// SPDX-License-Identifier: Apache-2.0
// Packed panels and the products over them: y = x W (+ bias). Linear layers, attention, polyphase upsampling.
#ifndef KOE_KERNELS_GEMM_GEMM_H_
#define KOE_KERNELS_GEMM_GEMM_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

// Output channels per panel, the same for every target so that packed weights do not depend on it:
// two AVX-512 vectors, which with 12 rows fill the register file (design.md 4.1: 108 GFLOP/s a core).
inline constexpr size_t kPanelWidth = 32;

// Products per partial sum. One chain over the taps * c_in products of a wide convolution (3270 in the decoder) loses
// 10 dB against sums of sums as PyTorch's libraries make them.
inline constexpr size_t kSumBlock = 128;

// Floats of a packed [taps][k][n] matrix: n rounded up to kPanelWidth.
inline constexpr size_t PackedSize(size_t taps, size_t k, size_t n) {
  return (n + kPanelWidth - 1) / kPanelWidth * kPanelWidth * k * taps;
}

struct GemmArgs {
  const float* a = nullptr;  // [m][k], row stride a_stride
  size_t a_stride = 0;
  const float* b = nullptr;     // packed: [ceil(n/32)][k][32], 64-byte aligned
  const float* bias = nullptr;  // [n] or null
  float* c = nullptr;           // [m][n], row stride c_stride; must not overlap a
  size_t c_stride = 0;
  size_t m = 0, k = 0, n = 0;
};

struct GemmOps {
  // packed[panel][tap][i][lane] = w[tap * tap_stride + i * k_stride + (panel*32+lane) * n_stride], 0 past n.
  void (*pack)(const float* w, size_t taps, size_t k, size_t n, size_t tap_stride, size_t k_stride, size_t n_stride,
               float* packed);
  // c[m][n] = bias[n] + sum_k a[m][k] b[k][n]. Order: total = bias; for every kSumBlock consecutive k (the last fewer):
  // sum = 0, one float32 FMA for each k ascending, total += sum. So an output depends only on its own row and column,
  // not on m or on the rows computed with it. (The scalar target multiplies, rounds and adds instead of the FMA: the
  // baseline may lack one.) Error against exact arithmetic, with eps = 2^-24 and nothing out of the normal range: at
  // most (min(k, kSumBlock) + blocks + 2) eps (|bias| + sum |a||b|), blocks = ceil(k / kSumBlock).
  // Why: a product is rounded at most min(k, kSumBlock) times within its block (its own rounding stands for the first
  // addition, to 0, which is exact), blocks times in the total, and once with a convolution's residual (conv1d.h); n
  // roundings multiply it by (1 + eps)^n at most, which is below 1 + (n + 1) eps up to n = 4095.
  void (*gemm)(const GemmArgs& args);
  // The same for m = 1, with the same order of operations; b is streamed once.
  void (*gemv)(const float* x, const float* b, const float* bias, float* y, size_t k, size_t n);
};

const GemmOps* FindGemmOps(Target target);

namespace scalar {
extern const GemmOps kGemmOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_GEMM_GEMM_H_
