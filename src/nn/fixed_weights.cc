// SPDX-License-Identifier: Apache-2.0
#include "nn/fixed_weights.h"

#include <algorithm>

namespace koe::nn {
namespace {

using kernels::kPanelWidth;

// Rows of a task that quantises.
constexpr size_t kRowsPerTask = 16;

int32_t OffsetOf(const WeightView& weight) { return weight.type == WeightView::Type::kI8 ? 128 : 0; }

}  // namespace

FixedInput::FixedInput(const Exec& exec, ConstMatrix x)
    : bytes_(exec.arena->Allocate<std::byte>(x.rows * kernels::FixedRowBytes(x.cols))), k_(x.cols) {
  const auto quantise = [&](size_t first, size_t rows) {
    exec.kernels->fixed_gemm->quantise(x.Row(first), x.stride, rows, x.cols,
                                       bytes_.data() + first * kernels::FixedRowBytes(x.cols));
  };
  if (exec.CountsOnly()) return;
  if (x.rows <= kRowsPerTask) {
    quantise(0, x.rows);
    return;
  }
  exec.pool->ParallelFor(CeilDiv(x.rows, kRowsPerTask), [&](size_t i, size_t) {
    quantise(i * kRowsPerTask, std::min(kRowsPerTask, x.rows - i * kRowsPerTask));
  });
}

bool FixedWeights::Suits(const kernels::KernelSet& kernels, const WeightView& weight, size_t k, size_t n) {
  if (kernels.fixed_gemm == nullptr || !weight.is_quantised() || k == 0 || k > kernels::kMaxFixedDepth) return false;
  if (weight.size != k * n || (weight.scales.size() != 1 && weight.scales.size() != n)) return false;
  const int32_t offset = OffsetOf(weight);
  return std::all_of(weight.zero_points.begin(), weight.zero_points.end(),
                     [offset](int32_t zero_point) { return zero_point >= -offset && zero_point <= 255 - offset; });
}

FixedWeights::FixedWeights(const WeightView& weight, size_t k, size_t n)
    : packed_(kernels::FixedPackedBytes(k, n)),
      scales_(RoundUp(n, kPanelWidth)),
      zero_points_(RoundUp(n, kPanelWidth)),
      k_(k),
      n_(n) {
  const int32_t offset = OffsetOf(weight);
  std::fill(packed_.data(), packed_.data() + packed_.size(), uint8_t{0});
  const auto* from = static_cast<const uint8_t*>(weight.data);
  for (size_t output = 0; output < scales_.size(); ++output) {
    const size_t group = weight.scales.size() == 1 ? 0 : output;
    scales_[output] = output < n ? weight.scales[group] : 0.0f;
    zero_points_[output] = output < n ? weight.zero_points[group] + offset : 0;
    if (output >= n) continue;
    uint8_t* to = packed_.data() + output / kPanelWidth * kernels::FixedPanelBytes(k) + output % kPanelWidth * 4;
    // An int8 plus 128, as a byte, is the int8's byte with its highest bit turned.
    for (size_t i = 0; i < k; ++i) {
      to[i / 4 * 4 * kPanelWidth + i % 4] = static_cast<uint8_t>(from[output * k + i] ^ offset);
    }
  }
}

void FixedWeights::Multiply(const kernels::KernelSet& kernels, const std::byte* x, size_t panel, size_t num_panels,
                            const float* bias, Matrix y) const {
  const size_t column = panel * kPanelWidth;
  kernels.fixed_gemm->gemm({.x = x,
                            .w = packed_.data() + panel * kernels::FixedPanelBytes(k_),
                            .scales = scales_.data() + column,
                            .zero_points = zero_points_.data() + column,
                            .bias = bias == nullptr ? nullptr : bias + column,
                            .c = y.data,
                            .c_stride = y.stride,
                            .m = y.rows,
                            .k = k_,
                            .n = std::min(n_ - column, num_panels * kPanelWidth)});
}

}  // namespace koe::nn
