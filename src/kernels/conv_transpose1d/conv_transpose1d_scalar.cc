// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_transpose1d/conv_transpose1d.h"

namespace koe::kernels::scalar {
namespace {

void DepthwiseX2(const float* src, size_t src_stride, size_t rows, size_t channels, const float* w, const float* bias,
                 size_t first, size_t count, float* dst, size_t dst_stride) {
  const float* w1 = w + channels;
  const float* w2 = w + 2 * channels;
  for (size_t t = first; t < first + count; ++t) {
    const float* x = src + t * src_stride;
    float* even = dst + 2 * t * dst_stride;
    float* odd = even + dst_stride;
    for (size_t c = 0; c < channels; ++c) even[c] = bias[c] + w1[c] * x[c];
    if (t + 1 < rows) {
      const float* next = x + src_stride;
      for (size_t c = 0; c < channels; ++c) odd[c] = (bias[c] + w2[c] * x[c]) + w[c] * next[c];
    } else {
      for (size_t c = 0; c < channels; ++c) odd[c] = bias[c] + w2[c] * x[c];
    }
  }
}

}  // namespace

const ConvTranspose1dOps kConvTranspose1dOps{DepthwiseX2};

}  // namespace koe::kernels::scalar
