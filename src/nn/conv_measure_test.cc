// SPDX-License-Identifier: Apache-2.0
#include "nn/conv_measure.h"

#include <gtest/gtest.h>

#include "support/machine.h"

namespace koe::nn {
namespace {

TEST(ConvMeasureTest, MeasuresEveryCandidate) {
  test_support::Machine machine(test_support::BestKernels(), 1);
  const ConvCase small{"small", {.in = 20, .out = 33, .taps = 11, .padding = 5}, 300};
  const auto candidates = kernels::ConvPlanCandidates(kernels::Target::kScalar, kernels::ConvPreset::kExact, 11);
  const auto measured = MeasureConvPlans(machine.exec(), small, candidates, 1);
  ASSERT_EQ(measured.size(), candidates.size());
  for (size_t i = 0; i < measured.size(); ++i) {
    EXPECT_EQ(measured[i].plan, candidates[i]);
    EXPECT_GT(measured[i].seconds, 0);
    EXPECT_LT(measured[i].seconds, 60);
    const bool is_small = candidates[i].is_direct || candidates[i].expand_at_run;
    EXPECT_EQ(measured[i].weight_bytes == measured[0].weight_bytes, is_small);
  }
}

TEST(ConvMeasureTest, TheSmallestOfTheFastWins) {
  const ConvMeasurement measured[] = {
      {{.tiles = 1}, 1.04, 10}, {{.tiles = 2}, 1.0, 40}, {{.tiles = 3}, 1.02, 20}, {{.tiles = 4}, 1.01, 20}};
  EXPECT_EQ(BestOf(measured, 0).plan.tiles, 2);
  EXPECT_EQ(BestOf(measured, 0.03).plan.tiles, 4);
  EXPECT_EQ(BestOf(measured, 0.05).plan.tiles, 1);
}

// A shape that the table does not know would be computed directly, whatever it costs.
TEST(ConvMeasureTest, TheTableHasTheModelsConvolutions) {
  for (const kernels::Target target : {kernels::Target::kAvx512, kernels::Target::kAvx2, kernels::Target::kNeon}) {
    for (const ConvCase& conv : ModelConvolutions()) {
      EXPECT_FALSE(
          kernels::ChooseConvPlan(target, kernels::ConvPreset::kExact, conv.shape.taps, conv.shape.in, conv.shape.out)
              .is_direct)
          << kernels::TargetName(target) << " " << conv.name;
    }
  }
}

}  // namespace
}  // namespace koe::nn
