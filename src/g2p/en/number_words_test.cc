// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/number_words.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace koe::g2p::en {
namespace {

std::string Join(const Words& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// Expected values are num2words 0.5.14's with commas and hyphens taken for spaces.
TEST(NumberWords, Cardinals) {
  EXPECT_EQ(Join(CardinalWords("0")), "zero");
  EXPECT_EQ(Join(CardinalWords("007")), "seven");
  EXPECT_EQ(Join(CardinalWords("110")), "one hundred and ten");
  EXPECT_EQ(Join(CardinalWords("1001")), "one thousand and one");
  EXPECT_EQ(Join(CardinalWords("105021")), "one hundred and five thousand and twenty one");
  EXPECT_EQ(Join(CardinalWords("1000100")), "one million one hundred");
  EXPECT_EQ(Join(CardinalWords("1" + std::string(33, '0'))), "one decillion");
  EXPECT_EQ(Join(CardinalWords("1" + std::string(303, '0'))), "one centillion");
  EXPECT_EQ(CardinalWords(std::string(307, '1')).size(), 307u);
}

TEST(NumberWords, Ordinals) {
  EXPECT_EQ(Join(OrdinalWords("0")), "zeroth");
  EXPECT_EQ(Join(OrdinalWords("12")), "twelfth");
  EXPECT_EQ(Join(OrdinalWords("20")), "twentieth");
  EXPECT_EQ(Join(OrdinalWords("101")), "one hundred and first");
  EXPECT_EQ(Join(OrdinalWords("2000000")), "two millionth");
}

TEST(NumberWords, Years) {
  EXPECT_EQ(Join(YearWords("1905")), "nineteen oh five");
  EXPECT_EQ(Join(YearWords("1100")), "eleven hundred");
  EXPECT_EQ(Join(YearWords("2001")), "two thousand and one");
  EXPECT_EQ(Join(YearWords("2010")), "twenty ten");
  EXPECT_EQ(Join(YearWords("0099")), "ninety nine");
}

TEST(NumberWords, Decimals) {
  const std::pair<const char*, const char*> cases[] = {
      {"2.50", "two point five"},
      {"10.0", "ten"},
      {"0.05", "zero point zero five"},
      {"0.00001", "zero point zero zero zero zero one"},
      {"3.14159", "three point one four one five nine"},
      {"7.", "seven"},
  };
  for (const auto& [number, words] : cases) {
    EXPECT_EQ(Join(DecimalWords(number)), words);
    EXPECT_EQ(Join(DoubleWords(number)), words);
  }
}

TEST(NumberWords, DecimalsBeyondADouble) {
  EXPECT_EQ(
      Join(DecimalWords("1.00000000000000000001")),
      "one point zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero zero one");
  EXPECT_EQ(Join(DoubleWords("1.00000000000000000001")), "one");
  const std::string large = "1" + std::string(24, '0') + ".0";  // as a double below 10^24
  EXPECT_EQ(Join(DecimalWords(large)), "one septillion");
  EXPECT_TRUE(Join(DoubleWords(large)).starts_with("nine hundred and ninety nine sextillion"));
  EXPECT_EQ(DoubleWords("1" + std::string(310, '0') + ".5").size(), 313u);  // infinite: digit by digit
}

}  // namespace
}  // namespace koe::g2p::en
