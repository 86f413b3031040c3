// SPDX-License-Identifier: Apache-2.0
#include "stages/prosody/prosody.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/golden_test_fixture.h"
#include "support/synthetic_test_fixture.h"

namespace koe::stages {
namespace {

using test_support::RandomVector;

constexpr size_t kFeatures = 640;

std::vector<float> Numbers(const Result<Prosody::Output>& output) {
  if (!output.has_value()) return {};
  std::vector<float> numbers(output->f0_hz.begin(), output->f0_hz.end());
  numbers.insert(numbers.end(), output->energy.begin(), output->energy.end());
  return numbers;
}

using ProsodyGoldenTest = test_support::GoldenTest;

TEST_F(ProsodyGoldenTest, EqualsTheReference) {
  const auto stage = MakeProsodyCpu(*weights_, test_support::BestKernels());
  KOE_ASSERT_OK(stage);
  test_support::Machine machine(test_support::BestKernels(), 2);
  for (const test_support::Golden& golden : goldens_) {
    test_support::Recorder recorder;
    machine.arena.Reset();
    KOE_ASSERT_OK((*stage)->Run({golden.Matrix("en"), golden.prosody_style()}, machine.context(&recorder)));
    ExpectClose(golden, recorder, {"F0_pred", "N_pred"});
  }
}

TEST_F(ProsodyGoldenTest, IsTheSameOnEveryPool) {
  const auto stage = MakeProsodyCpu(*weights_, test_support::BestKernels());
  KOE_ASSERT_OK(stage);
  for (const test_support::Golden& golden : goldens_) {
    bool same = false;
    const std::vector<float> numbers = test_support::RunOnPools(
        test_support::BestKernels(),
        [&](test_support::Machine& machine) {
          return Numbers((*stage)->Run({golden.Matrix("en"), golden.prosody_style()}, machine.context()));
        },
        &same);
    EXPECT_TRUE(same && !numbers.empty()) << golden.name();
  }
}

class ProsodyTest : public testing::Test {
 protected:
  Result<Prosody::Output> Run(size_t num_frames, test_support::Machine* machine,
                              TensorObserver* observer = nullptr) const {
    const auto stage = MakeProsodyCpu(test_support::SharedSyntheticWeights(), machine->kernels);
    if (!stage.has_value()) return stage.error();
    return (*stage)->Run({ConstMatrix(features_.data(), num_frames, kFeatures), style_}, machine->context(observer));
  }

  std::vector<float> features_ = RandomVector(17 * kFeatures), style_ = test_support::RandomStyle();
};

TEST_F(ProsodyTest, NativeLengths) {
  for (const size_t num_frames : {1, 2, 3, 17}) {
    SCOPED_TRACE(num_frames);
    test_support::Machine machine(test_support::BestKernels(), 2);
    test_support::Recorder recorder;
    const auto output = Run(num_frames, &machine, &recorder);
    KOE_ASSERT_OK(output);
    EXPECT_EQ(output->f0_hz.size(), 2 * num_frames);
    EXPECT_EQ(output->energy.size(), 2 * num_frames);
    for (const float number : Numbers(output)) EXPECT_TRUE(std::isfinite(number));
    EXPECT_EQ(recorder.tensors["F0_pred"].rows, 2 * num_frames);
    EXPECT_EQ(recorder.tensors["N_pred"].rows, 2 * num_frames);
  }
}

TEST_F(ProsodyTest, BadShapesAreErrors) {
  test_support::Machine machine(test_support::BestKernels(), 1);
  const auto stage = MakeProsodyCpu(test_support::SharedSyntheticWeights(), machine.kernels);
  KOE_ASSERT_OK(stage);
  const ConstMatrix x(features_.data(), 2, kFeatures), narrow(features_.data(), 2, kFeatures - 1);
  const std::span<const float> style(style_);
  KOE_EXPECT_ERROR((*stage)->Run({x.Rows(0, 0), style}, machine.context()), ErrorCode::kInvalidArgument);
  KOE_EXPECT_ERROR((*stage)->Run({narrow, style}, machine.context()), ErrorCode::kInvalidArgument);
  KOE_EXPECT_ERROR((*stage)->Run({x, style.first(127)}, machine.context()), ErrorCode::kInvalidArgument);
}

TEST_F(ProsodyTest, Cancels) {
  test_support::Machine machine(test_support::BestKernels(), 2);
  machine.cancelled = true;
  KOE_EXPECT_ERROR(Run(3, &machine), ErrorCode::kCancelled);
}

TEST_F(ProsodyTest, OtherTargetsAreClose) {
  test_support::Machine best(test_support::BestKernels(), 2);
  const std::vector<float> want = Numbers(Run(3, &best));
  ASSERT_FALSE(want.empty());
  for (const kernels::Target target : kernels::SupportedTargets()) {
    test_support::Machine machine(kernels::KernelsFor(target), 2);
    EXPECT_GE(test_support::SnrDb(Numbers(Run(3, &machine)), want), test_support::kMinTargetSnrDb)
        << kernels::TargetName(target);
  }
}

}  // namespace
}  // namespace koe::stages
