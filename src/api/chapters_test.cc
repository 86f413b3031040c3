// SPDX-License-Identifier: Apache-2.0
// Five whole chapters of books (tests/data/chapters): every character of them is in one chunk, in one word, and is
// heard at one time. Speech is fast to keep it short. KOE_LONG_TESTS: the times of all five, a quarter of an hour of
// speech; otherwise those of one's beginning.

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "koe/koe.h"
#include "support/model.h"

namespace koe {
namespace {

struct Chapter {
  std::string name, text;
};

std::vector<Chapter> ReadChapters() {
  std::vector<Chapter> chapters;
  for (const auto& entry : std::filesystem::directory_iterator(KOE_SOURCE_DIR "/tests/data/chapters")) {
    if (entry.path().extension() != ".txt") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    chapters.push_back({entry.path().stem().string(), std::string(std::istreambuf_iterator<char>(file), {})});
  }
  std::sort(chapters.begin(), chapters.end(), [](const Chapter& a, const Chapter& b) { return a.name < b.name; });
  return chapters;
}

bool IsSpace(char c) { return c == ' ' || c == '\n'; }  // the chapters have no other

size_t CodePoints(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Takes spans in order: they do not overlap, what lies between them is white space, and their code points are counted
// right. Finish: nothing but white space is left behind the last one.
class Cover {
 public:
  Cover(std::string_view text, std::string what) : text_(text), what_(std::move(what)) {}
  void Take(const TextSpan& span) {
    ASSERT_GE(span.offset, end_) << what_ << " overlap";
    ASSERT_GT(span.length, 0u) << what_ << " at " << span.offset;
    ASSERT_LE(span.offset + span.length, text_.size()) << what_;
    SkipSpace(span.offset);
    EXPECT_EQ(span.code_point_offset, code_points_) << what_ << " at " << span.offset;
    const size_t length = CodePoints(text_.substr(span.offset, span.length));
    EXPECT_EQ(span.code_point_length, length) << what_ << " at " << span.offset;
    code_points_ += length;
    end_ = span.offset + span.length;
  }
  void Finish() {
    SkipSpace(text_.size());
    EXPECT_EQ(code_points_, CodePoints(text_));
  }

 private:
  void SkipSpace(size_t to) {
    const std::string_view between = text_.substr(end_, to - end_);
    EXPECT_TRUE(std::all_of(between.begin(), between.end(), IsSpace))
        << what_ << " lack '" << between << "' at " << end_;
    code_points_ += between.size();  // white space is ASCII
    end_ = to;
  }
  std::string_view text_;
  std::string what_;
  size_t end_ = 0, code_points_ = 0;
};

class ChaptersTest : public testing::Test {
 protected:
  void SetUp() override {
    EngineOptions options;
    options.num_threads = 2;
    auto engine = Engine::Open(test_support::BundlePath(), options);
    if (!engine) GTEST_SKIP() << "no bundle at " << test_support::BundlePath();
    engine_.emplace(std::move(*engine));
  }
  std::optional<Engine> engine_;
};

TEST(ChaptersDataTest, AreFiveWholeOnes) {
  const std::vector<Chapter> chapters = ReadChapters();
  ASSERT_EQ(chapters.size(), 5u);
  for (const Chapter& chapter : chapters) {
    EXPECT_GT(chapter.text.size(), 9000u) << chapter.name;
    for (const char c : chapter.text) ASSERT_FALSE(std::isspace(static_cast<unsigned char>(c)) && !IsSpace(c));
  }
}

TEST_F(ChaptersTest, EveryCharacterIsInOneChunkAndOneWord) {
  for (const Chapter& chapter : ReadChapters()) {
    for (const Chunking chunking : {Chunking::kSentences, Chunking::kPacked, Chunking::kParagraph, Chunking::kKokoro}) {
      SCOPED_TRACE(chapter.name + ", chunking " + std::to_string(static_cast<int>(chunking)));
      SynthesisOptions options;
      options.chunking = chunking;
      const auto prepared = engine_->Prepare(chapter.text, options);
      ASSERT_TRUE(prepared.has_value()) << prepared.error().message();
      Cover chunks(chapter.text, "chunks"), words(chapter.text, "words");
      for (const PreparedChunk& chunk : prepared->chunks) {
        chunks.Take(chunk.span);
        EXPECT_EQ(chunk.text, chapter.text.substr(chunk.span.offset, chunk.span.length));
        size_t token = 1;  // behind the boundary token
        for (const PreparedWord& word : chunk.words) {
          EXPECT_GE(word.span.offset, chunk.span.offset);
          EXPECT_LE(word.span.offset + word.span.length, chunk.span.offset + chunk.span.length);
          if (!word.continues) words.Take(word.span);
          if (word.num_tokens == 0 && !word.space_token) continue;
          EXPECT_EQ(word.first_token, token) << word.info.text;
          token = word.first_token + word.num_tokens + (word.space_token ? 1 : 0);
        }
        EXPECT_EQ(token + 1, chunk.token_ids.size());  // every token is some word's
      }
      chunks.Finish();
      words.Finish();
    }
  }
}

// Times of the whole text; returns the seconds of its audio.
void CheckTimes(const std::string& text, const Audio& audio) {
  const size_t num_samples = audio.samples.size();
  ASSERT_EQ(audio.words.size(), audio.word_times.size());
  Cover words(text, "words");
  size_t last = 0;
  for (size_t i = 0; i < audio.word_times.size(); ++i) {
    const WordTime& word = audio.word_times[i];
    words.Take(word.span);
    EXPECT_GE(word.first_sample, last) << word.text;
    EXPECT_LE(word.first_sample + word.num_samples, num_samples) << word.text;
    // Silent is only what has no phonemes.
    EXPECT_EQ(word.num_samples == 0, word.num_tokens == 0) << word.text;
    EXPECT_EQ(word.num_tokens == 0, audio.words[i].phonemes.empty()) << word.text;
    ASSERT_LT(word.sentence, audio.sentence_times.size());
    ASSERT_LT(word.chunk, audio.chunks.size());
    last = word.first_sample;
  }
  words.Finish();
  Cover sentences(text, "sentences"), chunks(text, "chunks");
  size_t next_word = 0;
  for (const SentenceTime& sentence : audio.sentence_times) {
    sentences.Take(sentence.span);
    EXPECT_EQ(sentence.first_word, next_word);
    next_word += sentence.num_words;
    EXPECT_LE(sentence.first_sample + sentence.num_samples, num_samples);
  }
  sentences.Finish();
  EXPECT_EQ(next_word, audio.words.size());
  size_t end = 0;
  for (const ChunkInfo& chunk : audio.chunks) {
    chunks.Take(chunk.span);
    // The cross-fade, or a pause between paragraphs.
    EXPECT_GE(chunk.first_sample + (end == 0 ? 0 : 120), end);
    EXPECT_LE(chunk.first_sample, end + kSampleRateHz);
    end = chunk.first_sample + chunk.num_samples;
    size_t token_sample = chunk.first_sample;
    for (const TokenInfo& token : chunk.tokens) {
      EXPECT_GE(token.first_sample, token_sample);
      EXPECT_LE(token.first_sample, end);
      token_sample = token.first_sample;
    }
  }
  chunks.Finish();
  EXPECT_EQ(end, num_samples);
}

TEST_F(ChaptersTest, EveryCharacterIsHeardAtOneTime) {
  const bool is_long = std::getenv("KOE_LONG_TESTS") != nullptr;
  double seconds = 0, estimate = 0;
  for (const Chapter& chapter : ReadChapters()) {
    if (!is_long && chapter.name != "moby_dick") continue;
    SCOPED_TRACE(chapter.name);
    std::string text = chapter.text;
    SynthesisOptions options;
    options.speed = 4;
    if (!is_long) text.resize(text.find("\n", 1500));  // some paragraphs
    const auto audio = engine_->Synthesize(text, options);
    ASSERT_TRUE(audio.has_value()) << audio.error().message();
    CheckTimes(text, *audio);
    const auto prepared = engine_->Prepare(text, options);
    ASSERT_TRUE(prepared.has_value());
    double estimated = 0;
    for (const PreparedChunk& chunk : prepared->chunks) estimated += chunk.estimated_seconds;
    std::printf("%s: %zu bytes, %zu words, %zu sentences, %zu chunks, %.1f s (estimated %.1f) in %.1f s\n",
                chapter.name.c_str(), text.size(), audio->words.size(), audio->sentence_times.size(),
                audio->chunks.size(), audio->seconds(), estimated, audio->wall_seconds);
    seconds += audio->seconds();
    estimate += estimated;
  }
  EXPECT_GT(seconds, is_long ? 800 : 10);
  EXPECT_NEAR(estimate / seconds, 1, 0.25);  // what a caller plans with
}

}  // namespace
}  // namespace koe
