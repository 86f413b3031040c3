// SPDX-License-Identifier: Apache-2.0
#include "stages/decoder/decoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/golden_test_fixture.h"
#include "support/synthetic_test_fixture.h"

namespace koe::stages {
namespace {

using test_support::RandomVector;

constexpr size_t kText = 512;

std::vector<float> Numbers(const Result<Decoder::Output>& output) {
  return output.has_value() ? test_support::Flatten(output->decoder_features) : std::vector<float>();
}

class DecoderGoldenTest : public test_support::GoldenTest {
 protected:
  static Decoder::Input InputOf(const test_support::Golden& golden) {
    return {golden.Matrix("asr"), golden.Floats("F0_pred"), golden.Floats("N_pred"), golden.acoustic_style()};
  }
};

TEST_F(DecoderGoldenTest, EqualsTheReference) {
  const auto stage = MakeDecoderCpu(*weights_, test_support::BestKernels());
  KOE_ASSERT_OK(stage);
  test_support::Machine machine(test_support::BestKernels(), 2);
  for (const test_support::Golden& golden : goldens_) {
    test_support::Recorder recorder;
    machine.arena.Reset();
    KOE_ASSERT_OK((*stage)->Run(InputOf(golden), machine.context(&recorder)));
    ExpectClose(golden, recorder, {"x_pre"});
  }
}

TEST_F(DecoderGoldenTest, IsTheSameOnEveryPool) {
  const auto stage = MakeDecoderCpu(*weights_, test_support::BestKernels());
  KOE_ASSERT_OK(stage);
  for (const test_support::Golden& golden : goldens_) {
    bool same = false;
    const std::vector<float> numbers = test_support::RunOnPools(
        test_support::BestKernels(),
        [&](test_support::Machine& machine) { return Numbers((*stage)->Run(InputOf(golden), machine.context())); },
        &same);
    EXPECT_TRUE(same && !numbers.empty()) << golden.name();
  }
}

class DecoderTest : public testing::Test {
 protected:
  Decoder::Input Input(size_t num_frames) const {
    return {ConstMatrix(text_.data(), num_frames, kText), std::span(f0_hz_).first(2 * num_frames),
            std::span(energy_).first(2 * num_frames), style_};
  }
  Result<Decoder::Output> Run(const Decoder::Input& input, test_support::Machine* machine,
                              TensorObserver* observer = nullptr) const {
    const auto stage = MakeDecoderCpu(test_support::SharedSyntheticWeights(), machine->kernels);
    if (!stage.has_value()) return stage.error();
    return (*stage)->Run(input, machine->context(observer));
  }

  std::vector<float> text_ = RandomVector(17 * kText), f0_hz_ = RandomVector(34, 20, 180);
  std::vector<float> energy_ = RandomVector(34, 2, -1), style_ = test_support::RandomStyle();
};

TEST_F(DecoderTest, NativeLengths) {
  for (const size_t num_frames : {1, 2, 3, 17}) {
    SCOPED_TRACE(num_frames);
    test_support::Machine machine(test_support::BestKernels(), 2);
    test_support::Recorder recorder;
    const auto output = Run(Input(num_frames), &machine, &recorder);
    KOE_ASSERT_OK(output);
    EXPECT_EQ(output->decoder_features.rows, 2 * num_frames);
    EXPECT_EQ(output->decoder_features.cols, 512u);
    for (const float number : Numbers(output)) ASSERT_TRUE(std::isfinite(number));
    EXPECT_EQ(recorder.tensors["x_pre"].values, Numbers(output));
  }
}

TEST_F(DecoderTest, BadShapesAreErrors) {
  test_support::Machine machine(test_support::BestKernels(), 1);
  const auto stage = MakeDecoderCpu(test_support::SharedSyntheticWeights(), machine.kernels);
  KOE_ASSERT_OK(stage);
  std::vector<Decoder::Input> bad(5, Input(2));
  bad[0].aligned_text_features.rows = 0;
  bad[1].aligned_text_features.cols = kText - 1;
  bad[2].f0_hz = bad[2].f0_hz.first(3);
  bad[3].energy = bad[3].energy.first(2);
  bad[4].acoustic_style = bad[4].acoustic_style.first(64);
  for (const Decoder::Input& input : bad) {
    KOE_EXPECT_ERROR((*stage)->Run(input, machine.context()), ErrorCode::kInvalidArgument);
  }
}

TEST_F(DecoderTest, Cancels) {
  test_support::Machine machine(test_support::BestKernels(), 2);
  machine.cancelled = true;
  KOE_EXPECT_ERROR(Run(Input(3), &machine), ErrorCode::kCancelled);
}

TEST_F(DecoderTest, OtherTargetsAreClose) {
  test_support::Machine best(test_support::BestKernels(), 2);
  const std::vector<float> want = Numbers(Run(Input(3), &best));
  ASSERT_FALSE(want.empty());
  for (const kernels::Target target : kernels::SupportedTargets()) {
    test_support::Machine machine(kernels::KernelsFor(target), 2);
    EXPECT_GE(test_support::SnrDb(Numbers(Run(Input(3), &machine)), want), test_support::kMinTargetSnrDb)
        << kernels::TargetName(target);
  }
}

}  // namespace
}  // namespace koe::stages
