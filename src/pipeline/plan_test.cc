// SPDX-License-Identifier: Apache-2.0
#include "pipeline/plan.h"

#include <gmock/gmock.h>

#include <set>
#include <string>

#include "support/synthetic_test_fixture.h"

namespace koe::pipeline {
namespace {

std::optional<int32_t> NoSymbols(char32_t) { return std::nullopt; }

TEST(PlanTest, PlacesEveryStageOnTheCpuInTheOrderOfTheFlow) {
  const auto made = MakePlan(Precision::kExact, 3);
  KOE_ASSERT_OK(made);
  const Plan& plan = *made;
  std::set<std::string> names;
  for (size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(plan[i].stage, kStages[i]);
    EXPECT_EQ(plan[i].device, &CpuDevice());
    EXPECT_EQ(plan[i].precision, Precision::kExact);
    EXPECT_EQ(plan[i].num_threads, 3);
    names.insert(StageName(plan[i].stage));
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("tokens", "duration", "alignment", "prosody", "decoder",
                                                   "harmonic_source", "generator"));
  EXPECT_EQ(Devices().back(), &CpuDevice());
  EXPECT_STREQ(CpuDevice().name(), "cpu");
  EXPECT_TRUE(CpuDevice().buckets().token_counts.empty());
  EXPECT_TRUE(CpuDevice().buckets().seconds.empty());
}

TEST(PlanTest, RefusesAPrecisionThatNoDeviceOffers) {
  KOE_EXPECT_ERROR(MakePlan(static_cast<Precision>(99), 1), ErrorCode::kUnsupported);
}

TEST(PlanTest, LoadsEveryStage) {
  ThreadPool pool(2);
  const auto plan = MakePlan(Precision::kExact, 2);
  KOE_ASSERT_OK(plan);
  const auto model =
      LoadModel(*plan, {&test_support::SharedSyntheticWeights(), &test_support::BestKernels(), NoSymbols}, pool);
  KOE_ASSERT_OK(model);
  EXPECT_TRUE(model->tokens && model->duration && model->alignment && model->prosody && model->decoder &&
              model->harmonic_source && model->generator);
}

// Stages load side by side; the error is still the same every time.
TEST(PlanTest, ReportsTheFirstErrorInTheOrderOfTheFlow) {
  test_support::SyntheticWeights weights;
  weights.Remove("decoder.generator.conv_post.bias");
  weights.Remove("predictor.shared.bias_hh_l0");
  weights.Remove("decoder.encode.conv1.weight");
  ThreadPool pool(2);
  const auto plan = MakePlan(Precision::kExact, 2);
  KOE_ASSERT_OK(plan);
  const auto model = LoadModel(*plan, {&weights, &test_support::BestKernels(), NoSymbols}, pool);
  KOE_EXPECT_ERROR(model, ErrorCode::kInternal);
  EXPECT_THAT(model.error().message(), testing::HasSubstr("predictor.shared.bias_hh_l0"));
}

}  // namespace
}  // namespace koe::pipeline
