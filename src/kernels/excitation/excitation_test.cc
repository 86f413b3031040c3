// SPDX-License-Identifier: Apache-2.0
#include "kernels/excitation/excitation.h"

#include "base/rng.h"
#include "kernels/pointwise_testing.h"

namespace koe::kernels {
namespace {

class ExcitationTest : public PointwiseTest {
 protected:
  const ExcitationOps& ops() const { return kernels().excitation; }
};
KOE_INSTANTIATE_TARGETS(ExcitationTest);

constexpr double kTwoPi = 6.283185307179586;

TEST_P(ExcitationTest, NormalNumbersAreThoseOfTheCounters) {
  size_t num_values = 0, num_different = 0;
  for (const uint64_t seed : {uint64_t{0}, uint64_t{7} << 32 | 5, ~uint64_t{0}}) {
    for (const uint64_t first : {uint64_t{0}, uint64_t{1}, uint64_t{6}, (uint64_t{1} << 34) - 9, uint64_t{1} << 50}) {
      for (const size_t count : Lengths()) {
        std::vector<float> want(count);
        FillNormal(seed, 3, first, want);
        Guarded got(count, 1);
        ops().normal(seed, 3, first, count, got.data());
        ASSERT_TRUE(got.MarginsIntact());
        for (size_t i = 0; i < count; ++i, ++num_values) {
          ASSERT_LE(UlpError(got[i], double{want[i]}), 1) << "seed " << seed << " number " << first + i;
          if (got[i] != want[i]) ++num_different;
        }
      }
    }
  }
  // Doubles that are good to some of their ULP straddle a float's rounding once in 2^26.
  EXPECT_LE(num_different, num_values / 1000);
}

TEST_P(ExcitationTest, HarmonicsAreWithinTheirBound) {
  const double kSine = 3e-7;
  for (const size_t count : Lengths()) {
    for (const double start : {0.0, 0.3, -1234.75, 987654.321, 0x1p39}) {
      for (const double step : {0.0, 0.005, -0.3, 0.75}) {
        for (const bool has_noise : {false, true}) {
          const std::vector<float> noise = Normal(rng_, count, 0, 1), before = Normal(rng_, count, 0, 1);
          const Source<float> source(noise.data(), count, 3);
          Guarded dst(before.data(), count, 1);
          ops().add_harmonic({.start = start,
                              .step = step,
                              .sine_scale = 0.1f,
                              .noise = has_noise ? source.data() : nullptr,
                              .noise_scale = 0.03f,
                              .count = count,
                              .dst = dst.data()});
          ASSERT_TRUE(dst.MarginsIntact());
          for (size_t i = 0; i < count; ++i) {
            const double cycles = start + static_cast<double>(i) * step;
            const double sine = 0.1f * std::sin(kTwoPi * (cycles - std::nearbyint(cycles)));
            const double added = sine + (has_noise ? double{0.03f} * noise[i] : 0.0);
            // The phase is a double of up to 2^39 cycles (2^-14 of a cycle there, rounded once or twice), the rest
            // products and sums that round once each.
            const double phase = 0.1f * kTwoPi * 2 * std::ldexp(std::abs(start) + 1, -53);
            const double bound = 0.1f * kSine + phase + kEps * (0.1 + std::abs(added) + std::abs(before[i] + added));
            ASSERT_NEAR(dst[i], before[i] + added, bound) << count << " " << start << " " << step << " at " << i;
          }
        }
      }
    }
  }
}

TEST_P(ExcitationTest, OneSineToTwoToTheForty) {
  std::vector<double> phases = {0, 0.25, 0.5, 0.75, 1, -0.25, 1e-30, 0x1p40, -0x1p40, 0x1p40 - 0.25};
  std::uniform_real_distribution<double> mantissa(-1, 1);
  for (int i = 0; i < 40000; ++i) phases.push_back(std::ldexp(mantissa(rng_), i % 43 - 2));
  const long double two_pi = 6.283185307179586476925286766559L;
  double worst = 0;
  for (const double phase : phases) {
    float sine = 0;
    ops().add_harmonic({.start = phase, .sine_scale = 1, .count = 1, .dst = &sine});
    const long double fraction = static_cast<long double>(phase) - std::nearbyint(phase);
    worst = std::max(worst, static_cast<double>(std::abs(sine - std::sin(two_pi * fraction))));
  }
  std::printf("sine: largest error %.3g\n", worst);
  EXPECT_LE(worst, 3e-7);
}

TEST_P(ExcitationTest, WithoutASineThePhaseMeansNothing) {
  Guarded dst(37);
  std::fill_n(dst.data(), 37, 2.0f);
  ops().add_harmonic({.start = HUGE_VAL, .step = HUGE_VAL, .count = 37, .dst = dst.data()});
  for (size_t i = 0; i < 37; ++i) EXPECT_EQ(dst[i], 2.0f);
}

}  // namespace
}  // namespace koe::kernels
