// SPDX-License-Identifier: Apache-2.0
#include "audio/pcm16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace koe {
namespace {

TEST(Pcm16Test, RoundsToNearestAndClips) {
  EXPECT_EQ(Pcm16FromFloat(0.0f), 0);
  EXPECT_EQ(Pcm16FromFloat(0.5f), 16384);
  EXPECT_EQ(Pcm16FromFloat(-1.0f), -32768);
  EXPECT_EQ(Pcm16FromFloat(1.0f), 32767);
  EXPECT_EQ(Pcm16FromFloat(1.5f), 32767);
  EXPECT_EQ(Pcm16FromFloat(-1.5f), -32768);
  EXPECT_EQ(Pcm16FromFloat(3e38f), 32767);
  EXPECT_EQ(Pcm16FromFloat(-3e38f), -32768);
  EXPECT_EQ(Pcm16FromFloat(0.4f / 32768), 0);
  EXPECT_EQ(Pcm16FromFloat(0.6f / 32768), 1);
  EXPECT_EQ(Pcm16FromFloat(-0.6f / 32768), -1);
  EXPECT_EQ(Pcm16FromFloat(1.5f / 32768), 2);  // halves to even
  EXPECT_EQ(Pcm16FromFloat(2.5f / 32768), 2);
  EXPECT_EQ(Pcm16FromFloat(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(Pcm16Test, IsTheInverseOfDividingBy32768) {
  for (int value = -32768; value <= 32767; ++value) {
    ASSERT_EQ(Pcm16FromFloat(static_cast<float>(value) / 32768), value);
  }
}

TEST(Pcm16Test, ErrorIsHalfAStepWithinTheRange) {
  for (int i = -100000; i < 99997; ++i) {
    const float x = static_cast<float>(i) * 1e-5f;
    ASSERT_LE(std::abs(Pcm16FromFloat(x) / 32768.0 - x), 0x1p-16) << x;
  }
}

TEST(FindNonFiniteTest, FindsTheFirst) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(FindNonFinite({}), std::nullopt);
  EXPECT_EQ(FindNonFinite(std::vector<float>{0, 3e38f, -1e-45f}), std::nullopt);
  EXPECT_EQ(FindNonFinite(std::vector<float>{0, nan, inf}), 1u);
  EXPECT_EQ(FindNonFinite(std::vector<float>{0, 1, -inf}), 2u);
}

}  // namespace
}  // namespace koe
