// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <gtest/gtest.h>

namespace koe {
namespace {

TEST(Utf8Test, RoundTripsEveryScalarValue) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    AppendUtf8(c, &text);
    size_t position = 0;
    const auto decoded = DecodeUtf8(text, &position);
    ASSERT_TRUE(decoded && *decoded == c) << std::hex << uint32_t(c);
    ASSERT_EQ(position, text.size());
  }
}

// Unicode 15, section 3.9, tables 3-7 to 3-11: first ill-formed byte of each.
TEST(Utf8Test, FindsIllFormedSequences) {
  const std::pair<std::string_view, size_t> cases[] = {{"a\xC0\x80", 1},
                                                       {"\xC1\xBF", 0},
                                                       {"ok\xE0\x9F\xBF", 2},
                                                       {"\xED\xA0\x80", 0},
                                                       {"\xF0\x8F\xBF\xBF", 0},
                                                       {"\xF4\x90\x80\x80", 0},
                                                       {"\xF5\x80\x80\x80", 0},
                                                       {"x\x80", 1},
                                                       {"\xE2\x82", 0},
                                                       {"\xF0\x9F\x98", 0},
                                                       {"\xFF", 0},
                                                       {"\xE2(\xA1", 0}};
  for (const auto& [text, offset] : cases) {
    const auto found = FindInvalidUtf8(text);
    ASSERT_TRUE(found.has_value()) << text;
    EXPECT_EQ(*found, offset) << text;
  }
  EXPECT_FALSE(FindInvalidUtf8("").has_value());
  EXPECT_FALSE(FindInvalidUtf8("h\xC9\x99l\xCB\x88O \xF0\x9F\x98\x80").has_value());
}

TEST(Utf8Test, CountsCodePoints) {
  EXPECT_EQ(CountCodePoints(""), 0u);
  EXPECT_EQ(CountCodePoints("h\xC9\x99l\xCB\x88O"), 5u);
}

}  // namespace
}  // namespace koe
