// SPDX-License-Identifier: Apache-2.0
// Layer norm over channels, plain or adaptive (Kokoro modules.py LayerNorm, AdaLayerNorm; ALBERT).
#ifndef KOE_NN_LAYER_NORM_H_
#define KOE_NN_LAYER_NORM_H_

#include <algorithm>
#include <span>

#include "nn/exec.h"

namespace koe::nn {

// dst = norm(src + residual) * gamma + beta per row; residual may be empty; dst may be src.
inline void LayerNorm(const Exec& exec, ConstMatrix src, ConstMatrix residual, std::span<const float> gamma,
                      std::span<const float> beta, float eps, Matrix dst) {
  constexpr size_t kRowsPerTask = 32;
  exec.pool->ParallelFor(CeilDiv(src.rows, kRowsPerTask), [&](size_t i, size_t) {
    const size_t first = i * kRowsPerTask;
    const bool has_residual = !residual.empty();
    exec.kernels->norm.layer_norm(src.Row(first), src.stride, has_residual ? residual.Row(first) : nullptr,
                                  residual.stride, std::min(kRowsPerTask, src.rows - first), src.cols, gamma.data(),
                                  beta.data(), eps, dst.Row(first), dst.stride);
  });
}

}  // namespace koe::nn

#endif  // KOE_NN_LAYER_NORM_H_
