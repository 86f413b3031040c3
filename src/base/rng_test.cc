// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace koe {
namespace {

// Known answers of the authors' Random123 distribution (kat_vectors, philox4x32 10).
TEST(RngTest, PhiloxKnownAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RngTest, AnyPartGivesTheSameNumbers) {
  std::vector<float> whole(1001);
  FillNormal(42, 3, 0, whole);
  for (size_t first : {0u, 1u, 2u, 3u, 4u, 500u, 999u}) {
    std::vector<float> part(whole.size() - first);
    FillNormal(42, 3, first, part);
    for (size_t i = 0; i < part.size(); ++i) ASSERT_EQ(part[i], whole[first + i]) << first << " " << i;
  }
}

TEST(RngTest, SeedsAndStreamsDiffer) {
  std::vector<float> a(100), b(100), c(100), zero(100);
  FillNormal(1, 0, 0, a);
  FillNormal(2, 0, 0, b);
  FillNormal(1, 1, 0, c);
  FillNormal(0, 0, 0, zero);
  EXPECT_NE(a, b);
  EXPECT_NE(a, c);
  EXPECT_NE(a, zero);
}

TEST(RngTest, MomentsOfANormalDistribution) {
  const size_t n = 1 << 20;
  std::vector<float> x(n);
  FillNormal(7, 0, 0, x);
  double mean = 0, square = 0, cube = 0, fourth = 0;
  for (float v : x) {
    ASSERT_TRUE(std::isfinite(v));
    ASSERT_LE(std::abs(v), 6.7f);
    mean += v, square += double{v} * v, cube += double{v} * v * v, fourth += double{v} * v * v * v;
  }
  // Five standard errors of each sample moment: sqrt(Var / n) with Var = 1, 2, 15, 96.
  const double se = 5 / std::sqrt(double(n));
  EXPECT_NEAR(mean / n, 0, se);
  EXPECT_NEAR(square / n, 1, se * std::sqrt(2));
  EXPECT_NEAR(cube / n, 0, se * std::sqrt(15));
  EXPECT_NEAR(fourth / n, 3, se * std::sqrt(96));
}

}  // namespace
}  // namespace koe
