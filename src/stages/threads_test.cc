// SPDX-License-Identifier: Apache-2.0
// Every stage on 1, 2 and 4 threads with synthetic weights: the same bits, and nothing for ThreadSanitizer to report.
#include <gtest/gtest.h>

#include <vector>

#include "stages/decoder/decoder.h"
#include "stages/duration/duration.h"
#include "stages/generator/generator.h"
#include "stages/harmonic_source/harmonic_source.h"
#include "stages/prosody/prosody.h"
#include "support/synthetic_test_fixture.h"

namespace koe::stages {
namespace {

using test_support::RandomVector;

// run(stage, context) -> the numbers of a run; empty for an error.
template <typename Stage, typename F>
void ExpectSameOnPools(const Result<std::unique_ptr<Stage>>& stage, F run) {
  KOE_ASSERT_OK(stage);
  bool same = false;
  const std::vector<float> numbers = test_support::RunOnPools(
      test_support::BestKernels(),
      [&](test_support::Machine& machine) -> std::vector<float> { return run(**stage, machine.context()); }, &same);
  EXPECT_FALSE(numbers.empty());
  EXPECT_TRUE(same) << "the result depends on the number of threads";
}

const bundle::Weights& SomeWeights() { return test_support::SharedSyntheticWeights(); }
std::vector<float> ToVector(std::span<const float> values) { return {values.begin(), values.end()}; }

TEST(StageThreadsTest, Duration) {
  const std::vector<int32_t> ids = {0, 50, 156, 43, 102, 4, 0};
  const std::vector<float> style = test_support::RandomStyle();
  ExpectSameOnPools(MakeDurationCpu(SomeWeights(), test_support::BestKernels()),
                    [&](const Duration& stage, const StageContext& context) -> std::vector<float> {
                      const auto output = stage.Run({ids, style, 1}, context);
                      if (!output.has_value()) return {};
                      std::vector<float> numbers = test_support::Flatten(output->duration_features);
                      const std::vector<float> text = test_support::Flatten(output->text_features);
                      numbers.insert(numbers.end(), text.begin(), text.end());
                      numbers.insert(numbers.end(), output->durations.begin(), output->durations.end());
                      return numbers;
                    });
}

TEST(StageThreadsTest, Prosody) {
  const std::vector<float> features = RandomVector(3 * 640), style = test_support::RandomStyle();
  ExpectSameOnPools(MakeProsodyCpu(SomeWeights(), test_support::BestKernels()),
                    [&](const Prosody& stage, const StageContext& context) -> std::vector<float> {
                      const auto output = stage.Run({ConstMatrix(features.data(), 3, 640), style}, context);
                      if (!output.has_value()) return {};
                      std::vector<float> numbers = ToVector(output->f0_hz);
                      numbers.insert(numbers.end(), output->energy.begin(), output->energy.end());
                      return numbers;
                    });
}

TEST(StageThreadsTest, Decoder) {
  const std::vector<float> text = RandomVector(3 * 512), f0_hz = RandomVector(6, 20, 180), energy = RandomVector(6);
  const std::vector<float> style = test_support::RandomStyle();
  ExpectSameOnPools(MakeDecoderCpu(SomeWeights(), test_support::BestKernels()),
                    [&](const Decoder& stage, const StageContext& context) -> std::vector<float> {
                      const auto output = stage.Run({ConstMatrix(text.data(), 3, 512), f0_hz, energy, style}, context);
                      if (!output.has_value()) return {};
                      return test_support::Flatten(output->decoder_features);
                    });
}

TEST(StageThreadsTest, HarmonicSource) {
  const std::vector<float> f0_hz = RandomVector(80, 80, 100);  // several blocks of samples and of frames
  ExpectSameOnPools(MakeHarmonicSourceCpu(SomeWeights(), test_support::BestKernels()),
                    [&](const HarmonicSource& stage, const StageContext& context) -> std::vector<float> {
                      const auto output = stage.Run({.f0_hz = f0_hz, .seed = 5, .source = {}}, context);
                      if (!output.has_value()) return {};
                      std::vector<float> numbers = test_support::Flatten(output->excitation);
                      numbers.insert(numbers.end(), output->source.begin(), output->source.end());
                      return numbers;
                    });
}

TEST(StageThreadsTest, Generator) {
  const std::vector<float> features = RandomVector(4 * 512), excitation = RandomVector(241 * 22, 0.3f);
  const std::vector<float> style = test_support::RandomStyle();
  ExpectSameOnPools(
      MakeGeneratorCpu(SomeWeights(), test_support::BestKernels()),
      [&](const Generator& stage, const StageContext& context) -> std::vector<float> {
        const auto output =
            stage.Run({ConstMatrix(features.data(), 4, 512), ConstMatrix(excitation.data(), 241, 22), style}, context);
        if (!output.has_value()) return {};
        return ToVector(output->waveform);
      });
}

}  // namespace
}  // namespace koe::stages
