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

// A whole panel whose lanes are rows of w, [k][taps] each without gaps (torch.nn.Linear, torch.nn.Conv1d): squares of
// four by four are turned in registers.
void PackTurned(const float* w, size_t taps, size_t k, size_t n_stride, float* packed) {
  const auto row_of = [&](size_t j) { return packed + (j % taps * k + j / taps) * kPanelWidth; };
  const size_t length = taps * k;
  size_t j = 0;
  for (; j + 4 <= length; j += 4) {
    float* const rows[4] = {row_of(j), row_of(j + 1), row_of(j + 2), row_of(j + 3)};
    for (size_t lane = 0; lane < kPanelWidth; lane += 4) {
      Float4 a, b, c, d;
      const float* from = w + lane * n_stride + j;
      std::memcpy(&a, from, sizeof(a));
      std::memcpy(&b, from + n_stride, sizeof(b));
      std::memcpy(&c, from + 2 * n_stride, sizeof(c));
      std::memcpy(&d, from + 3 * n_stride, sizeof(d));
      const Float4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                   ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Float4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                   cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      const Float4 turned[4] = {
          __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
          __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
      for (size_t r = 0; r < 4; ++r) std::memcpy(rows[r] + lane, &turned[r], sizeof(Float4));
    }
  }
  for (; j < length; ++j) {
    for (size_t lane = 0; lane < kPanelWidth; ++lane) row_of(j)[lane] = w[lane * n_stride + j];
  }
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
  const bool is_turned = k_stride == taps && (taps == 1 || tap_stride == 1);
  for (size_t first = 0; first < n; first += kPanelWidth, packed += taps * k * kPanelWidth) {
    const size_t count = std::min(kPanelWidth, n - first);
    const float* panel = w + first * n_stride;
    if (is_turned && count == kPanelWidth) {
      PackTurned(panel, taps, k, n_stride, packed);
      continue;
    }
    float* row = packed;
    for (size_t tap = 0; tap < taps; ++tap) {
      for (size_t i = 0; i < k; ++i, row += kPanelWidth) {
        const float* from = panel + tap * tap_stride + i * k_stride;
        if (n_stride == 1) {
          std::copy_n(from, count, row);
        } else {
          for (size_t lane = 0; lane < count; ++lane) row[lane] = from[lane * n_stride];
        }
        std::fill(row + count, row + kPanelWidth, 0.0f);
      }
    }
  }
}

const GemmOps kGemmOps{Pack, Gemm, Gemv};

}  // namespace koe::kernels::scalar
