// SPDX-License-Identifier: Apache-2.0
// The reference: plain operators on four-float values (a GNU extension that every target has), multiply, then add. It
// is also what a CPU without a vector target runs, and compilers do not vectorise the same loops over plain arrays.
#include <algorithm>
#include <cstring>

#include "kernels/gemm/panel.h"

namespace koe::kernels::scalar {
namespace {

using Float4 [[gnu::vector_size(16)]] = float;

// 2 rows x 16 lanes: eight sums, half of the smallest register file (SSE2).
constexpr size_t kTileRows = 2;
constexpr size_t kTileLanes = 16;
constexpr size_t kQuads = kTileLanes / 4;

// Lanes [column, column + 16) of one panel, of which the first `count` exist in dst.
template <size_t kRows>
void Tile(const PanelArgs& args, size_t row, const float* panel, size_t column, size_t count) {
  float total[kRows][kTileLanes] = {};
  for (size_t r = 0; r < kRows && args.bias != nullptr; ++r) std::copy_n(args.bias + column, count, total[r]);
  const float* w = panel;
  for (size_t tap = 0; tap < args.taps; ++tap) {
    const float* x = args.src + row * args.row_step + tap * args.tap_step;
    for (size_t first = 0; first < args.k; first += kSumBlock) {
      const size_t last = std::min(first + kSumBlock, args.k);
      Float4 sum[kRows][kQuads] = {};
      for (size_t i = first; i < last; ++i, w += kPanelWidth) {
        Float4 weights[kQuads];
        std::memcpy(weights, w, sizeof(weights));
        for (size_t r = 0; r < kRows; ++r) {
          const float value = x[r * args.row_step + i];
          for (size_t q = 0; q < kQuads; ++q) sum[r][q] += value * weights[q];
        }
      }
      for (size_t r = 0; r < kRows; ++r) {
        for (size_t lane = 0; lane < kTileLanes; ++lane) total[r][lane] += sum[r][lane / 4][lane % 4];
      }
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    if (args.residual != nullptr) {
      const float* residual = args.residual + (row + r) * args.residual_stride + column;
      for (size_t lane = 0; lane < count; ++lane) total[r][lane] += residual[lane];
    }
    std::copy_n(total[r], count, args.dst + (row + r) * args.dst_stride + column);
  }
}

void Gemm(const GemmArgs& args) { MultiplyPanels(PanelsOf(args)); }

void Gemv(const float* x, const float* b, const float* bias, float* y, size_t k, size_t n) {
  MultiplyPanels({.src = x, .rows = 1, .k = k, .n = n, .packed = b, .bias = bias, .dst = y});
}

}  // namespace

void MultiplyPanels(const PanelArgs& args) {
  for (size_t column = 0; column < args.n; column += kTileLanes) {
    const size_t first = column / kPanelWidth * kPanelWidth;
    const float* panel = args.packed + first * args.taps * args.k + (column - first);
    const size_t count = std::min(kTileLanes, args.n - column);
    size_t row = 0;
    for (; row + kTileRows <= args.rows; row += kTileRows) Tile<kTileRows>(args, row, panel, column, count);
    if (row < args.rows) Tile<1>(args, row, panel, column, count);
  }
}

void Pack(const float* w, size_t taps, size_t k, size_t n, size_t tap_stride, size_t k_stride, size_t n_stride,
          float* packed) {
  for (size_t first = 0; first < n; first += kPanelWidth) {
    const size_t count = std::min(kPanelWidth, n - first);
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t i = 0; i < k; ++i, packed += kPanelWidth) {
        const float* from = w + tap * tap_stride + i * k_stride + first * n_stride;
        for (size_t lane = 0; lane < count; ++lane) packed[lane] = from[lane * n_stride];
        std::fill(packed + count, packed + kPanelWidth, 0.0f);
      }
    }
  }
}

const GemmOps kGemmOps{Pack, Gemm, Gemv};

}  // namespace koe::kernels::scalar
