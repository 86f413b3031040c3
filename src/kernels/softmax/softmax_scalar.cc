// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/softmax/softmax.h"

namespace koe::kernels::scalar {
namespace {

void SoftmaxRows(float* x, size_t stride, size_t rows, size_t cols, float scale) {
  for (size_t t = 0; t < rows; ++t) {
    float* row = x + t * stride;
    float max = row[0];
    for (size_t i = 1; i < cols; ++i) max = row[i] > max ? row[i] : max;
    double sum = 0;
    for (size_t i = 0; i < cols; ++i) {
      row[i] = std::exp(scale * (row[i] - max));
      sum += row[i];
    }
    for (size_t i = 0; i < cols; ++i) row[i] = static_cast<float>(row[i] / sum);
  }
}

}  // namespace

constinit const SoftmaxOps kSoftmaxOps{SoftmaxRows};

}  // namespace koe::kernels::scalar
