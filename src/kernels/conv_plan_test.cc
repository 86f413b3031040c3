// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernels/fixed_planes/fixed_planes.h"

namespace koe::kernels {
namespace {

constexpr Target kTargets[] = {Target::kScalar, Target::kNeon, Target::kAvx2, Target::kAvx512};

// Every shape of the model's convolutions of stride 1, and some that it lacks.
TEST(ConvPlanTest, EveryChoiceIsACandidate) {
  for (const Target target : kTargets) {
    for (const ConvPreset preset :
         {ConvPreset::kDirect, ConvPreset::kExact, ConvPreset::kFast, ConvPreset::kLowMemory}) {
      for (const size_t taps : {1, 2, 3, 4, 5, 7, 11, 12}) {
        const std::vector<ConvPlan> candidates = ConvPlanCandidates(target, preset, taps);
        for (const size_t c_in : {1, 22, 128, 256, 512, 514, 1090}) {
          for (const size_t c_out : {1, 22, 128, 256, 512, 1024}) {
            const ConvPlan plan = ChooseConvPlan(target, preset, taps, c_in, c_out);
            EXPECT_TRUE(plan.is_direct || IsSupported(plan.form));
            EXPECT_FALSE(preset == ConvPreset::kLowMemory && plan.TransformsAtLoad());
            EXPECT_TRUE(std::find(candidates.begin(), candidates.end(), plan) != candidates.end())
                << TargetName(target) << " taps " << taps << " " << ConvPlanName(plan) << " " << plan.tiles;
          }
        }
      }
    }
  }
}

TEST(ConvPlanTest, ResidualBlocksAreTiledOnVectorTargets) {
  for (const Target target : {Target::kNeon, Target::kAvx2, Target::kAvx512}) {
    for (const size_t taps : {3, 7, 11}) {
      for (const size_t channels : {128, 256}) {
        const ConvPlan plan = ChooseConvPlan(target, ConvPreset::kExact, taps, channels, channels);
        ASSERT_FALSE(plan.is_direct);
        EXPECT_LT(plan.form.ProductsPerOutput(), 0.7 * static_cast<double>(taps));
      }
    }
  }
}

TEST(ConvPlanTest, FastIsInWholeNumbersWhereTheCpuHasThem) {
  for (const Target target : kTargets) {
    const bool has_fixed = FindFixedPlanesOps(target) != nullptr;
    for (const size_t taps : {3, 7, 11}) {
      for (const size_t channels : {128, 256}) {
        EXPECT_EQ(ChooseConvPlan(target, ConvPreset::kFast, taps, channels, channels).is_fixed, has_fixed);
        EXPECT_FALSE(ChooseConvPlan(target, ConvPreset::kExact, taps, channels, channels).is_fixed);
      }
    }
    // The generator's last convolution.
    EXPECT_EQ(ChooseConvPlan(target, ConvPreset::kFast, 7, 128, 22),
              ChooseConvPlan(target, ConvPreset::kExact, 7, 128, 22));
  }
}

TEST(ConvPlanTest, ThePresetOfReferenceIsDirect) {
  for (const Target target : kTargets) {
    EXPECT_TRUE(ChooseConvPlan(target, ConvPreset::kDirect, 3, 256, 256).is_direct);
    EXPECT_TRUE(ChooseConvPlan(target, ConvPreset::kExact, 1, 256, 256).is_direct);
  }
}

TEST(ConvPlanTest, NamesAreDistinctButForTheGroups) {
  EXPECT_EQ(ConvPlanName({}), "direct");
  std::set<std::string> names;
  size_t forms = 0;
  for (const ConvPlan& plan : ConvPlanCandidates(Target::kAvx512, ConvPreset::kExact, 11)) {
    names.insert(ConvPlanName(plan));
    forms += plan.is_direct || (plan.tiles == 12 && !plan.expand_at_run) ? 1 : 0;
  }
  EXPECT_EQ(names.size(), forms);
  EXPECT_TRUE(names.contains("toom12x2"));
  EXPECT_TRUE(names.contains("fft34"));
}

}  // namespace
}  // namespace koe::kernels
