// SPDX-License-Identifier: Apache-2.0
// Activations over time-major rows, alone or behind the per-channel affine that an instance norm has become.
#ifndef KOE_KERNELS_ACTIVATION_ACTIVATION_H_
#define KOE_KERNELS_ACTIVATION_ACTIVATION_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

// y = (x - mean[c]) * scale[c] + shift[c]; the subtraction first, since |mean|/std reaches 80 in the model.
struct ChannelAffine {
  const float* mean = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
};

struct ActivationOps {
  // All: src [rows][channels] -> dst [rows][channels], row strides in floats; dst may be src.
  // dst = y + sin^2(alpha[c] y) / alpha[c], y = affine(x). alpha != 0, |alpha y| <= 1e4; inv_alpha = 1/alpha.
  // Error 4e-7/|alpha| + eps (2 |(x - mean) scale| + 2 |y|), whatever the size of alpha y (the product keeps two
  // words).
  void (*snake_affine)(const float* src, size_t src_stride, size_t rows, size_t channels, const ChannelAffine& affine,
                       const float* alpha, const float* inv_alpha, float* dst, size_t dst_stride);
  // dst = y > 0 ? y : slope * y, y = affine(x)
  void (*leaky_relu_affine)(const float* src, size_t src_stride, size_t rows, size_t channels,
                            const ChannelAffine& affine, float slope, float* dst, size_t dst_stride);
  // Contiguous: dst may be src.
  void (*leaky_relu)(const float* src, size_t count, float slope, float* dst);
  // 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))): ALBERT's "gelu_new". Relative error 4 eps for x >= 0. Below,
  // (4 + 2 |t|) eps with t = 2 sqrt(2/pi) (x + 0.044715 x^3): result = x / (1 + exp(-t)), and t itself is rounded by
  // about 1.5 eps |t|. At x = -3 that is 8e-9 absolute; the form 1 + tanh of PyTorch is good to 2e-7.
  void (*gelu)(const float* src, size_t count, float* dst);
};

const ActivationOps* FindActivationOps(Target target);

namespace scalar {
extern const ActivationOps kActivationOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_ACTIVATION_ACTIVATION_H_
