// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/norm/norm.h"

namespace koe::kernels::scalar {
namespace {

void BlockStats(const float* x, size_t stride, size_t rows, size_t channels, const float* pivot, float* sum,
                float* sum_sq) {
  for (size_t c = 0; c < channels; ++c) sum[c] = sum_sq[c] = 0;
  for (size_t t = 0; t < rows; ++t) {
    const float* row = x + t * stride;
    for (size_t c = 0; c < channels; ++c) {
      const float centred = row[c] - pivot[c];
      sum[c] += centred;
      sum_sq[c] += centred * centred;
    }
  }
}

void LayerNorm(const float* src, size_t src_stride, const float* residual, size_t residual_stride, size_t rows,
               size_t channels, const float* gamma, const float* beta, float eps, float* dst, size_t dst_stride) {
  for (size_t t = 0; t < rows; ++t) {
    const float* s = src + t * src_stride;
    const float* r = residual == nullptr ? nullptr : residual + t * residual_stride;
    float* d = dst + t * dst_stride;
    double sum = 0;
    for (size_t c = 0; c < channels; ++c) {
      d[c] = r == nullptr ? s[c] : s[c] + r[c];
      sum += d[c];
    }
    const double mean = sum / static_cast<double>(channels);
    double sum_sq = 0;
    for (size_t c = 0; c < channels; ++c) sum_sq += (d[c] - mean) * (d[c] - mean);
    const double inv_std = 1 / std::sqrt(sum_sq / static_cast<double>(channels) + eps);
    for (size_t c = 0; c < channels; ++c) {
      d[c] = static_cast<float>((d[c] - mean) * inv_std * gamma[c] + beta[c]);
    }
  }
}

}  // namespace

constinit const NormOps kNormOps{BlockStats, LayerNorm};

}  // namespace koe::kernels::scalar
