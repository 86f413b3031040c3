// SPDX-License-Identifier: Apache-2.0
#include "text/line_breaks.h"

#include <gtest/gtest.h>

#include <string>

#include "text/normalize.h"

namespace koe::text {
namespace {

TEST(JoinWrappedLines, JoinsWrappedProse) {
  EXPECT_EQ(JoinWrappedLines("It was the best of times, it was the worst\nof times, it was the age of wisdom, it was\n"
                             "the age of foolishness.\nIt ended.\nThe End"),
            "It was the best of times, it was the worst of times, it was the age of wisdom, it was "
            "the age of foolishness.\nIt ended.\nThe End");
  // A capital after a full line; a short line before a capital is left alone.
  EXPECT_EQ(
      JoinWrappedLines("The letter had been sent to Mr. and Mrs.\nSmith of Baker Street, London.\nDear John\nYes"),
      "The letter had been sent to Mr. and Mrs. Smith of Baker Street, London.\nDear John\nYes");
}

TEST(JoinWrappedLines, KeepsWhatIsALine) {
  for (const char* text : {"milk\neggs\nbread", "Dear John\nThank you.", "One\n\nTwo", "", "\n", "a", "a\n", "\n\na\n",
                           "Items for the long journey to the south:\n- bread\n- wine", "Chapter 1\nIt was dark.",
                           "A line of forty columns and some more here.\n    An indented paragraph"}) {
    EXPECT_EQ(JoinWrappedLines(text), text);
  }
}

TEST(JoinWrappedLines, GoesOnInLowerCase) {
  EXPECT_EQ(JoinWrappedLines("Spaces\tand\nnewlines   collapse."), "Spaces\tand newlines   collapse.");
  EXPECT_EQ(JoinWrappedLines("Hello\n\n  world"), "Hello    world");
  EXPECT_EQ(JoinWrappedLines("Hello\n\n  World"), "Hello\n\n  World");
}

TEST(JoinWrappedLines, KeepsOffsetsWithAnyLineEnd) {
  const std::string text = "one two\r\nthree\r\n\r\nFour\rfive\r\nSix";
  const std::string joined = JoinWrappedLines(text);
  ASSERT_EQ(joined.size(), text.size());
  EXPECT_EQ(joined, "one two\x7F three\x7F\n\x7F\nFour\nfive\x7F\nSix");  // the last three lines are a list
  EXPECT_EQ(CleanText(joined)->text(), "one two three\n\nFour\nfive\nSix");
}

}  // namespace
}  // namespace koe::text
