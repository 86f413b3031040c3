// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/activation/activation.h"

namespace koe::kernels::scalar {
namespace {

// y > 0 ? y : slope * y by bits: g++ 12 makes a branch of the plain form, at unpredictable signs 20 times slower.
float LeakyReluValue(float y, float slope) {
  const uint32_t keep = y > 0 ? ~0u : 0u;
  return std::bit_cast<float>((std::bit_cast<uint32_t>(y) & keep) | (std::bit_cast<uint32_t>(slope * y) & ~keep));
}

float Affine(const ChannelAffine& affine, size_t c, float x) {
  return (x - affine.mean[c]) * affine.scale[c] + affine.shift[c];
}

// The product alpha * y is taken in double: in float32 its rounding alone would cost 2^-24 |alpha y|.
void SnakeAffine(const float* src, size_t src_stride, size_t rows, size_t channels, const ChannelAffine& affine,
                 const float* alpha, const float* inv_alpha, float* dst, size_t dst_stride) {
  for (size_t t = 0; t < rows; ++t) {
    for (size_t c = 0; c < channels; ++c) {
      const float y = Affine(affine, c, src[t * src_stride + c]);
      const double s = std::sin(static_cast<double>(alpha[c]) * y);
      dst[t * dst_stride + c] = static_cast<float>(y + s * s * inv_alpha[c]);
    }
  }
}

void LeakyReluAffine(const float* src, size_t src_stride, size_t rows, size_t channels, const ChannelAffine& affine,
                     float slope, float* dst, size_t dst_stride) {
  for (size_t t = 0; t < rows; ++t) {
    for (size_t c = 0; c < channels; ++c) {
      const float y = Affine(affine, c, src[t * src_stride + c]);
      dst[t * dst_stride + c] = LeakyReluValue(y, slope);
    }
  }
}

void LeakyRelu(const float* src, size_t count, float slope, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = LeakyReluValue(src[i], slope);
}

// 0.5 (1 + tanh(u)) = 1 / (1 + exp(-2u)), without the cancellation of the left side at u < 0.
void Gelu(const float* src, size_t count, float* dst) {
  const double two_sqrt_2_over_pi = 1.5957691216057308;
  for (size_t i = 0; i < count; ++i) {
    const double x = src[i];
    const double t = two_sqrt_2_over_pi * x * (1 + 0.044715 * x * x);
    // exp(-t) overflows to infinity below t = -709, where the quotient is 0 as it should be, except for x = -inf.
    dst[i] = static_cast<float>(t < -709 ? x * 0 : x / (1 + std::exp(-t)));
  }
}

}  // namespace

constinit const ActivationOps kActivationOps{SnakeAffine, LeakyReluAffine, LeakyRelu, Gelu};

}  // namespace koe::kernels::scalar
