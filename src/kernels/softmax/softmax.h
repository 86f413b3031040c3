// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_KERNELS_SOFTMAX_SOFTMAX_H_
#define KOE_KERNELS_SOFTMAX_SOFTMAX_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

struct SoftmaxOps {
  // Per row: x = exp(scale * x - max) / sum, in place; [rows][cols], row stride in floats, scale > 0, cols >= 1.
  // Relative error (6 + |scale * (x - max)|) eps plus that of the sum, cols/8 eps.
  void (*softmax_rows)(float* x, size_t stride, size_t rows, size_t cols, float scale);
};

const SoftmaxOps* FindSoftmaxOps(Target target);

namespace scalar {
extern const SoftmaxOps kSoftmaxOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_SOFTMAX_SOFTMAX_H_
