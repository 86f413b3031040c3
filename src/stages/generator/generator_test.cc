// SPDX-License-Identifier: Apache-2.0
#include "stages/generator/generator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "support/golden_test_fixture.h"
#include "support/synthetic_test_fixture.h"

namespace koe::stages {
namespace {

using test_support::RandomVector;

std::vector<float> Numbers(const Result<Generator::Output>& output) {
  return output.has_value() ? std::vector<float>(output->waveform.begin(), output->waveform.end())
                            : std::vector<float>();
}

class GeneratorGoldenTest : public test_support::GoldenTest {
 protected:
  static Generator::Input InputOf(const test_support::Golden& golden) {
    return {golden.Matrix("x_pre"), golden.Matrix("har"), golden.acoustic_style()};
  }
};

TEST_F(GeneratorGoldenTest, EqualsTheReference) {
  const auto stage = MakeGeneratorCpu(*weights_, test_support::BestKernels());
  KOE_ASSERT_OK(stage);
  test_support::Machine machine(test_support::BestKernels(), 2);
  for (const test_support::Golden& golden : goldens_) {
    test_support::Recorder recorder;
    machine.arena.Reset();
    KOE_ASSERT_OK((*stage)->Run(InputOf(golden), machine.context(&recorder)));
    // Some goldens hold the tensors between as well.
    std::vector<std::string> names = {"conv_post", "waveform"};
    for (const char* name : {"ups0", "x_source0", "mrf0", "ups1", "x_source1", "mrf1"}) {
      if (golden.Has(name)) names.push_back(name);
    }
    ExpectClose(golden, recorder, names);
  }
}

TEST_F(GeneratorGoldenTest, IsTheSameOnEveryPool) {
  const auto stage = MakeGeneratorCpu(*weights_, test_support::BestKernels());
  KOE_ASSERT_OK(stage);
  bool same = false;
  const std::vector<float> waveform = test_support::RunOnPools(
      test_support::BestKernels(),
      [&](test_support::Machine& machine) {
        return Numbers((*stage)->Run(InputOf(goldens_.front()), machine.context()));
      },
      &same);
  EXPECT_TRUE(same && !waveform.empty());
}

class GeneratorTest : public testing::Test {
 protected:
  void SetUp() override {
    auto stage = MakeGeneratorCpu(test_support::SharedSyntheticWeights(), test_support::BestKernels());
    KOE_ASSERT_OK(stage);
    stage_ = std::move(*stage);
  }
  Generator::Input Input(size_t num_frames) const {
    return {ConstMatrix(features_.data(), 2 * num_frames, 512),
            ConstMatrix(excitation_.data(), 120 * num_frames + 1, 22), style_};
  }

  std::vector<float> features_ = RandomVector(34 * 512), excitation_ = RandomVector((120 * 17 + 1) * 22, 0.3f);
  std::vector<float> style_ = test_support::RandomStyle();
  std::unique_ptr<Generator> stage_;
  test_support::Machine machine_{test_support::BestKernels(), 2};
};

TEST_F(GeneratorTest, NativeLengths) {
  for (const size_t f : {1, 2, 3, 17}) {
    SCOPED_TRACE(f);
    machine_.arena.Reset();
    test_support::Recorder recorder;
    const auto output = stage_->Run(Input(f), machine_.context(&recorder));
    KOE_ASSERT_OK(output);
    EXPECT_EQ(output->waveform.size(), 600 * f);
    for (const float sample : output->waveform) ASSERT_TRUE(std::isfinite(sample));
    const size_t e = 120 * f + 1;
    const std::map<std::string, std::pair<size_t, size_t>> shapes = {
        {"ups0", {20 * f, 256}}, {"x_source0", {20 * f, 256}}, {"mrf0", {20 * f, 256}}, {"ups1", {120 * f, 128}},
        {"x_source1", {e, 128}}, {"mrf1", {e, 128}},           {"conv_post", {e, 22}},  {"waveform", {600 * f, 1}}};
    ASSERT_EQ(recorder.tensors.size(), shapes.size());
    for (const auto& [name, shape] : shapes) {
      EXPECT_EQ(recorder.tensors[name].rows, shape.first) << name;
      EXPECT_EQ(recorder.tensors[name].cols, shape.second) << name;
    }
  }
}

TEST_F(GeneratorTest, BadShapesAreErrors) {
  std::vector<Generator::Input> bad(7, Input(2));
  bad[0].decoder_features.rows = 0;
  bad[1].decoder_features.cols = 511;
  bad[2].excitation.rows -= 1;
  bad[3].excitation.rows += 1;
  bad[4].excitation.cols = 21;
  bad[5].acoustic_style = bad[5].acoustic_style.first(127);
  bad[6].excitation = {};
  for (const Generator::Input& input : bad) {
    KOE_EXPECT_ERROR(stage_->Run(input, machine_.context()), ErrorCode::kInvalidArgument);
  }
}

TEST_F(GeneratorTest, CancelsBeforeAndOnTheWay) {
  for (const char* name : {"", "x_source0", "mrf0", "ups1", "conv_post"}) {
    SCOPED_TRACE(name);
    machine_.cancelled = std::string(name).empty();
    test_support::CancelAt observer(&machine_, name);
    KOE_EXPECT_ERROR(stage_->Run(Input(1), machine_.context(&observer)), ErrorCode::kCancelled);
  }
  machine_.cancelled = false;
  KOE_ASSERT_OK(stage_->Run(Input(1), machine_.context()));  // and the stage is fit for another run
}

TEST_F(GeneratorTest, ARunDependsOnNothingBeforeIt) {
  const std::vector<float> fresh = Numbers(stage_->Run(Input(2), machine_.context()));
  machine_.arena.Reset();
  const auto longer = stage_->Run(Input(3), machine_.context());
  KOE_ASSERT_OK(longer);
  machine_.arena.Reset();
  EXPECT_TRUE(test_support::SameBits(Numbers(stage_->Run(Input(2), machine_.context())), fresh));
}

TEST_F(GeneratorTest, OtherTargetsAreClose) {
  const std::vector<float> want = Numbers(stage_->Run(Input(2), machine_.context()));
  ASSERT_FALSE(want.empty());
  for (const kernels::Target target : kernels::SupportedTargets()) {
    const auto stage = MakeGeneratorCpu(test_support::SharedSyntheticWeights(), kernels::KernelsFor(target));
    KOE_ASSERT_OK(stage);
    test_support::Machine machine(kernels::KernelsFor(target), 2);
    EXPECT_GE(test_support::SnrDb(Numbers((*stage)->Run(Input(2), machine.context())), want),
              test_support::kMinTargetSnrDb)
        << kernels::TargetName(target);
  }
}

}  // namespace
}  // namespace koe::stages
