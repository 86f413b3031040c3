// SPDX-License-Identifier: Apache-2.0
#include "text/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace koe::text {
namespace {

using testing::ElementsAre;

std::vector<std::string> Parts(std::string_view text) {
  std::vector<std::string> parts;
  PartReader reader(text);
  while (reader.Next()) parts.push_back((reader.starts_line() ? "|" : "") + std::string(reader.part().text()));
  return parts;
}

TEST(PartReader, GivesLinesThatAreNotBlank) {
  EXPECT_THAT(Parts("  one \n\n \t\n two\r\nthree\rfour \n \x01 "), ElementsAre("|  one ", "| two", "|three", "|four"));
  EXPECT_THAT(Parts(" \n \r\n"), ElementsAre());
  EXPECT_THAT(Parts("\x01\x7F"), ElementsAre());
  EXPECT_THAT(Parts(""), ElementsAre());
}

TEST(PartReader, CutsLongLinesAfterSentences) {
  const std::string sentence = "Dr. Smith said (or so they say.) It was late! ";
  std::string text;
  while (text.size() < 3 * kMaxPartBytes) text += sentence;
  text += "\nNext.";
  std::string joined;
  size_t num_parts = 0;
  PartReader reader(text);
  while (reader.Next()) {
    const std::string_view part = reader.part().text();
    EXPECT_EQ(reader.starts_line(), num_parts == 0 || part == "Next.");
    EXPECT_LE(part.size(), kMaxPartBytes);
    if (part != "Next.") {
      EXPECT_TRUE(part.ends_with("late!") || part.ends_with("say.)") || part.ends_with("! "))
          << part.substr(part.size() - 9);
      joined += part;
    }
    ++num_parts;
  }
  EXPECT_GE(num_parts, 4u);
  EXPECT_EQ(joined + "\nNext.", text);
}

TEST(PartReader, CutsBetweenCodePointsWhereThereIsNoSpace) {
  std::string text = "a";
  while (text.size() < 3 * kMaxPartBytes) text += "\u00E9";
  std::string joined;
  for (const std::string& part : Parts(text)) {
    EXPECT_TRUE(CheckUtf8(part));
    joined += part;
  }
  EXPECT_EQ(joined, "|" + text);
}

TEST(PartReader, MapsPartsToTheTextAsGiven) {
  const std::string text = "\x01one\x02 two\r\n\x03three";
  PartReader reader(text);
  std::vector<std::tuple<std::string, size_t, size_t>> parts;
  while (reader.Next()) {
    const MappedText& part = reader.part();
    parts.emplace_back(part.text(), part.OriginalOffset(0), part.OriginalEnd(part.text().size()));
  }
  EXPECT_THAT(parts, ElementsAre(std::tuple("one two", 1, 9), std::tuple("three", 12, 17)));
}

TEST(PartReader, LimitsCombiningMarksAcrossParts) {
  std::string text = "a";
  while (text.size() < 2 * kMaxPartBytes) text += "\u0301";
  std::string all;
  for (const std::string& part : Parts(text + "b")) all += part;
  EXPECT_EQ(all.size(), 1u + 1u + 2 * kMaxCombiningMarks + 1);
}

}  // namespace
}  // namespace koe::text
