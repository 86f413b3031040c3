// SPDX-License-Identifier: Apache-2.0
#include "base/edit_distance.h"

#include <gtest/gtest.h>

namespace koe {
namespace {

TEST(EditDistanceTest, CountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("af_hart", "af_heart"), 1u);
  EXPECT_EQ(EditDistance("saturday", "sunday"), 3u);
  EXPECT_EQ(EditDistance("ab", "ba"), 2u);
}

TEST(EditDistanceTest, TheNearestNameIsTheFirstOfEquals) {
  const std::vector<std::string> names = {"bf_emma", "af_heart", "am_adam", "af_hears"};
  EXPECT_EQ(NearestName("af_hear", names), &names[1]);
  EXPECT_EQ(NearestName("am_adan", names), &names[2]);
  EXPECT_EQ(NearestName("", {}), nullptr);
}

}  // namespace
}  // namespace koe
