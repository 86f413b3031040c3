// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/math/math.h"

namespace koe::kernels::scalar {
namespace {

void Exp(const float* src, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = std::exp(src[i]);
}

void Tanh(const float* src, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = std::tanh(src[i]);
}

void Sigmoid(const float* src, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = 1 / (1 + std::exp(-src[i]));
}

void Sin(const float* src, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = std::sin(src[i]);
}

void Cos(const float* src, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = std::cos(src[i]);
}

void Atan2(const float* y, const float* x, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = std::atan2(y[i], x[i]);
}

}  // namespace

constinit const MathOps kMathOps{Exp, Tanh, Sigmoid, Sin, Cos, Atan2};

}  // namespace koe::kernels::scalar
