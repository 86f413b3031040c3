// SPDX-License-Identifier: Apache-2.0
#include "kernels/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace koe::kernels {
namespace {

using testing::HasSubstr;

constexpr Target kAll[] = {Target::kScalar, Target::kNeon, Target::kAvx2, Target::kAvx512};

bool IsSupported(Target target) {
  const std::vector<Target> supported = SupportedTargets();
  return std::find(supported.begin(), supported.end(), target) != supported.end();
}

TEST(TargetTest, Names) {
  EXPECT_STREQ(TargetName(Target::kScalar), "scalar");
  EXPECT_STREQ(TargetName(Target::kNeon), "neon");
  EXPECT_STREQ(TargetName(Target::kAvx2), "avx2");
  EXPECT_STREQ(TargetName(Target::kAvx512), "avx512");
}

TEST(TargetTest, BestFirstScalarLastNoneTwice) {
  const std::vector<Target> supported = SupportedTargets();
  ASSERT_FALSE(supported.empty());
  EXPECT_EQ(supported.back(), Target::kScalar);
  for (size_t i = 1; i < supported.size(); ++i) EXPECT_GT(supported[i - 1], supported[i]);
  // Every CPU with AVX-512 has AVX2; no CPU has both families.
  EXPECT_TRUE(!IsSupported(Target::kAvx512) || IsSupported(Target::kAvx2));
  EXPECT_FALSE(IsSupported(Target::kNeon) && IsSupported(Target::kAvx2));
}

#if defined(__x86_64__)
TEST(TargetTest, AgreesWithTheCompilersView) {
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  EXPECT_EQ(IsSupported(Target::kAvx2), has_avx2);
  EXPECT_EQ(IsSupported(Target::kAvx512), has_avx512);
}
#endif

TEST(TargetTest, EmptyNameIsTheBest) {
  const Result<Target> target = ParseTarget("");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(*target, SupportedTargets().front());
}

TEST(TargetTest, SupportedNamesParseAndTheOthersSayWhy) {
  for (const Target target : kAll) {
    const Result<Target> parsed = ParseTarget(TargetName(target));
    if (IsSupported(target)) {
      ASSERT_TRUE(parsed.has_value()) << TargetName(target);
      EXPECT_EQ(*parsed, target);
    } else {
      ASSERT_FALSE(parsed.has_value()) << TargetName(target);
      EXPECT_EQ(parsed.error().code(), ErrorCode::kUnsupported);
      EXPECT_THAT(parsed.error().message(), HasSubstr(TargetName(target)));
      for (const Target other : SupportedTargets()) {
        EXPECT_THAT(parsed.error().message(), HasSubstr(TargetName(other)));
      }
    }
  }
}

TEST(TargetTest, UnknownNamesAreInvalidAndListWhatIs) {
  for (const char* name : {"AVX2", "avx", "avx2 ", "sse4", "avx5122", "0"}) {
    const Result<Target> parsed = ParseTarget(name);
    ASSERT_FALSE(parsed.has_value()) << name;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(parsed.error().message(), HasSubstr(name));
    for (const Target target : SupportedTargets()) {
      EXPECT_THAT(parsed.error().message(), HasSubstr(TargetName(target)));
    }
  }
}

}  // namespace
}  // namespace koe::kernels
