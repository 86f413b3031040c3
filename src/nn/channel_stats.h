// SPDX-License-Identifier: Apache-2.0
// Mean and variance of every channel over time, gathered block by block as rows are produced.
#ifndef KOE_NN_CHANNEL_STATS_H_
#define KOE_NN_CHANNEL_STATS_H_

#include <cstddef>
#include <span>

#include "base/array.h"
#include "nn/exec.h"

namespace koe::nn {

// Blocks of rows at fixed positions, each with its own first row as the pivot, merged in double in block order: the
// result does not depend on threads or on how the rows were cut into tasks. Float32 within a block is good for a few
// hundred rows (kernels/norm/norm.h).
class ChannelStats {
 public:
  ChannelStats() = default;
  // Memory comes from the exec's arena.
  ChannelStats(const Exec& exec, size_t rows, size_t channels, size_t block_rows = kernels::kStatsBlockRows);

  // x is the whole [rows][channels] matrix; computes the blocks that cover [first, last), where first is a multiple of
  // the block size and last too, or the number of rows. Different ranges may run on different threads.
  void Accumulate(const kernels::KernelSet& kernels, ConstMatrix x, size_t first, size_t last) const;
  // mean [channels], reciprocal deviation 1 / sqrt(biased variance + eps) [channels].
  void Finish(float eps, std::span<float> mean, std::span<float> rstd) const;

  size_t rows() const { return rows_; }
  size_t channels() const { return channels_; }
  size_t block_rows() const { return block_rows_; }

 private:
  size_t rows_ = 0, channels_ = 0, block_rows_ = 1;
  std::span<float> blocks_;   // [blocks][3][channels]: pivot, sum, sum of squares
  std::span<double> totals_;  // [2][channels], scratch of Finish
};

// Statistics of a matrix that exists already.
ChannelStats ComputeStats(const Exec& exec, ConstMatrix x, size_t block_rows = kernels::kStatsBlockRows);

}  // namespace koe::nn

#endif  // KOE_NN_CHANNEL_STATS_H_
