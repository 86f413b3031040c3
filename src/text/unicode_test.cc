// SPDX-License-Identifier: Apache-2.0
#include "text/unicode.h"

#include <gtest/gtest.h>

namespace koe::text {
namespace {

// Expected values are Python's.
TEST(Unicode, ClassesAreThoseOfPython) {
  for (const char32_t c : {U' ', U'\t', U'\x1C', U'\x85', U'\u00A0', U'\u2003', U'\u2028', U'\u3000'}) {
    EXPECT_TRUE(IsSpace(c)) << static_cast<unsigned>(c);
  }
  for (const char32_t c : {U'\u200B', U'\uFEFF', U'\0', U'x'}) EXPECT_FALSE(IsSpace(c)) << static_cast<unsigned>(c);
  EXPECT_TRUE(IsLetter(U'\u00AA') && IsLetter(U'\u02B0') && IsLetter(U'\u4E00'));
  EXPECT_FALSE(IsLetter(U'\u0301') || IsLetter(U'1') || IsLetter(U'_'));
  EXPECT_TRUE(IsUpper(U'\u00C9') && IsLower(U'\u00E9') && !IsUpper(U'\u01C5'));
  EXPECT_TRUE(IsDecimalDigit(U'\u0664') && !IsDecimalDigit(U'\u00B2'));
}

TEST(Unicode, CodePointsAreThoseOfTheText) {
  const auto list = [](std::string_view text) {
    std::u32string points;
    for (const char32_t c : CodePoints(text)) points += c;
    return points;
  };
  EXPECT_EQ(list(""), U"");
  EXPECT_EQ(list("a\u00E9\u20AC\U0001F600b"), U"a\u00E9\u20AC\U0001F600b");
  EXPECT_EQ(list(std::string_view("a\0b", 3)), U"a");
  EXPECT_EQ(list("a\xFF"), U"a");  // ill-formed bytes end it too: no endless loop
}

TEST(Unicode, DigitValues) {
  EXPECT_EQ(DigitValue(U'7'), 7);
  EXPECT_EQ(DigitValue(U'\u00B2'), 2);
  EXPECT_EQ(DigitValue(U'\u0664'), 4);
  EXPECT_EQ(DigitValue(U'\u2461'), 2);
  EXPECT_EQ(DigitValue(U'\u00BD'), -1);
  EXPECT_EQ(DigitValue(U'a'), -1);
}

TEST(Unicode, Mappings) {
  EXPECT_EQ(ToLower("\u00C9T\u00C9 Ab"), "\u00E9t\u00E9 ab");
  EXPECT_EQ(ToUpper("stra\u00DFe"), "STRASSE");
  EXPECT_EQ(ToNfkc("\uFB01x\u00B2"), "fix2");
  EXPECT_EQ(ToNfkd("\u00E9"), "e\u0301");
}

}  // namespace
}  // namespace koe::text
