// SPDX-License-Identifier: Apache-2.0
// The blocks of nn/ as PyTorch defines them, in double, by plain loops; beside each value a bound of what a float32
// computation may be off, derived from the roundings that it makes (to first order in eps).
#ifndef KOE_TESTS_SUPPORT_REFERENCE_H_
#define KOE_TESTS_SUPPORT_REFERENCE_H_

#include <cstddef>
#include <span>
#include <vector>

#include "nn/channel_stats.h"
#include "nn/conv1d.h"
#include "nn/lstm.h"

namespace koe::test_support {

// [rows][cols]
struct Reference {
  Reference() = default;
  Reference(size_t num_rows, size_t num_cols)
      : rows(num_rows), cols(num_cols), value(num_rows * num_cols), error(num_rows * num_cols) {}
  explicit Reference(ConstMatrix exact);
  size_t At(size_t row, size_t col) const { return row * cols + col; }

  size_t rows = 0, cols = 0;
  std::vector<double> value, error;
};

Reference Activated(const Reference& x, const nn::ConvPrologue& prologue);

// torch.nn.Conv1d; weight [out][in][taps], bias [out] or empty. Whatever the order of the sum, every product takes part
// in at most taps * in additions and one multiplication.
Reference Convolved(const Reference& x, std::span<const float> weight, std::span<const float> bias,
                    const nn::ConvShape& shape);
// (x + residual) * scale
Reference AddedScaled(const Reference& x, const Reference& residual, float scale);

// torch.nn.ConvTranspose1d; weight [in][out / groups][taps], output rows (rows - 1) * stride - 2 padding + taps +
// output_padding. groups is 1 or in (then out == in).
struct TransposeShape {
  size_t in = 0, out = 0, taps = 1, stride = 1, padding = 0, output_padding = 0, groups = 1;
};
Reference TransposeConvolved(const Reference& x, std::span<const float> weight, std::span<const float> bias,
                             const TransposeShape& shape);

// Bidirectional; weights as PyTorch stores them.
Reference LstmRun(const Reference& x, const nn::LstmDirectionWeights& forward, const nn::LstmDirectionWeights& backward,
                  size_t hidden);

// Mean and 1 / sqrt(biased variance + eps) of every column, and bounds of the errors of ChannelStats: float32 sums
// about the first row of every block of kernels::kStatsBlockRows, double across blocks.
struct Moments {
  std::vector<double> mean, rstd, mean_error, rstd_error;
};
Moments MomentsOf(ConstMatrix x, double eps);

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_REFERENCE_H_
