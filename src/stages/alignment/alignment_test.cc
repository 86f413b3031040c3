// SPDX-License-Identifier: Apache-2.0
#include "stages/alignment/alignment.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

#include "support/golden_test_fixture.h"
#include "support/synthetic_test_fixture.h"

namespace koe::stages {
namespace {

using test_support::RandomVector;

TEST(AlignmentTest, RepeatsEveryTokensFeatures) {
  const std::vector<int32_t> durations = {1, 3, 2};
  const std::vector<float> d = RandomVector(3 * 640), text = RandomVector(3 * 512);
  test_support::Machine machine(test_support::BestKernels(), 1);
  const auto output = MakeAlignmentCpu()->Run(
      {durations, ConstMatrix(d.data(), 3, 640), ConstMatrix(text.data(), 3, 512)}, machine.context());
  KOE_ASSERT_OK(output);
  EXPECT_THAT(output->frame_to_token, testing::ElementsAre(0, 1, 1, 1, 2, 2));
  ASSERT_EQ(output->aligned_duration_features.rows, 6u);
  ASSERT_EQ(output->aligned_duration_features.cols, 640u);
  ASSERT_EQ(output->aligned_text_features.rows, 6u);
  ASSERT_EQ(output->aligned_text_features.cols, 512u);
  for (size_t f = 0; f < 6; ++f) {
    const auto token = static_cast<size_t>(output->frame_to_token[f]);
    EXPECT_TRUE(
        std::equal(d.data() + token * 640, d.data() + (token + 1) * 640, output->aligned_duration_features.Row(f)));
    EXPECT_TRUE(
        std::equal(text.data() + token * 512, text.data() + (token + 1) * 512, output->aligned_text_features.Row(f)));
  }
}

TEST(AlignmentTest, BadInputIsAnError) {
  const std::vector<float> d(3 * 640), text(3 * 512);
  const auto run = [&](std::vector<int32_t> durations, size_t rows, size_t text_rows) {
    test_support::Machine machine(test_support::BestKernels(), 1);
    const auto output = MakeAlignmentCpu()->Run(
        {durations, ConstMatrix(d.data(), rows, 640), ConstMatrix(text.data(), text_rows, 512)}, machine.context());
    return output.has_value() ? Result<void>() : Result<void>(output.error());
  };
  KOE_EXPECT_ERROR(run({1, 1, 1}, 2, 3), ErrorCode::kInvalidArgument);
  KOE_EXPECT_ERROR(run({1, 1, 1}, 3, 2), ErrorCode::kInvalidArgument);
  KOE_EXPECT_ERROR(run({1, 0, 1}, 3, 3), ErrorCode::kInvalidArgument);
  KOE_EXPECT_ERROR(run({1, -5, 1}, 3, 3), ErrorCode::kInvalidArgument);
  // Refused before anything is allocated for it.
  KOE_EXPECT_ERROR(run({1, static_cast<int32_t>(Alignment::kMaxFrames), 1}, 3, 3), ErrorCode::kTooLong);
  KOE_EXPECT_ERROR(run({2147483647, 2147483647, 2147483647}, 3, 3), ErrorCode::kTooLong);
}

// The reference multiplies with a matrix of zeros and ones: exact.
using AlignmentGoldenTest = test_support::GoldenTest;
TEST_F(AlignmentGoldenTest, FeaturesAreTheReferencesBitForBit) {
  for (const test_support::Golden& golden : goldens_) {
    test_support::Machine machine(test_support::BestKernels(), 1);
    test_support::Recorder recorder;
    const auto output = MakeAlignmentCpu()->Run(
        {golden.Integers("pred_dur"), golden.Matrix("d"), golden.Matrix("t_en")}, machine.context(&recorder));
    KOE_ASSERT_OK(output);
    for (const char* name : {"en", "asr"}) {
      ASSERT_EQ(recorder.tensors.count(name), 1u);
      EXPECT_EQ(recorder.tensors[name].values, test_support::Flatten(golden.Matrix(name))) << golden.name() << name;
    }
  }
}

}  // namespace
}  // namespace koe::stages
