// SPDX-License-Identifier: Apache-2.0
#include "kernels/pointwise_bench.h"

namespace koe::kernels {
namespace {

// In the first-level cache: the functions themselves.
constexpr size_t kCount = 2048;

const bool kRegistered = [] {
  const float* x = BenchNormal(kCount, 0, 3);
  const float* y = BenchNormal(kCount, 0, 3);
  float* dst = BenchNormal(kCount, 0, 0);
  const size_t bytes = kCount * 2 * sizeof(float);
  RegisterPerTarget("exp", kCount, bytes, [=](const KernelSet& k) { k.math.exp(x, kCount, dst); });
  RegisterPerTarget("tanh", kCount, bytes, [=](const KernelSet& k) { k.math.tanh(x, kCount, dst); });
  RegisterPerTarget("sigmoid", kCount, bytes, [=](const KernelSet& k) { k.math.sigmoid(x, kCount, dst); });
  RegisterPerTarget("sin", kCount, bytes, [=](const KernelSet& k) { k.math.sin(x, kCount, dst); });
  RegisterPerTarget("cos", kCount, bytes, [=](const KernelSet& k) { k.math.cos(x, kCount, dst); });
  return RegisterPerTarget("atan2", kCount, bytes * 3 / 2,
                           [=](const KernelSet& k) { k.math.atan2(y, x, kCount, dst); });
}();

}  // namespace
}  // namespace koe::kernels
