// SPDX-License-Identifier: Apache-2.0
#include "kernels/pointwise_bench.h"

namespace koe::kernels {
namespace {

// One audio second of one harmonic; "items" are samples.
const bool kRegistered = [] {
  const size_t count = 24000, bytes = count * sizeof(float);
  float* noise = BenchNormal(count, 0, 1);
  float* dst = BenchNormal(count, 0, 0);
  RegisterPerTarget("normal/24000", count, bytes,
                    [=](const KernelSet& k) { k.excitation.normal(1, 2, 0, count, dst); });
  return RegisterPerTarget("add_harmonic/24000", count, 3 * bytes, [=](const KernelSet& k) {
    k.excitation.add_harmonic({.start = 0.1,
                               .step = 0.005,
                               .sine_scale = 0.1f,
                               .noise = noise,
                               .noise_scale = 0.003f,
                               .count = count,
                               .dst = dst});
  });
}();

}  // namespace
}  // namespace koe::kernels
