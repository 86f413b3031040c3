// SPDX-License-Identifier: Apache-2.0
#include "stages/harmonic_source/harmonic_source.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/golden_test_fixture.h"
#include "support/synthetic_test_fixture.h"

namespace koe::stages {
namespace {

using test_support::RandomVector;

constexpr double kPi = 3.14159265358979323846;
constexpr char kWeight[] = "decoder.generator.m_source.l_linear.weight";
constexpr char kBias[] = "decoder.generator.m_source.l_linear.bias";

std::vector<float> Numbers(const Result<HarmonicSource::Output>& output) {
  if (!output.has_value()) return {};
  std::vector<float> numbers(output->source.begin(), output->source.end());
  const std::vector<float> spectrum = test_support::Flatten(output->excitation);
  numbers.insert(numbers.end(), spectrum.begin(), spectrum.end());
  return numbers;
}

using HarmonicSourceGoldenTest = test_support::GoldenTest;

TEST_F(HarmonicSourceGoldenTest, EqualsTheReference) {
  // The design demands 60 dB of sines whose phase grows to thousands of cycles: the reference adds it up in float32.
  constexpr double kMinSineSnrDb = 60;
  for (const kernels::Target target : kernels::SupportedTargets()) {
    std::printf("%s\n", kernels::TargetName(target));
    const auto stage = MakeHarmonicSourceCpu(*weights_, kernels::KernelsFor(target));
    KOE_ASSERT_OK(stage);
    test_support::Machine machine(kernels::KernelsFor(target), 2);
    for (const test_support::Golden& golden : goldens_) {
      machine.arena.Reset();
      const std::span<const float> f0_hz = golden.Floats("F0_pred");
      const auto clean = (*stage)->Run({.f0_hz = f0_hz, .noise_scale = 0, .source = {}}, machine.context());
      KOE_ASSERT_OK(clean);
      ExpectClose(golden, "sine_clean", test_support::SnrDb(clean->source, golden.Floats("sine_clean")), kMinSineSnrDb);
      test_support::Recorder recorder;
      const auto given =
          (*stage)->Run({.f0_hz = f0_hz, .source = golden.Floats("har_source")}, machine.context(&recorder));
      KOE_ASSERT_OK(given);
      ExpectClose(golden, "har", test_support::SpectrumSnrDb(given->excitation, golden.Matrix("har")),
                  test_support::kMinStageSnrDb);
      EXPECT_EQ(recorder.tensors["har_source"].values, test_support::Flatten(golden.Matrix("har_source")));
    }
  }
}

class HarmonicSourceTest : public testing::Test {
 protected:
  Result<HarmonicSource::Output> Run(const HarmonicSource::Input& input, test_support::Machine* machine,
                                     const bundle::Weights& weights = test_support::SharedSyntheticWeights()) const {
    const auto stage = MakeHarmonicSourceCpu(weights, machine->kernels);
    if (!stage.has_value()) return stage.error();
    return (*stage)->Run(input, machine->context());
  }
  test_support::Machine machine_{test_support::BestKernels(), 2};
};

TEST_F(HarmonicSourceTest, NativeLengths) {
  for (const size_t num_frames : {1, 2, 3, 17}) {
    const std::vector<float> f0_hz = RandomVector(2 * num_frames, 100, 100);
    const auto output = Run({.f0_hz = f0_hz, .source = {}}, &machine_);
    KOE_ASSERT_OK(output);
    EXPECT_EQ(output->source.size(), 600 * num_frames);
    EXPECT_EQ(output->excitation.rows, 120 * num_frames + 1);
    EXPECT_EQ(output->excitation.cols, 22u);
    for (const float number : Numbers(output)) ASSERT_TRUE(std::isfinite(number));
  }
}

// A constant pitch is a pure sum of sines once the held ends are past: phase 300 f (k + 1) / 24000 cycles at the centre
// of frame k, linear between centres.
TEST_F(HarmonicSourceTest, AConstantPitchIsASumOfSines) {
  test_support::SyntheticWeights weights;
  weights.Fill(kWeight, 0.25f);
  weights.Fill(kBias, 0.125f);
  const double f0 = 123.5;
  const std::vector<float> f0_hz(40, static_cast<float>(f0));
  for (const kernels::Target target : kernels::SupportedTargets()) {
    test_support::Machine machine(kernels::KernelsFor(target), 1);
    const auto output = Run({.f0_hz = f0_hz, .noise_scale = 0, .source = {}}, &machine, weights);
    KOE_ASSERT_OK(output);
    for (size_t n = 150; n < output->source.size() - 150; ++n) {
      double sum = 0.125;
      for (size_t h = 1; h <= HarmonicSource::kHarmonics; ++h) {
        const double cycles = f0 * static_cast<double>(h) / 24000 * (static_cast<double>(n) + 0.5 + 150);
        sum += 0.25 * 0.1 * std::sin(2 * kPi * cycles);
      }
      // Nine sines of 3e-7 times 0.025, some roundings of a sum below 0.35 and tanh's 4 ULP.
      ASSERT_NEAR(output->source[n], std::tanh(sum), 9 * 0.025 * 3e-7 + 40 * 0x1p-24 * 0.35) << "sample " << n;
    }
  }
}

TEST_F(HarmonicSourceTest, UnvoicedFramesAreNoiseOfTheReferencesSize) {
  test_support::SyntheticWeights weights;
  weights.Fill(kWeight, 0.25f);
  weights.Fill(kBias, 0);
  const std::vector<float> f0_hz(200, 10.0f);  // voiced is above 10 Hz
  const auto output = Run({.f0_hz = f0_hz, .seed = 3, .source = {}}, &machine_, weights);
  KOE_ASSERT_OK(output);
  double power = 0;
  for (const float value : output->source) power += std::pow(std::atanh(static_cast<double>(value)), 2);
  const double deviation = std::sqrt(power / static_cast<double>(output->source.size()));
  // Nine independent noises of 0.1 / 3; 60,000 samples estimate it to 0.3 % (one sigma).
  EXPECT_NEAR(deviation, 0.25 * 3 * 0.1 / 3, 0.015 * deviation);
}

TEST_F(HarmonicSourceTest, TheSeedAloneChoosesTheNoise) {
  const std::vector<float> f0_hz = RandomVector(6, 100, 100);
  const auto numbers = [&](uint64_t seed, float noise_scale) {
    return Numbers(Run({.f0_hz = f0_hz, .seed = seed, .noise_scale = noise_scale, .source = {}}, &machine_));
  };
  EXPECT_EQ(numbers(1, 1), numbers(1, 1));
  EXPECT_NE(numbers(1, 1), numbers(2, 1));
  EXPECT_NE(numbers(1, 1), numbers(uint64_t{1} << 32 | 1, 1));
  EXPECT_EQ(numbers(1, 0), numbers(2, 0));
}

TEST_F(HarmonicSourceTest, BadInputIsAnError) {
  const std::vector<float> f0_hz(4, 100.0f), source(1199);
  KOE_EXPECT_ERROR(Run({.f0_hz = {}, .source = {}}, &machine_), ErrorCode::kInvalidArgument);
  KOE_EXPECT_ERROR(Run({.f0_hz = f0_hz, .source = source}, &machine_), ErrorCode::kInvalidArgument);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), HUGE_VALF, -HUGE_VALF}) {
    std::vector<float> not_finite = f0_hz;
    not_finite[2] = bad;
    KOE_EXPECT_ERROR(Run({.f0_hz = not_finite, .source = {}}, &machine_), ErrorCode::kInternal);
  }
}

TEST_F(HarmonicSourceTest, AnyFinitePitchGivesFiniteNumbers) {
  for (const float pitch : {-3e38f, -1.0f, 1e-40f, 24000.0f, 1e9f, 3e38f}) {
    const std::vector<float> f0_hz(6, pitch);
    const auto output = Run({.f0_hz = f0_hz, .source = {}}, &machine_);
    KOE_ASSERT_OK(output);
    for (const float number : Numbers(output)) ASSERT_TRUE(std::isfinite(number)) << pitch;
  }
}

TEST_F(HarmonicSourceTest, Cancels) {
  machine_.cancelled = true;
  const std::vector<float> f0_hz(4, 100.0f);
  KOE_EXPECT_ERROR(Run({.f0_hz = f0_hz, .source = {}}, &machine_), ErrorCode::kCancelled);
}

}  // namespace
}  // namespace koe::stages
