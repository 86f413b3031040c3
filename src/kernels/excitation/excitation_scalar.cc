// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "base/rng.h"
#include "kernels/excitation/excitation.h"

namespace koe::kernels::scalar {
namespace {

void Normal(uint64_t seed, uint32_t stream, uint64_t first, size_t count, float* dst) {
  FillNormal(seed, stream, first, {dst, count});
}

void AddHarmonic(const HarmonicArgs& args) {
  constexpr double kTwoPi = 6.283185307179586;
  for (size_t i = 0; i < args.count; ++i) {
    float value = 0;
    if (args.sine_scale != 0) {
      // The whole cycles go first: the subtraction is exact.
      const double cycles = args.start + static_cast<double>(i) * args.step;
      value = args.sine_scale * static_cast<float>(std::sin(kTwoPi * (cycles - std::nearbyint(cycles))));
    }
    if (args.noise != nullptr) value += args.noise_scale * args.noise[i];
    args.dst[i] += value;
  }
}

}  // namespace

constinit const ExcitationOps kExcitationOps{Normal, AddHarmonic};

}  // namespace koe::kernels::scalar
