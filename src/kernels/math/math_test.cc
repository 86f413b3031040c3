// SPDX-License-Identifier: Apache-2.0
#include "kernels/math/math.h"

#include "kernels/pointwise_testing.h"

namespace koe::kernels {
namespace {

using MathTest = PointwiseTest;
using Unary = void (*)(const float*, size_t, float*);

// Every 1009th float32 pattern, subnormals, infinities and NaNs included, and the values where a form changes.
std::vector<float> Sweep(uint32_t seed) {
  std::vector<float> x = {0.0f,    -0.0f,      kInf,       -kInf,     kNan,    0x1p-149f, -0x1p-149f, 0x1p-126f,
                          1.0f,    -1.0f,      88.722839f, 88.72284f, 89.0f,   -87.3365f, -87.3366f,  -103.97f,
                          -104.0f, -103.2789f, 9.0f,       9.1f,      -10.0f,  0.3465f,   0.34658f,   1.5707963f,
                          1e4f,    -1e4f,      3.1415927f, -3.14159f, 9424.8f, 0x1p127f,  -0x1p127f};
  for (uint64_t bits = seed % 1009; bits < (uint64_t{1} << 32); bits += 1009) {
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  return x;
}

template <class Reference, class Measure>
void CheckSweep(const char* name, Unary op, const std::vector<float>& x, Reference reference, Measure measure,
                double bound) {
  std::vector<float> y(x.size());
  op(x.data(), x.size(), y.data());
  double worst = 0;
  float at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = measure(y[i], reference(static_cast<double>(x[i])));
    if (!(error <= worst)) worst = error, at = x[i];
  }
  std::printf("%s: largest error %.3g at %.9g\n", name, worst, at);
  EXPECT_LE(worst, bound) << name << " at " << at;
}

double AbsoluteError(float got, double want) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : HUGE_VAL;
  return std::abs(got - want);
}

TEST_P(MathTest, ExpWithinTwoUlp) {
  CheckSweep(
      "exp", kernels().math.exp, Sweep(TestSeed()), [](double x) { return std::exp(x); }, UlpError, 2);
}

TEST_P(MathTest, TanhWithinFourUlp) {
  CheckSweep(
      "tanh", kernels().math.tanh, Sweep(TestSeed()), [](double x) { return std::tanh(x); }, UlpError, 4);
}

TEST_P(MathTest, SigmoidWithinFourUlp) {
  CheckSweep(
      "sigmoid", kernels().math.sigmoid, Sweep(TestSeed()), [](double x) { return 1 / (1 + std::exp(-x)); },
      // Where 1 / (1 + exp(-x)) passes through an infinite exponential it is 0 instead of subnormal.
      [](float got, double want) { return want < 0x1p-126 && got == 0 ? 0 : UlpError(got, want); }, 4);
}

// Patterns are thin between 1 and 1e4, where the reduction works: sweep that range evenly too.
std::vector<float> Angles(uint32_t seed) {
  std::vector<float> x;
  for (const float v : Sweep(seed)) {
    if (!(std::abs(v) > 1e4f)) x.push_back(v);
  }
  x.insert(x.end(), {kInf, -kInf});
  std::mt19937 rng(seed);
  for (const float v : Uniform(rng, 1000000, -1e4f, 1e4f)) x.push_back(v);
  for (int k = -6366; k <= 6366; ++k) x.push_back(static_cast<float>(k * 1.5707963267948966));
  return x;
}

TEST_P(MathTest, SinWithinThreeTenMillionths) {
  CheckSweep(
      "sin", kernels().math.sin, Angles(TestSeed()), [](double x) { return std::sin(x); }, AbsoluteError, 3e-7);
}

TEST_P(MathTest, CosWithinThreeTenMillionths) {
  CheckSweep(
      "cos", kernels().math.cos, Angles(TestSeed()), [](double x) { return std::cos(x); }, AbsoluteError, 3e-7);
}

TEST_P(MathTest, SignsAndLimits) {
  const MathOps& math = kernels().math;
  const float x[] = {0.0f, -0.0f, kInf, -kInf, 30.0f, -30.0f, 100.0f, -110.0f};
  float y[8];
  math.exp(x, 8, y);
  EXPECT_EQ(y[0], 1.0f);
  EXPECT_EQ(y[2], kInf);
  EXPECT_EQ(y[3], 0.0f);
  EXPECT_EQ(y[6], kInf);
  EXPECT_EQ(y[7], 0.0f);
  math.tanh(x, 8, y);
  EXPECT_TRUE(SameBits(y[0], 0.0f));
  EXPECT_TRUE(SameBits(y[1], -0.0f));
  for (size_t i = 2; i < 8; ++i) EXPECT_EQ(y[i], x[i] > 0 ? 1.0f : -1.0f);
  math.sigmoid(x, 8, y);
  EXPECT_EQ(y[0], 0.5f);
  EXPECT_EQ(y[2], 1.0f);
  EXPECT_EQ(y[3], 0.0f);
  EXPECT_EQ(y[7], 0.0f);
  math.sin(x, 2, y);
  EXPECT_TRUE(SameBits(y[0], 0.0f));
}

TEST_P(MathTest, Atan2WithinFiveTenMillionths) {
  // Angles all around at ratios of sizes from 2^-140 to 2^140, and products of patterns.
  std::vector<float> y, x;
  std::uniform_real_distribution<double> angle(-3.2, 3.2), exponent(-70, 70);
  for (int i = 0; i < 1000000; ++i) {
    const double a = angle(rng_), size = std::exp2(i % 2 == 0 ? 0 : exponent(rng_));
    y.push_back(static_cast<float>(size * std::sin(a)));
    x.push_back(static_cast<float>(size * std::cos(a)));
  }
  const std::vector<float> patterns = Sweep(TestSeed());
  for (size_t i = 0; i < 1000000; ++i) {
    y.push_back(patterns[rng_() % patterns.size()]);
    x.push_back(patterns[rng_() % patterns.size()]);
  }
  std::vector<float> got(x.size());
  kernels().math.atan2(y.data(), x.data(), x.size(), got.data());
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double want = std::atan2(static_cast<double>(y[i]), static_cast<double>(x[i]));
    const double error = AbsoluteError(got[i], want);
    ASSERT_LE(error, 5e-7) << y[i] << ", " << x[i];
    ASSERT_FALSE(std::abs(got[i]) > 3.1415928f);
    worst = std::max(worst, error);
  }
  std::printf("atan2: largest error %.3g\n", worst);
}

TEST_P(MathTest, Atan2SignsOfZeroAndInfinities) {
  const float values[] = {0.0f, -0.0f, 1.0f, -1.0f, kInf, -kInf, 0x1p-149f, -0x1p-149f};
  for (const float y : values) {
    for (const float x : values) {
      float got = 0;
      kernels().math.atan2(&y, &x, 1, &got);
      const float want = std::atan2(y, x);
      EXPECT_EQ(std::signbit(got), std::signbit(want)) << y << ", " << x;
      EXPECT_NEAR(got, want, 2.5e-7) << y << ", " << x;
      if (want == 0 || (y == 0 && std::signbit(x))) {
        EXPECT_EQ(got, want) << y << ", " << x;
      }
    }
    float got = 0;
    kernels().math.atan2(&y, &kNan, 1, &got);
    EXPECT_TRUE(std::isnan(got));
    kernels().math.atan2(&kNan, &y, 1, &got);
    EXPECT_TRUE(std::isnan(got));
  }
}

// A value does not depend on where it stands in the array: any part, in place or not, equals the whole bit for bit.
TEST_P(MathTest, AnyLengthAndAlignmentGivesTheSameBits) {
  const MathOps& math = kernels().math;
  std::vector<float> x = Uniform(rng_, 1003, -20, 20);
  for (const float special : {0.0f, -0.0f, kInf, -kInf, kNan, 1e-40f}) x[rng_() % 1000] = special;
  for (const Unary op : {math.exp, math.tanh, math.sigmoid, math.sin, math.cos}) {
    std::vector<float> whole(x.size());
    op(x.data(), x.size(), whole.data());
    for (const size_t n : Lengths()) {
      for (const size_t offset : {0u, 1u, 3u}) {
        const Source<float> src(x.data() + offset, n, offset);
        Guarded dst(n, 3 - offset), in_place(x.data() + offset, n, offset);
        op(src.data(), n, dst.data());
        op(in_place.data(), n, in_place.data());
        for (size_t i = 0; i < n; ++i) {
          ASSERT_TRUE(SameBits(dst[i], whole[offset + i])) << n << " " << offset << " " << i;
          ASSERT_TRUE(SameBits(in_place[i], whole[offset + i])) << n << " " << offset << " " << i;
        }
        ASSERT_TRUE(dst.MarginsIntact() && in_place.MarginsIntact()) << n << " " << offset;
      }
    }
  }
}

TEST_P(MathTest, Atan2AnyLengthAndAlignment) {
  const MathOps& math = kernels().math;
  const std::vector<float> y = Normal(rng_, 1003, 0, 1), x = Normal(rng_, 1003, 0, 1);
  std::vector<float> angles(x.size());
  math.atan2(y.data(), x.data(), x.size(), angles.data());
  for (const size_t n : Lengths()) {
    for (const size_t offset : {0u, 1u, 3u}) {
      const Source<float> a(y.data() + offset, n, offset), b(x.data() + offset, n, 3 - offset);
      Guarded to(n, offset), onto_y(a.data(), n, offset), onto_x(b.data(), n, offset);
      math.atan2(a.data(), b.data(), n, to.data());
      math.atan2(onto_y.data(), b.data(), n, onto_y.data());
      math.atan2(a.data(), onto_x.data(), n, onto_x.data());
      for (size_t i = 0; i < n; ++i) {
        const float want = angles[offset + i];
        ASSERT_TRUE(SameBits(to[i], want) && SameBits(onto_y[i], want) && SameBits(onto_x[i], want)) << n << " " << i;
      }
      ASSERT_TRUE(to.MarginsIntact() && onto_y.MarginsIntact() && onto_x.MarginsIntact());
    }
  }
}

KOE_INSTANTIATE_TARGETS(MathTest);

}  // namespace
}  // namespace koe::kernels
