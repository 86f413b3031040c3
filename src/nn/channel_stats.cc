// SPDX-License-Identifier: Apache-2.0
#include "nn/channel_stats.h"

#include <algorithm>
#include <cmath>

namespace koe::nn {
ChannelStats::ChannelStats(const Exec& exec, size_t rows, size_t channels, size_t block_rows)
    : rows_(rows),
      channels_(channels),
      block_rows_(block_rows),
      blocks_(exec.arena->Allocate<float>(CeilDiv(rows, block_rows) * 3 * channels)),
      totals_(exec.arena->Allocate<double>(2 * channels)) {}

void ChannelStats::Accumulate(const kernels::KernelSet& kernels, ConstMatrix x, size_t first, size_t last) const {
  for (size_t row = first; row < last; row += block_rows_) {
    float* pivot = blocks_.data() + row / block_rows_ * 3 * channels_;
    std::copy_n(x.Row(row), channels_, pivot);
    kernels.norm.block_stats(x.Row(row), x.stride, std::min(block_rows_, rows_ - row), channels_, pivot,
                             pivot + channels_, pivot + 2 * channels_);
  }
}

void ChannelStats::Finish(float eps, std::span<float> mean, std::span<float> rstd) const {
  // With d = pivot_b - pivot_0, the sums about pivot_0 are sum_b + n d and sum_sq_b + 2 d sum_b + n d^2.
  double* sum = totals_.data();
  double* sum_sq = sum + channels_;
  std::fill(totals_.begin(), totals_.end(), 0.0);
  const float* pivot0 = blocks_.data();
  for (size_t row = 0; row < rows_; row += block_rows_) {
    const float* pivot = blocks_.data() + row / block_rows_ * 3 * channels_;
    const double n = static_cast<double>(std::min(block_rows_, rows_ - row));
    for (size_t c = 0; c < channels_; ++c) {
      const double d = static_cast<double>(pivot[c]) - static_cast<double>(pivot0[c]);
      const double s = pivot[channels_ + c];
      sum[c] += s + n * d;
      sum_sq[c] += static_cast<double>(pivot[2 * channels_ + c]) + d * (2 * s + n * d);
    }
  }
  const double n = static_cast<double>(rows_);
  for (size_t c = 0; c < channels_; ++c) {
    const double shifted_mean = sum[c] / n;
    const double variance = std::max(0.0, sum_sq[c] / n - shifted_mean * shifted_mean);
    mean[c] = static_cast<float>(static_cast<double>(pivot0[c]) + shifted_mean);
    rstd[c] = static_cast<float>(1.0 / std::sqrt(variance + static_cast<double>(eps)));
  }
}

ChannelStats ComputeStats(const Exec& exec, ConstMatrix x, size_t block_rows) {
  ChannelStats stats(exec, x.rows, x.cols, block_rows);
  const size_t task_rows = 4 * block_rows;
  exec.pool->ParallelFor(CeilDiv(x.rows, task_rows), [&](size_t i, size_t) {
    stats.Accumulate(*exec.kernels, x, i * task_rows, std::min(x.rows, (i + 1) * task_rows));
  });
  return stats;
}

}  // namespace koe::nn
