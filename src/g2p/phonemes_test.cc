// SPDX-License-Identifier: Apache-2.0
#include "g2p/phonemes.h"

#include <gtest/gtest.h>

namespace koe::g2p {
namespace {

// Expected values are misaki's apply_stress.
TEST(ApplyStress, FollowsItsLevels) {
  EXPECT_EQ(ApplyStress("həlˈO", -2), "həlO");
  EXPECT_EQ(ApplyStress("ˌʌndəɹstˈænd", -1), "ʌndəɹstˌænd");
  EXPECT_EQ(ApplyStress("ˌʌndəɹstˈænd", 0), "ʌndəɹstˌænd");
  EXPECT_EQ(ApplyStress("ˌʌn", 0), "ˌʌn");
  EXPECT_EQ(ApplyStress("ðæt", 0.5), "ðˌæt");
  EXPECT_EQ(ApplyStress("ðæt", 1), "ðˌæt");
  EXPECT_EQ(ApplyStress("ðæt", 2), "ðˈæt");
  EXPECT_EQ(ApplyStress("ˌʌn", 1), "ˈʌn");
  EXPECT_EQ(ApplyStress("ˌʌn", 0.5), "ˌʌn");
  EXPECT_EQ(ApplyStress("kst", 2), "kst");
}

TEST(StressWeight, CountsDiphthongsTwice) { EXPECT_EQ(StressWeight("kˈAʧi"), 1u + 1 + 2 + 2 + 1); }

TEST(ReplaceAll, ReplacesEach) {
  std::string text = "aXbXc";
  ReplaceAll("X", "", &text);
  EXPECT_EQ(text, "abc");
}

}  // namespace
}  // namespace koe::g2p
