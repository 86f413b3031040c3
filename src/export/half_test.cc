// SPDX-License-Identifier: Apache-2.0
#include "export/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "bundle/half.h"

namespace koe::exporter {
namespace {

TEST(Half, EveryHalfComesBack) {
  for (uint32_t half = 0; half <= 0xFFFF; ++half) {
    const float value = bundle::HalfToFloat(static_cast<uint16_t>(half));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(bundle::HalfToFloat(FloatToHalf(value))));
    } else {
      ASSERT_EQ(FloatToHalf(value), half);
    }
  }
}

// Between neighbours the midpoint goes to the even one, and the floats beside it to the nearer one. The midpoint of two
// float16 values is a float32.
TEST(Half, RoundsToNearestEven) {
  for (uint32_t half = 0; half < 0x7BFF; ++half) {
    const float low = bundle::HalfToFloat(static_cast<uint16_t>(half));
    const float high = bundle::HalfToFloat(static_cast<uint16_t>(half + 1));
    const float middle = low + (high - low) / 2;
    ASSERT_EQ(FloatToHalf(middle), half % 2 == 0 ? half : half + 1) << half;
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, low)), half);
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, high)), half + 1);
    ASSERT_EQ(FloatToHalf(-middle), FloatToHalf(middle) | 0x8000);
  }
}

TEST(Half, Ends) {
  EXPECT_EQ(FloatToHalf(65519.996f), 0x7BFF);
  EXPECT_EQ(FloatToHalf(65520.0f), 0x7C00);
  EXPECT_EQ(FloatToHalf(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_EQ(FloatToHalf(0x1p-25f), 0);  // a tie with zero
  EXPECT_EQ(FloatToHalf(0x1.8p-25f), 1);
  EXPECT_EQ(FloatToHalf(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(Half, PacksBothWidths) {
  const float values[] = {1.0f, -2.0f};
  EXPECT_EQ(*PackFloats(true, values),
            (std::vector<std::byte>{std::byte{0}, std::byte{0x3C}, std::byte{0}, std::byte{0xC0}}));
  EXPECT_EQ(PackFloats(false, values)->size(), 8u);
}

}  // namespace
}  // namespace koe::exporter
