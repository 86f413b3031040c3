// SPDX-License-Identifier: Apache-2.0
#include "g2p/chunker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/utf8.h"

namespace koe::g2p {
namespace {

using testing::ElementsAre;

PhonemeText MakeText(const std::vector<std::pair<std::string, bool>>& words) {
  PhonemeText text;
  size_t offset = 0;
  for (const auto& [phonemes, space] : words) {
    WordInfo word;
    word.phonemes = phonemes;
    word.offset = offset;
    word.length = phonemes.size();
    word.whitespace = space ? " " : "";
    offset += phonemes.size() + (space ? 1 : 0);
    text.words.push_back(word);
  }
  text.lines = {0};
  return text;
}
std::string Repeat(const std::string& s, size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += s;
  return out;
}
std::vector<std::string> Texts(const std::vector<Chunk>& chunks) {
  std::vector<std::string> out;
  for (const Chunk& chunk : chunks) out.push_back(chunk.phonemes);
  return out;
}

TEST(ChunkWords, KeepsShortTextWhole) {
  const auto chunks = ChunkWords(MakeText({{"həlˈO", false}, {",", true}, {"wˈɜɹld", false}, {".", false}}));
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_EQ(chunks[0].phonemes, "həlˈO, wˈɜɹld.");
  EXPECT_EQ(chunks[0].first_word, 0u);
  EXPECT_EQ(chunks[0].num_words, 4u);
  EXPECT_TRUE(ChunkWords(MakeText({})).empty());
  EXPECT_TRUE(ChunkWords(MakeText({{"", true}, {"", false}})).empty());
}

TEST(ChunkWords, CutsAfterTheBestMark) {
  const std::string a = Repeat("a", 100);
  // The full stop stands first; the later comma must not win over it.
  EXPECT_THAT(Texts(ChunkWords(MakeText(
                  {{a, false}, {".", true}, {a, true}, {a, false}, {",", true}, {a, true}, {a, true}, {a, false}}))),
              ElementsAre(a + ".", a + " " + a + ", " + a + " " + a + " " + a));
  // No full stop: the semicolon, with the quotation mark after it.
  EXPECT_THAT(
      Texts(ChunkWords(MakeText(
          {{a, true}, {a + "bbbb", false}, {";", false}, {"”", true}, {a, false}, {",", true}, {a, true}, {a, true}}))),
      ElementsAre(a + " " + a + "bbbb;”", a + ", " + a + " " + a));
  // No mark at all: between words, clitics staying with theirs.
  EXPECT_THAT(
      Texts(ChunkWords(MakeText({{a, true}, {a, true}, {a, true}, {a, true}, {a, false}, {Repeat("b", 20), false}}))),
      ElementsAre(a + " " + a + " " + a + " " + a, a + Repeat("b", 20)));
}

TEST(ChunkWords, FitsTheLimitExactly) {
  for (const size_t n : {1u, 2u, 509u, 510u, 511u, 512u, 5000u}) {
    const auto chunks = ChunkWords(MakeText({{Repeat("ʃ", n), false}}));
    ASSERT_EQ(chunks.size(), (n + 509) / 510) << n;
    size_t total = 0;
    for (const Chunk& chunk : chunks) {
      const size_t size = CountCodePoints(chunk.phonemes);
      EXPECT_GE(size, 1u);
      EXPECT_LE(size, 510u);
      EXPECT_EQ(chunk.first_word, 0u);
      total += size;
    }
    EXPECT_EQ(total, n);
  }
  // 255 + space + 254 = 510 fits, one more does not.
  EXPECT_EQ(ChunkWords(MakeText({{Repeat("a", 255), true}, {Repeat("b", 254), true}})).size(), 1u);
  EXPECT_EQ(ChunkWords(MakeText({{Repeat("a", 255), true}, {Repeat("b", 255), true}})).size(), 2u);
}

TEST(ChunkWords, LinesStartChunks) {
  PhonemeText text = MakeText({{"a", true}, {"b", true}, {"c", false}});
  text.lines = {0, 2};
  EXPECT_THAT(Texts(ChunkWords(text)), ElementsAre("a b", "c"));
}

// Any text: no chunk over the limit, every word in order, ranges ascending.
TEST(ChunkWords, LosesNothing) {
  std::mt19937 random(11);
  const std::vector<std::string> marks = {".", ",", ";", "—", "”", ")", "…", ""};
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<std::string, bool>> words;
    for (size_t n = random() % 300; n > 0; --n) {
      if (random() % 4 == 0) {
        words.emplace_back(marks[random() % marks.size()], random() % 2 == 0);
      } else {
        words.emplace_back(Repeat("ɪ", random() % 50 == 0 ? random() % 1500 : random() % 12), random() % 8 != 0);
      }
    }
    const PhonemeText text = MakeText(words);
    std::string expected, joined;
    for (const auto& [phonemes, space] : words) expected += phonemes;
    size_t next_word = 0;
    for (const Chunk& chunk : ChunkWords(text)) {
      EXPECT_LE(CountCodePoints(chunk.phonemes), 510u);
      EXPECT_GE(chunk.first_word + 1, next_word);
      next_word = chunk.first_word + chunk.num_words;
      EXPECT_LE(chunk.text_offset + chunk.text_length, text.words.back().offset + text.words.back().length);
      for (const char c : chunk.phonemes) {
        if (c != ' ') joined += c;
      }
    }
    EXPECT_EQ(joined, expected) << round;
  }
}

TEST(ChunkPhonemes, CutsRawPhonemes) {
  EXPECT_THAT(Texts(ChunkPhonemes("  həlˈO,  wˈɜɹld. ")), ElementsAre("həlˈO, wˈɜɹld."));
  EXPECT_TRUE(ChunkPhonemes("  ").empty());
  const std::string a = Repeat("ɑ", 300);
  const auto chunks = ChunkPhonemes(a + ". " + a);
  EXPECT_THAT(Texts(chunks), ElementsAre(a + ".", a));
  EXPECT_EQ(chunks[1].text_offset, a.size() + 2);
  EXPECT_EQ(chunks[1].text_length, a.size());
  EXPECT_EQ(ChunkPhonemes(Repeat("ɑ", 511)).size(), 2u);
}

}  // namespace
}  // namespace koe::g2p
