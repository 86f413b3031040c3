// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <numeric>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "g2p/chunker.h"

namespace koe::g2p {
namespace {

using testing::ElementsAre;

struct Spoken {
  std::string input;
  PhonemeText text;
};

// Each word is its own phonemes; a full stop or comma at its end is a mark of its own.
Spoken Speak(const std::string& input) {
  Spoken spoken;
  spoken.input = input;
  const auto add = [&](size_t begin, size_t end, const char* tag, bool space) {
    WordInfo word;
    word.text = word.phonemes = input.substr(begin, end - begin);
    word.offset = begin;
    word.length = end - begin;
    word.tag = tag;
    word.whitespace = space ? " " : "";
    spoken.text.words.push_back(word);
  };
  for (size_t at = 0; at < input.size();) {
    const size_t end = std::min(input.find_first_of(" \n", at), input.size());
    const bool has_mark = end > at && (input[end - 1] == '.' || input[end - 1] == ',');
    const size_t word_end = has_mark ? end - 1 : end;
    const std::string word = input.substr(at, word_end - at);
    add(at, word_end, word == "of" || word == "to" ? "IN" : "NN", !has_mark);
    if (has_mark) add(word_end, end, ".", true);
    at = end + 1;
  }
  return spoken;
}

std::vector<std::string> PhonemesOf(const std::vector<Chunk>& chunks) {
  std::vector<std::string> phonemes;
  for (const Chunk& chunk : chunks) phonemes.push_back(chunk.phonemes);
  return phonemes;
}

// A chunk's words must tell where their phonemes lie in it.
void ExpectWordsFit(const Spoken& spoken, const std::vector<Chunk>& chunks) {
  size_t next = 0;
  for (const Chunk& chunk : chunks) {
    std::string joined;
    for (const ChunkWord& word : chunk.words) {
      EXPECT_EQ(word.word, next++);
      EXPECT_EQ(CountCodePoints(joined), word.first_symbol);
      joined += spoken.text.words[word.word].phonemes;
      if (word.space_after) joined += ' ';
    }
    EXPECT_EQ(joined, chunk.phonemes);
  }
  EXPECT_EQ(next, spoken.text.words.size());
}

TEST(JoinChunksTest, PacksSentencesOfALine) {
  const Spoken spoken = Speak("A b. C d. E f.\nG h. I j.");
  const auto sentences = ChunkSentences(spoken.input, spoken.text, 1);
  EXPECT_EQ(sentences.size(), 5u);
  text::ChunkLimits limits;
  const auto packed = PackSentences(spoken.input, sentences, limits);
  EXPECT_THAT(PhonemesOf(packed), ElementsAre("A b. C d. E f.", "G h. I j."));
  ExpectWordsFit(spoken, packed);
  EXPECT_EQ(packed[1].text_offset, 15u);
  EXPECT_EQ(packed[1].text_length, 9u);
  limits.max_characters = 9;
  EXPECT_THAT(PhonemesOf(PackSentences(spoken.input, sentences, limits)),
              ElementsAre("A b. C d.", "E f.", "G h. I j."));
  ExpectWordsFit(spoken, PackSentences(spoken.input, sentences, limits));
}

TEST(JoinChunksTest, ParagraphsAreCutIntoPartsOfLikeLength) {
  std::string paragraph;
  for (int i = 0; i < 60; ++i) paragraph += i % 3 == 0 ? "Short one. " : "Rather a longer sentence. ";
  paragraph.pop_back();
  const Spoken spoken = Speak(paragraph);
  const auto chunks = JoinParagraphs(spoken.input, ChunkSentences(spoken.input, spoken.text, 1));
  ExpectWordsFit(spoken, chunks);
  // 1,259 symbols: three chunks of 448 at most would do; none is much shorter than the others.
  ASSERT_EQ(chunks.size(), 3u);
  for (const Chunk& chunk : chunks) {
    EXPECT_LE(CountCodePoints(chunk.phonemes), kMaxSentenceTokens - 2);
    EXPECT_GE(CountCodePoints(chunk.phonemes), 390u);
  }
}

TEST(JoinChunksTest, SplitsForTheFirstAudio) {
  const auto split = [](const std::string& input, std::vector<size_t> limits) {
    const Spoken spoken = Speak(input);
    const auto chunks = ChunkSentences(spoken.input, spoken.text, 1);
    EXPECT_EQ(chunks.size(), 1u);
    const auto parts = SplitForFirstAudio(chunks[0], spoken.text, limits);
    ExpectWordsFit(spoken, parts);
    return PhonemesOf(parts);
  };
  // After a mark, else before a function word, else between words, else after the first word.
  EXPECT_THAT(split("Well now, the best of times has come.", {14}),
              ElementsAre("Well now,", "the best of times has come."));
  EXPECT_THAT(split("Best days of times have come.", {20}), ElementsAre("Best days", "of times have come."));
  EXPECT_THAT(split("Many happy people have come.", {14}), ElementsAre("Many happy", "people have come."));
  EXPECT_THAT(split("Incomprehensibilities have come.", {14}), ElementsAre("Incomprehensibilities", "have come."));
  EXPECT_THAT(split("Well now, the best of times has come.", {14, 8}),
              ElementsAre("Well now,", "the best", "of times has come."));
  EXPECT_THAT(split("Hello you all.", {10}), ElementsAre("Hello you all."));  // what would be left is too short
  EXPECT_THAT(split("Hello you all.", {}), ElementsAre("Hello you all."));
  EXPECT_THAT(split("Incomprehensibilities", {4}), ElementsAre("Incomprehensibilities"));
}

}  // namespace
}  // namespace koe::g2p
