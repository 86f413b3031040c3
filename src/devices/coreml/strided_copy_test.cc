// SPDX-License-Identifier: Apache-2.0
#include "devices/coreml/strided_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace koe::devices {
namespace {

using ::testing::ElementsAre;

template <typename T>
StridedArray Array(const std::vector<T>& data, ArrayType type, std::vector<int64_t> shape,
                   std::vector<int64_t> strides) {
  return {data.data(), data.size() * sizeof(T), type, std::move(shape), std::move(strides)};
}

TEST(StridedCopy, SkipsTheGaps) {
  // Two rows of three in rows of eight, as processors that want 64-byte rows have them.
  const std::vector<float> data = {1, 2, 3, -1, -1, -1, -1, -1, 4, 5, 6};
  std::vector<float> out(6);
  ASSERT_TRUE(CopyStrided(Array(data, ArrayType::kFloat32, {1, 2, 3}, {16, 8, 1}), std::span<float>(out)));
  EXPECT_THAT(out, ElementsAre(1, 2, 3, 4, 5, 6));
  // The same memory read by columns.
  ASSERT_TRUE(CopyStrided(Array(data, ArrayType::kFloat32, {3, 2}, {1, 8}), std::span<float>(out)));
  EXPECT_THAT(out, ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(StridedCopy, ConvertsEveryType) {
  const std::vector<uint16_t> halves = {0x3C00, 0xC100, 0x0001, 0x7BFF};  // 1, -2.5, 2^-24, 65504
  std::vector<float> floats(4);
  ASSERT_TRUE(CopyStrided(Array(halves, ArrayType::kFloat16, {4}, {1}), std::span<float>(floats)));
  EXPECT_THAT(floats, ElementsAre(1.0f, -2.5f, 0x1p-24f, 65504.0f));
  const std::vector<int32_t> integers = {3, -7, 1 << 24, 0};
  ASSERT_TRUE(CopyStrided(Array(integers, ArrayType::kInt32, {2, 2}, {2, 1}), std::span<float>(floats)));
  EXPECT_THAT(floats, ElementsAre(3.0f, -7.0f, 0x1p24f, 0.0f));
  std::vector<int32_t> out(4);
  ASSERT_TRUE(CopyStrided(Array(integers, ArrayType::kInt32, {4}, {1}), std::span<int32_t>(out)));
  EXPECT_EQ(out, integers);
  const std::vector<float> numbers = {2.4f, 2.6f, -2.6f, 0};
  ASSERT_TRUE(CopyStrided(Array(numbers, ArrayType::kFloat32, {4}, {1}), std::span<int32_t>(out)));
  EXPECT_THAT(out, ElementsAre(2, 3, -3, 0));
}

TEST(StridedCopy, RefusesWhatDoesNotFit) {
  const std::vector<float> data(11);
  std::vector<float> six(6);
  std::vector<int32_t> one(1);
  const auto fails = [&](const StridedArray& array) { return !CopyStrided(array, std::span<float>(six)).has_value(); };
  EXPECT_FALSE(fails(Array(data, ArrayType::kFloat32, {2, 3}, {8, 1})));
  EXPECT_TRUE(fails(Array(data, ArrayType::kFloat32, {2, 3}, {9, 1})));  // the last element is the twelfth
  EXPECT_TRUE(fails(Array(data, ArrayType::kFloat32, {2, 2}, {8, 1})));
  EXPECT_TRUE(fails(Array(data, ArrayType::kFloat32, {2, 3}, {-8, 1})));
  EXPECT_TRUE(fails(Array(data, ArrayType::kFloat32, {2, 3}, {8})));
  EXPECT_TRUE(fails(Array(data, ArrayType::kFloat32, {0, 3}, {8, 1})));
  EXPECT_TRUE(fails(Array(data, ArrayType::kFloat32, {int64_t{1} << 40, 3}, {8, 1})));
  EXPECT_TRUE(fails({nullptr, 0, ArrayType::kFloat32, {6}, {1}}));
  for (const float value : {3e9f, std::numeric_limits<float>::quiet_NaN()}) {
    const std::vector<float> bad = {value};
    EXPECT_FALSE(CopyStrided(Array(bad, ArrayType::kFloat32, {1}, {1}), std::span<int32_t>(one)));
  }
}

}  // namespace
}  // namespace koe::devices
