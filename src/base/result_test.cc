// SPDX-License-Identifier: Apache-2.0
#include "koe/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace koe {
namespace {

Result<int> Half(int x) {
  if (x % 2 != 0) return Error(ErrorCode::kInvalidArgument, "number: " + std::to_string(x) + ": must be even");
  return x / 2;
}

Result<int> Quarter(int x) {
  KOE_TRY(const int half, Half(x));
  KOE_TRY(const int quarter, Half(half));
  return quarter;
}

Result<void> CheckEven(int x) {
  KOE_CHECK_OK(Half(x));
  return {};
}

TEST(ResultTest, PropagatesValuesAndErrors) {
  EXPECT_EQ(*Quarter(8), 2);
  const auto bad = Quarter(6);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(bad.error().message(), "number: 3: must be even");
  EXPECT_EQ(bad.error().WithContext("quarter").message(), "quarter: number: 3: must be even");
  EXPECT_TRUE(CheckEven(2).has_value());
  EXPECT_FALSE(CheckEven(3).has_value());
}

TEST(ResultTest, HoldsMoveOnlyValues) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(5));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 5);
}

}  // namespace
}  // namespace koe
