// SPDX-License-Identifier: Apache-2.0
// Statistics per channel over time (instance norm) and layer norm over channels.
#ifndef KOE_KERNELS_NORM_NORM_H_
#define KOE_KERNELS_NORM_NORM_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

// Rows per block of statistics. Blocks are fixed positions in time, so sums do not depend on the number of threads;
// within a block float32 around a pivot, across blocks double: relative variance error 2e-7 at |mean|/std = 80
// (kernels.md advice 6).
inline constexpr size_t kStatsBlockRows = 96;

struct NormOps {
  // sum[c] = sum_t (x[t][c] - pivot[c]), sum_sq[c] = sum_t (x[t][c] - pivot[c])^2. For about kStatsBlockRows rows: the
  // float32 sums lose with more.
  void (*block_stats)(const float* x, size_t stride, size_t rows, size_t channels, const float* pivot, float* sum,
                      float* sum_sq);
  // dst[t][c] = (x - mean) / sqrt(var + eps) * gamma[c] + beta[c], mean and biased variance of row t over channels.
  // If residual is not null, x = src + residual first. dst may be src. Two passes; double accumulation in the scalar
  // form, float32 lanes then a tree in the vector form: error about (8 + channels/16) eps |x| max |gamma| / std.
  void (*layer_norm)(const float* src, size_t src_stride, const float* residual, size_t residual_stride, size_t rows,
                     size_t channels, const float* gamma, const float* beta, float eps, float* dst, size_t dst_stride);
};

const NormOps* FindNormOps(Target target);

namespace scalar {
extern const NormOps kNormOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_NORM_NORM_H_
