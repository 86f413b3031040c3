// SPDX-License-Identifier: Apache-2.0
#include "text/normalize.h"

#include <gtest/gtest.h>

#include <string>

namespace koe::text {
namespace {

TEST(CheckUtf8, NamesTheByte) {
  EXPECT_TRUE(CheckUtf8("plain, caf\u00E9, \U0001F600"));
  const auto result = CheckUtf8("ok \xC0\xAF");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(result.error().message(), "text: invalid UTF-8 at byte 3");
}

TEST(CleanText, DropsControlsAndKeepsOffsets) {
  const std::string text = std::string("a\x01") + "b\r\nc\rd\te\x7F" + std::string(1, '\0') + "f";
  const auto clean = CleanText(text);
  ASSERT_TRUE(clean);
  EXPECT_EQ(clean->text(), "ab\nc\nd\tef");
  for (size_t i = 0; i < clean->text().size(); ++i) {
    const char c = clean->text()[i];
    const char original = text[clean->OriginalOffset(i)];
    EXPECT_TRUE(c == original || (c == '\n' && original == '\r')) << i;
  }
  EXPECT_EQ(clean->OriginalEnd(clean->text().size()), text.size());
}

TEST(CleanText, LimitsCombiningMarks) {
  std::string text = "a";
  for (int i = 0; i < 1000; ++i) text += "\u0301";
  text += "b";
  const auto clean = CleanText(text);
  ASSERT_TRUE(clean);
  EXPECT_EQ(clean->text().size(), 1u + 2 * kMaxCombiningMarks + 1);
  EXPECT_EQ(clean->OriginalOffset(clean->text().size() - 1), text.size() - 1);
}

TEST(MappedText, MapsAPartOfAPart) {
  MappedText first;
  first.Append("hello ", 10);
  first.Append("world", 40);
  MappedText second;
  second.AppendMapped(first, 3, 9);
  EXPECT_EQ(second.text(), "lo wor");
  EXPECT_EQ(second.OriginalOffset(0), 13u);
  EXPECT_EQ(second.OriginalOffset(2), 15u);
  EXPECT_EQ(second.OriginalOffset(3), 40u);
  EXPECT_EQ(second.OriginalEnd(6), 43u);
}

TEST(MappedText, EmptyTextMapsToTheStart) {
  EXPECT_EQ(MappedText().OriginalOffset(0), 0u);
  EXPECT_EQ(MappedText().OriginalEnd(0), 0u);
}

}  // namespace
}  // namespace koe::text
