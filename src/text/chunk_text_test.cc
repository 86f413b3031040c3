// SPDX-License-Identifier: Apache-2.0
#include "text/chunk_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <string>

#include "base/utf8.h"
#include "text/unicode.h"

namespace koe::text {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Texts(std::string_view text, const std::vector<TextRange>& ranges) {
  std::vector<std::string> out;
  for (const TextRange& range : ranges) out.emplace_back(text.substr(range.begin, range.end - range.begin));
  return out;
}
std::vector<std::string> Chunks(std::string_view text, const ChunkLimits& limits = {}) {
  return Texts(text, ChunkText(text, limits));
}
std::vector<std::string> Retry(std::string_view text) { return Texts(text, SplitForRetry(text, {0, text.size()})); }

std::string WithoutSpaces(std::string_view text) {
  std::string out;
  for (const char32_t c : CodePoints(text)) {
    if (!IsSpace(c)) AppendUtf8(c, &out);
  }
  return out;
}
size_t Length(std::string_view text) {
  size_t length = 0;
  bool in_space = false;
  for (const char32_t c : CodePoints(text)) {
    length += IsSpace(c) && in_space ? 0 : 1;
    in_space = IsSpace(c);
  }
  return length;
}

// What holds for every text: nothing but white space between chunks, none at their ends, all within the limit.
void CheckChunks(std::string_view text, const ChunkLimits& limits, size_t max_length) {
  std::string joined;
  size_t end = 0;
  for (const TextRange& range : ChunkText(text, limits)) {
    ASSERT_LT(range.begin, range.end);
    ASSERT_LE(end, range.begin);
    const std::string_view chunk = text.substr(range.begin, range.end - range.begin);
    ASSERT_FALSE(FindInvalidUtf8(chunk));
    ASSERT_LE(Length(chunk), max_length) << chunk;
    joined += WithoutSpaces(chunk);
    end = range.end;
  }
  ASSERT_EQ(joined, WithoutSpaces(text));
}

// The seed's own: every fragment is strictly shorter than what it was split from, down to single characters.
void CheckRetries(std::string_view text, TextRange chunk) {
  const std::vector<TextRange> pieces = SplitForRetry(text, chunk);
  const size_t length = Length(text.substr(chunk.begin, chunk.end - chunk.begin));
  if (length < 2) {
    ASSERT_THAT(pieces, IsEmpty());
    return;
  }
  ASSERT_GE(pieces.size(), 2u) << text.substr(chunk.begin, chunk.end - chunk.begin);
  std::string joined;
  for (const TextRange& piece : pieces) {
    const std::string_view fragment = text.substr(piece.begin, piece.end - piece.begin);
    ASSERT_GE(Length(fragment), 1u);
    ASSERT_LT(Length(fragment), length);
    joined += WithoutSpaces(fragment);
    CheckRetries(text, piece);
  }
  ASSERT_EQ(joined, WithoutSpaces(text.substr(chunk.begin, chunk.end - chunk.begin)));
}

TEST(ChunkText, OneSentenceEach) {
  EXPECT_THAT(Chunks("Hello world. How are you? \"Fine!\" she said. (So-so.) Bye"),
              ElementsAre("Hello world.", "How are you?", "\"Fine!\" she said.", "(So-so.)", "Bye"));
  EXPECT_THAT(Chunks("A. B. Testing starts."), ElementsAre("A. B. Testing starts."));  // the seed's vector
  EXPECT_THAT(Chunks(""), IsEmpty());
  EXPECT_THAT(Chunks(" \n "), IsEmpty());
}

TEST(ChunkText, SplitsLongSentencesByTime) {
  // 15 s are 210 characters; the clauses of 150 and 64 fit by themselves and not together.
  const std::string first = std::string(149, 'a') + ",", second = " " + std::string(63, 'b') + ".";
  EXPECT_THAT(Chunks(first + second), ElementsAre(first, second.substr(1)));
  EXPECT_EQ(Chunks(std::string(150, 'a') + "," + std::string(58, 'b') + ".").size(), 1u);  // 210
  // A slow voice says half as much, a fast one twice as much.
  EXPECT_EQ(Chunks(std::string(99, 'a') + ", " + std::string(29, 'b'), {.speed = 0.5}).size(), 2u);
  EXPECT_EQ(Chunks(first + second, {.speed = 2}).size(), 1u);
  // One clause too long: the words of the whole sentence are packed.
  const std::string clause =
      "abc, " + std::string(100, 'd') + " " + std::string(100, 'e') + " " + std::string(100, 'f');
  EXPECT_THAT(Chunks(clause),
              ElementsAre("abc, " + std::string(100, 'd') + " " + std::string(100, 'e'), std::string(100, 'f')));
}

TEST(ChunkText, KeepsNumbersWhole) {
  // 0.6 s are eight characters, as in the seed's test: no clause fits, so words are packed and the longest is cut.
  EXPECT_THAT(Chunks("It costs 1,000.50, more or less, as of 10:30 now.", {.max_seconds = 0.65}),
              ElementsAre("It costs", "1,000.50,", "more or", "less, as", "of 10:30", "now."));
  // The seed's vector: 49 characters, 0.6 s (eight characters), eight pieces, and the number is one of them.
  constexpr std::string_view kTax = "The tax was 1,000.50, paid in full by noon today.";
  ASSERT_EQ(kTax.size(), 49u);
  EXPECT_THAT(Chunks(kTax, {.max_seconds = 0.6}),
              ElementsAre("The tax", "was", "1,000.50", ",", "paid in", "full by", "noon", "today."));
  EXPECT_THAT(Chunks("abcdefghijk lm", {.max_seconds = 0.3}), ElementsAre("abcd", "efgh", "ijk", "lm"));
  EXPECT_THAT(Chunks("It is 1,234 km, or 10:30 h; far", {.max_seconds = 1.1}),
              ElementsAre("It is 1,234 km,", "or 10:30 h; far"));
}

TEST(ChunkText, CutsWindows) {
  EXPECT_THAT(Chunks("abcdef ghij klmn", {.max_characters = 6}), ElementsAre("abcdef", "ghij", "klmn"));  // the seed's
  EXPECT_THAT(Chunks("abcdef, ghij; klmn", {.max_characters = 12}), ElementsAre("abcdef,", "ghij; klmn"));
  EXPECT_THAT(Chunks("abcdefghij", {.max_characters = 4}), ElementsAre("abcd", "efgh", "ij"));
  EXPECT_THAT(Chunks("abc", {.max_characters = 0}), ElementsAre("a", "b", "c"));
}

TEST(SplitForRetry, TakesSentencesInWindows) {
  EXPECT_THAT(Retry("This is a first sentence, long enough. And this is one more of them."),
              ElementsAre("This is a first sentence, long", "enough.", "And this is one more of them."));
  EXPECT_THAT(Retry("One. Two. Three. Four."), ElementsAre("One. Two.", "Three.", "Four."));
  EXPECT_THAT(Retry("ab"), ElementsAre("a", "b"));
  EXPECT_THAT(Retry("a"), IsEmpty());
  EXPECT_THAT(Retry(""), IsEmpty());
}

// Of 99 characters no piece may have more than 50, and fewer than 32 are too few: the last sentence's 22 cannot be
// joined to the 45 before it, but the cut can move to the one space of [32, 36), unless an abbreviation stands there.
TEST(SplitForRetry, MovesTheCutBeforeAShortTail) {
  const std::string first = "Aaaa aaaa aaaa aaaa aaaa aaaa.", head = "Bbbb bbbb bbbb bbbb bbbb bbbb";
  const std::string last = "Cccc cccc cccc cccc c.";
  EXPECT_THAT(Retry(first + " " + head + " even washingto. " + last),
              ElementsAre(first, head + " even", "washingto. " + last));
  EXPECT_THAT(Retry(first + " " + head + " Gen. washingto. " + last),
              ElementsAre(first, head + " Gen. washingto.", last));
  EXPECT_THAT(Retry(first + " " + head + " K.L. washingto. " + last),
              ElementsAre(first, head + " K.L. washingto.", last));
}

// Austen, Melville, Dickens, Carroll, Doyle.
constexpr const char* kPassages[] = {
    "\"My dear Mr. Bennet,\" said his lady to him one day, \"have you heard that Netherfield Park is let at last?\" "
    "Mr. "
    "Bennet replied that he had not. \"But it is,\" returned she; \"for Mrs. Long has just been here, and she told me "
    "all "
    "about it.\" Mr. Bennet made no answer.",
    "Call me Ishmael. Some years ago\u2014never mind how long precisely\u2014having little or no money in my purse, "
    "and "
    "nothing particular to interest me on shore, I thought I would sail about a little and see the watery part of the "
    "world. It is a way I have of driving off the spleen and regulating the circulation.",
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it "
    "was "
    "the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness, "
    "it "
    "was the spring of hope, it was the winter of despair.",
    "Alice was beginning to get very tired of sitting by her sister on the bank, and of having nothing to do: once or "
    "twice she had peeped into the book her sister was reading, but it had no pictures or conversations in it, "
    "\u2018and "
    "what is the use of a book,\u2019 thought Alice \u2018without pictures or conversations?\u2019",
    "To Sherlock Holmes she is always the woman. I have seldom heard him mention her under any other name. In his eyes "
    "she "
    "eclipses and predominates the whole of her sex. It was not that he felt any emotion akin to love for Irene "
    "Adler."};

// The seed's invariants: prose joins again exactly with single spaces, at any limit that cuts no word.
TEST(ChunkText, ProseJoinsAgain) {
  for (const std::string passage : kPassages) {
    for (const double seconds : {15.0, 4.0, 1.5}) {
      std::string joined;
      ChunkLimits limits;
      limits.max_seconds = seconds;
      for (const std::string& chunk : Chunks(passage, limits)) joined += (joined.empty() ? "" : " ") + chunk;
      EXPECT_EQ(joined, passage);
    }
    CheckChunks(passage, {}, 210);
    CheckRetries(passage, {0, passage.size()});
  }
}

TEST(ChunkText, LosesNothingOfRandomText) {
  std::mt19937 random(7);
  const std::vector<std::string> parts = {"a", "Word", "7",    "1,5", ".",   "!",    "?",    ",", ";",
                                          ":", " ",    "  ",   "\n",  "\t",  "\"",   "”",    "(", ")",
                                          "é", "日本", "🙂", "’",   "Dr.", "e.g.", "U.S.", "-", "—"};
  for (int round = 0; round < 400; ++round) {
    std::string text;
    for (size_t n = random() % 200; n > 0; --n) text += parts[random() % parts.size()];
    CheckChunks(text, {}, 210);
    CheckChunks(text, {.max_seconds = 1}, 14);
    CheckChunks(text, {.max_characters = 1 + random() % 40}, 40);
    CheckRetries(text, {0, text.size()});
  }
}

TEST(ChunkText, EndsWellOnHostileText) {
  const auto start = std::chrono::steady_clock::now();
  for (const std::string unit : {"a", ".", ",", " a", "🙂", "A. ", "a, ", "1,", "\n", "\"", "a;"}) {
    std::string text;
    while (text.size() < (size_t{1} << 20)) text += unit;
    size_t total = 0;
    for (const TextRange& range : ChunkText(text, {})) total += range.end - range.begin;
    EXPECT_LE(total, text.size());
    EXPECT_GE(total, unit == "\n" ? size_t{0} : text.size() / 3) << unit;
  }
  // 11 MB take 0.4 s; anything quadratic would take hours.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace koe::text
