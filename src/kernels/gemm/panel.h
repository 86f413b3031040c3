// SPDX-License-Identifier: Apache-2.0
// The one loop nest behind gemm and conv1d: rows of src, read at `taps` offsets, times packed panels. Private to them.
#ifndef KOE_KERNELS_GEMM_PANEL_H_
#define KOE_KERNELS_GEMM_PANEL_H_

#include <cstddef>

#include "kernels/gemm/gemm.h"

namespace koe::kernels {

// dst[r][n] = bias[n] + sum_tap sum_i src[r * row_step + tap * tap_step + i] * packed[n / 32][tap][i][n % 32]
//             (+ residual[r][n]), in the order of gemm.h within each tap whatever the tiling.
struct PanelArgs {
  const float* src = nullptr;
  size_t row_step = 0, tap_step = 0;  // floats
  size_t rows = 0, taps = 1, k = 0, n = 0;
  const float* packed = nullptr;
  const float* bias = nullptr;      // or null
  const float* residual = nullptr;  // or null
  size_t residual_stride = 0;
  float* dst = nullptr;
  size_t dst_stride = 0;
};

inline PanelArgs PanelsOf(const GemmArgs& g) {
  return {.src = g.a,
          .row_step = g.a_stride,
          .rows = g.m,
          .k = g.k,
          .n = g.n,
          .packed = g.b,
          .bias = g.bias,
          .dst = g.c,
          .dst_stride = g.c_stride};
}

namespace scalar {
void MultiplyPanels(const PanelArgs& args);
void Pack(const float* w, size_t taps, size_t k, size_t n, size_t tap_stride, size_t k_stride, size_t n_stride,
          float* packed);
}  // namespace scalar

}  // namespace koe::kernels

#endif  // KOE_KERNELS_GEMM_PANEL_H_
