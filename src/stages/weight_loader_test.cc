// SPDX-License-Identifier: Apache-2.0
#include "stages/weight_loader.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "stages/generator/generator.h"
#include "support/synthetic_test_fixture.h"

namespace koe::stages {
namespace {

const bundle::StoredTensor* FirstOf(bundle::DType dtype, bool many_scales) {
  for (const bundle::StoredTensor& tensor : test_support::SharedSyntheticWeights().tensors()) {
    if (tensor.dtype == dtype && (tensor.scales.size() > 1) == many_scales) return &tensor;
  }
  return nullptr;
}

// The loader's kernels against the plain function of the bundle, on every target.
TEST(WeightLoaderTest, ReadsEveryFormOfStorage) {
  using bundle::DType;
  const std::pair<DType, bool> forms[] = {
      {DType::kF32, false}, {DType::kF16, false}, {DType::kI8, false}, {DType::kI8, true}, {DType::kU8, false}};
  for (const auto& [dtype, many_scales] : forms) {
    const bundle::StoredTensor* tensor = FirstOf(dtype, many_scales);
    ASSERT_NE(tensor, nullptr);
    std::vector<float> want(tensor->num_elements());
    KOE_ASSERT_OK(bundle::Dequantise(*tensor, want));
    for (const kernels::Target target : kernels::SupportedTargets()) {
      WeightLoader loader(test_support::SharedSyntheticWeights(), kernels::KernelsFor(target));
      EXPECT_TRUE(test_support::SameBits(loader.Floats(tensor->name, want.size()), want)) << tensor->name;
      EXPECT_TRUE(loader.Finish<int>(0).has_value());
    }
  }
}

TEST(WeightLoaderTest, RemembersTheFirstError) {
  WeightLoader loader(test_support::SharedSyntheticWeights(), test_support::BestKernels());
  EXPECT_EQ(loader.Floats("no.such.tensor", 3).size(), 3u);
  EXPECT_EQ(loader.Floats("bert_encoder.bias", 511).size(), 511u);
  const auto result = loader.Finish<int>(0);
  KOE_EXPECT_ERROR(result, ErrorCode::kInternal);
  EXPECT_THAT(result.error().message(), testing::HasSubstr("no.such.tensor"));

  WeightLoader sized(test_support::SharedSyntheticWeights(), test_support::BestKernels());
  EXPECT_EQ(sized.Floats("bert_encoder.bias", 511).size(), 511u);
  KOE_EXPECT_ERROR(sized.Finish<int>(0), ErrorCode::kInternal);
}

TEST(WeightLoaderTest, AStageIsNotMadeWithoutOneOfItsTensors) {
  test_support::SyntheticWeights weights;
  weights.Remove("decoder.generator.resblocks.4.convs2.1.weight");
  const auto stage = MakeGeneratorCpu(weights, test_support::BestKernels());
  KOE_EXPECT_ERROR(stage, ErrorCode::kInternal);
  EXPECT_THAT(stage.error().message(), testing::HasSubstr("resblocks.4.convs2.1.weight"));
}

}  // namespace
}  // namespace koe::stages
