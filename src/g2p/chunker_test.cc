// SPDX-License-Identifier: Apache-2.0
#include "g2p/chunker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <fstream>
#include <random>
#include <sstream>
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

TEST(ChunkKokoro, KeepsShortTextWhole) {
  const auto chunks = ChunkKokoro(MakeText({{"həlˈO", false}, {",", true}, {"wˈɜɹld", false}, {".", false}}));
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_EQ(chunks[0].phonemes, "həlˈO, wˈɜɹld.");
  EXPECT_EQ(chunks[0].first_word, 0u);
  EXPECT_EQ(chunks[0].num_words, 4u);
  EXPECT_TRUE(ChunkKokoro(MakeText({})).empty());
  EXPECT_TRUE(ChunkKokoro(MakeText({{"", true}, {"", false}})).empty());
}

// Words and chunks of tests/data/kokoro_chunks.txt, made by Kokoro's own en_tokenize. It truncates the two chunks of
// 511 symbols; here their last word becomes a chunk.
TEST(ChunkKokoro, EqualsKokoro) {
  std::ifstream file(std::string(KOE_SOURCE_DIR) + "/tests/data/kokoro_chunks.txt");
  PhonemeText text;
  std::vector<std::array<size_t, 3>> expected;
  size_t num_cases = 0, num_truncated = 0;
  const auto check = [&] {
    if (text.words.empty()) return;
    ++num_cases;
    const auto chunks = ChunkKokoro(text);
    size_t c = 0;
    for (const auto& [first, count, length] : expected) {
      if (length == 0) continue;  // nothing but words without phonemes
      ASSERT_LT(c, chunks.size()) << num_cases;
      EXPECT_EQ(chunks[c].first_word, first) << num_cases;
      size_t num_words = chunks[c].num_words, num_phonemes = CountCodePoints(chunks[c].phonemes);
      if (length > kMaxPhonemesPerChunk) {
        ASSERT_LT(++c, chunks.size());
        ++num_truncated;
        num_words += chunks[c].num_words;
        num_phonemes += 1 + CountCodePoints(chunks[c].phonemes);
      }
      EXPECT_EQ(num_words, count) << num_cases;
      EXPECT_EQ(num_phonemes, length) << num_cases;
      ++c;
    }
    EXPECT_EQ(c, chunks.size()) << num_cases;
  };
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("C ")) {
      std::istringstream(line.substr(2)) >> expected.emplace_back()[0] >> expected.back()[1] >> expected.back()[2];
      continue;
    }
    check();
    expected.clear();
    std::vector<std::pair<std::string, bool>> words;
    for (size_t begin = 2, end; begin < line.size(); begin = end + 1) {
      end = line.find_first_of("_|", begin);
      words.emplace_back(line.substr(begin, end - begin), line[end] == '_');
    }
    text = MakeText(words);
  }
  check();
  EXPECT_EQ(num_cases, 22u);
  EXPECT_EQ(num_truncated, 2u);
}

TEST(ChunkKokoro, FitsTheLimitExactly) {
  for (const size_t n : {1u, 2u, 509u, 510u, 511u, 512u, 5000u}) {
    const auto chunks = ChunkKokoro(MakeText({{Repeat("ʃ", n), false}}));
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
  EXPECT_EQ(ChunkKokoro(MakeText({{Repeat("a", 255), true}, {Repeat("b", 254), true}})).size(), 1u);
  EXPECT_EQ(ChunkKokoro(MakeText({{Repeat("a", 255), true}, {Repeat("b", 255), true}})).size(), 2u);
}

TEST(ChunkKokoro, LinesStartChunks) {
  PhonemeText text = MakeText({{"a", true}, {"b", true}, {"c", false}});
  text.lines = {0, 2};
  EXPECT_THAT(Texts(ChunkKokoro(text)), ElementsAre("a b", "c"));
}

// Any text: no chunk over the limit, every word in order, ranges ascending.
TEST(ChunkKokoro, LosesNothing) {
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
    for (const Chunk& chunk : ChunkKokoro(text)) {
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

// Words are what spaces separate, marks by themselves; each letter is a phoneme.
PhonemeText Speak(const std::string& input) {
  PhonemeText text;
  for (size_t at = 0; at < input.size();) {
    if (input[at] == ' ' || input[at] == '\n') {
      if (input[at] == '\n') text.lines.push_back(text.words.size());
      ++at;
      continue;
    }
    size_t end = at + 1;
    const auto is_mark = [&](size_t i) { return std::string(".,;:!?\"()").find(input[i]) != std::string::npos; };
    while (!is_mark(at) && end < input.size() && input[end] != ' ' && input[end] != '\n' && !is_mark(end)) ++end;
    WordInfo word;
    word.text = word.phonemes = input.substr(at, end - at);
    word.offset = at;
    word.length = end - at;
    word.whitespace = end < input.size() && (input[end] == ' ' || input[end] == '\n') ? " " : "";
    text.words.push_back(word);
    at = end;
  }
  return text;
}
std::vector<std::string> Sentences(const std::string& input, double speed = 1) {
  return Texts(ChunkSentences(input, Speak(input), speed));
}

TEST(ChunkSentences, OneEach) {
  EXPECT_THAT(Sentences("Hello world. How are you? \"Fine!\" she said. Bye"),
              ElementsAre("Hello world.", "How are you?", "\"Fine!\" she said.", "Bye"));
  EXPECT_THAT(Sentences("one\ntwo. three\n"), ElementsAre("one", "two. three"));  // no capital: no sentence
  EXPECT_THAT(Sentences(""), ElementsAre());
  const std::string input = "  Hello world.  Bye. ";
  const auto chunks = ChunkSentences(input, Speak(input), 1);
  ASSERT_EQ(chunks.size(), 2u);
  EXPECT_EQ(input.substr(chunks[1].text_offset, chunks[1].text_length), "Bye.");
  EXPECT_EQ(chunks[1].first_word, 3u);
  EXPECT_EQ(chunks[1].num_words, 2u);
}

TEST(ChunkSentences, MarksGoWithTheirNeighbour) {
  EXPECT_THAT(Sentences("Yes. ... No. ?!"), ElementsAre("Yes. ...", "No. ?!"));
  EXPECT_THAT(Sentences("... Yes."), ElementsAre("... Yes."));
  EXPECT_THAT(Sentences("Yes.\n...\nNo."), ElementsAre("Yes.", "...", "No."));  // lines stay apart
}

TEST(ChunkSentences, SplitsLongOnesAtClauses) {
  const std::string clause = Repeat("word ", 30) + "end";  // 153
  EXPECT_THAT(Sentences(clause + ", " + clause + ", and so on."), ElementsAre(clause + ",", clause + ", and so on."));
  EXPECT_THAT(Sentences(clause + ", " + clause + ".", 2), ElementsAre(clause + ", " + clause + "."));
}

// Few letters and many phonemes, as with numbers: the 450 tokens decide.
TEST(ChunkSentences, SplitsByTokens) {
  PhonemeText text = Speak("aa bb cc dd, ee ff.");
  for (WordInfo& word : text.words) {
    if (word.text.size() == 2) word.phonemes = Repeat(word.text, 60);
  }
  std::vector<std::string> phonemes = Texts(ChunkSentences("aa bb cc dd, ee ff.", text, 1));
  ASSERT_EQ(phonemes.size(), 2u);  // six words of 120: three fit 448
  for (const std::string& chunk : phonemes) EXPECT_LE(CountCodePoints(chunk), 448u);
  // One word over the limit by itself is cut.
  text = Speak("Well, Methionyl.");
  text.words[2].phonemes = Repeat("m", 1000);
  phonemes = Texts(ChunkSentences("Well, Methionyl.", text, 1));
  EXPECT_THAT(phonemes, ElementsAre("Well,", Repeat("m", 448), Repeat("m", 448), Repeat("m", 104) + "."));
}

TEST(ChunkSentences, LosesNothing) {
  std::mt19937 random(13);
  const std::vector<std::string> parts = {"a",  "Word", "Dr.", "e.g.", ".",  "!",  "? ",
                                          ", ", ";",    " ",   " ",    "\n", "\"", "("};
  for (int round = 0; round < 300; ++round) {
    std::string input, expected, joined;
    for (size_t n = random() % 400; n > 0; --n) input += parts[random() % parts.size()];
    const PhonemeText text = Speak(input);
    for (const WordInfo& word : text.words) expected += word.phonemes;
    size_t next_word = 0;
    for (const Chunk& chunk : ChunkSentences(input, text, round % 2 == 0 ? 1 : 0.25)) {
      EXPECT_EQ(chunk.first_word, next_word);
      next_word += chunk.num_words;
      EXPECT_LE(CountCodePoints(chunk.phonemes), 448u);
      for (const char c : chunk.phonemes) {
        if (c != ' ') joined += c;
      }
    }
    EXPECT_EQ(joined, expected) << input;
  }
}

TEST(ChunkSentences, EndsWellOnHostileText) {
  const auto start = std::chrono::steady_clock::now();
  for (const std::string unit : {"word ", "Word. ", ". ", "a, ", "! A ", "\n", "\"", "word, word; "}) {
    std::string input;
    while (input.size() < (size_t{1} << 18)) input += unit;
    const PhonemeText text = Speak(input);
    ChunkSentences(input, text, 1);
    ChunkKokoro(text);
  }
  const std::string letters(100000, 'a');
  EXPECT_EQ(ChunkSentences(letters, Speak(letters), 1).size(), (100000u + 447) / 448);
  // 2 MB take 0.3 s of chunking; anything quadratic would take an hour.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
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
