// SPDX-License-Identifier: Apache-2.0
#include "text/segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace koe::text {
namespace {

using testing::ElementsAre;

std::vector<std::string> Texts(std::string_view text, const std::vector<TextRange>& ranges) {
  std::vector<std::string> out;
  for (const TextRange& range : ranges) out.emplace_back(text.substr(range.begin, range.end - range.begin));
  return out;
}
std::vector<std::string> Sentences(std::string_view text) { return Texts(text, SplitSentences(text)); }
std::vector<std::string> Lines(std::string_view text) { return Texts(text, SplitLines(text)); }

TEST(SplitLines, SkipsBlankOnesAndStripsTheEnds) {
  EXPECT_THAT(Lines("  one \n\n \t\n two\nthree \n "), ElementsAre("one ", " two", "three"));
  EXPECT_THAT(Lines(" \n \n"), ElementsAre());
  EXPECT_THAT(Lines(""), ElementsAre());
}

TEST(SplitSentences, EndsAfterClosers) {
  EXPECT_THAT(Sentences("He left. \"Why?\" she asked. (Nobody knew.) End"),
              ElementsAre("He left.", "\"Why?\" she asked.", "(Nobody knew.)", "End"));
}

TEST(SplitSentences, KnowsAbbreviationsInitialsAndNumbers) {
  EXPECT_THAT(Sentences("Dr. Smith met J. R. Jones at 3.15 p.m. on the St. Louis road. Then, e.g. Tuesday."),
              ElementsAre("Dr. Smith met J. R. Jones at 3.15 p.m. on the St. Louis road.", "Then, e.g. Tuesday."));
  EXPECT_THAT(Sentences("It ended... maybe not. Yes!! No"), ElementsAre("It ended... maybe not.", "Yes!!", "No"));
}

TEST(SplitSentences, StaysLinear) {
  std::string text;
  for (int i = 0; i < 300000; ++i) text += ".)\" ";
  const auto start = std::chrono::steady_clock::now();
  SplitSentences(text);
  // 1.2 MB takes some 20 ms; a quadratic scan would take minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

}  // namespace
}  // namespace koe::text
