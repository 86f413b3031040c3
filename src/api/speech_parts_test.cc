// SPDX-License-Identifier: Apache-2.0
// The parts of streaming that need no model: where chunks are joined, when words are heard, mixed voices, subtitles.
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "api/speech_run.h"
#include "api/voice_mix.h"
#include "base/utf8.h"
#include "koe/times.h"

namespace koe::api {
namespace {

using testing::HasSubstr;

// tests/data/join_timestamps.tsv: the reference's own answers (tools/make_time_vectors.py).
TEST(TimesInChunkTest, AreTheReferences) {
  std::ifstream file(KOE_SOURCE_DIR "/tests/data/join_timestamps.tsv");
  ASSERT_TRUE(file.good());
  std::vector<int32_t> durations;
  std::vector<PreparedWord> words;
  std::vector<std::pair<int64_t, int64_t>> expected;
  size_t token = 1, num_words = 0;
  const auto check = [&] {
    const auto times = TimesInChunk(durations, words);
    ASSERT_EQ(times.size(), expected.size());
    for (size_t i = 0; i < times.size(); ++i) {
      EXPECT_EQ(times[i].begin, expected[i].first) << i;
      EXPECT_EQ(times[i].end, expected[i].second) << i;
    }
    num_words += words.size();
  };
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# durations\t")) {
      if (!words.empty()) check();
      durations.clear();
      words.clear();
      expected.clear();
      token = 1;
      std::istringstream numbers(line.substr(12));
      for (int32_t n; numbers >> n;) durations.push_back(n);
    } else if (!line.starts_with('#')) {
      std::vector<std::string> fields;
      std::istringstream stream(line);
      for (std::string field; std::getline(stream, field, '\t');) fields.push_back(field);
      ASSERT_EQ(fields.size(), 6u) << line;
      PreparedWord word;
      word.first_token = token;
      word.num_tokens = CountCodePoints(fields[2]);
      word.space_token = fields[3] == "1";
      token += word.num_tokens + (word.space_token ? 1 : 0);
      words.push_back(word);
      expected.emplace_back(std::stoll(fields[4]), std::stoll(fields[5]));
    }
  }
  check();
  EXPECT_GE(num_words, 180u);
}

TEST(JoinPlanTest, NaturalPausesAreTheModels) {
  JoinPlan plan;
  PreparedChunk chunk;
  const std::vector<int32_t> durations = {17, 5, 5, 9};
  const auto first = plan.Add(chunk, durations), second = plan.Add(chunk, durations);
  EXPECT_EQ(first.first_sample, 0u);
  EXPECT_EQ(first.num_samples, 36u * 600);
  EXPECT_EQ(second.first_sample, 36u * 600 - 120);
  EXPECT_EQ(second.num_samples, 36u * 600);
  EXPECT_EQ(second.silence + second.cut_front + second.cut_back, 0u);
}

TEST(JoinPlanTest, APauseIsCutFromOrAddedToTheModels) {
  // Silence at a cut: all but 5 frames from the last phoneme on, 16 - 5 - 1; all but 5 before the first one: 12.
  const std::vector<int32_t> durations = {17, 5, 5, 1, 9};
  for (const float pause : {0.0f, 0.1f, 0.25f, 0.3f, 0.5f, 1.0f}) {
    JoinPlan plan;
    PreparedChunk chunk, next;
    chunk.phonemes = "ab.";
    chunk.pause = pause;
    const auto first = plan.Add(chunk, durations), second = plan.Add(next, durations);
    const auto wanted = static_cast<size_t>(std::lround(pause * 24000));
    EXPECT_EQ(first.cut_back, 6000 - std::min<size_t>(6000, wanted)) << pause;
    EXPECT_EQ(second.cut_front, 7200 - std::min<size_t>(7200, wanted - std::min<size_t>(6000, wanted))) << pause;
    const size_t kept_back = 6000 - first.cut_back, kept_front = 7200 - second.cut_front;
    const size_t between = second.first_sample - (first.first_sample + first.num_samples - 120);
    EXPECT_EQ(kept_back + kept_front + between, wanted) << pause;
  }
}

TEST(JoinPlanTest, MarkupsSilenceComesOnTop) {
  JoinPlan plan;
  PreparedChunk chunk;
  chunk.pause_before = 0.5;
  const auto first = plan.Add(chunk, std::vector<int32_t>{4, 5, 1});
  EXPECT_EQ(first.silence, 12120u);
  EXPECT_EQ(first.first_sample, 12000u);
  const auto second = plan.Add(chunk, std::vector<int32_t>{4, 5, 1});
  EXPECT_EQ(second.first_sample, 12000u + 6000 - 120 + 12000);
}

TEST(VoiceMixTest, SphericalKeepsLengthAndAngle) {
  const std::vector<double> a = {3, 0, 0}, b = {0, 4, 0};
  for (const double t : {0.0, 0.25, 0.5, 1.0}) {
    std::vector<double> out;
    AppendSpherical(a, b, t, &out);
    EXPECT_NEAR(std::hypot(out[0], out[1]), 3 + t, 1e-12);
    EXPECT_NEAR(std::atan2(out[1], out[0]), t * std::acos(-1) / 2, 1e-12);
    EXPECT_EQ(out[2], 0);
  }
  std::vector<double> same;
  AppendSpherical(a, a, 0.3, &same);
  EXPECT_NEAR(same[0], 3, 1e-12);
  std::vector<double> from_nothing;
  AppendSpherical(std::vector<double>{0, 0}, std::vector<double>{2, 2}, 1, &from_nothing);
  EXPECT_THAT(from_nothing, testing::ElementsAre(2, 2));
}

// Words at every space of `text`, half a second each; sentences end at full stops.
struct Timed {
  explicit Timed(const std::string& t) : text(t) {
    size_t at = 0, sentence = 0;
    while ((at = text.find_first_not_of(' ', at)) != std::string::npos) {
      const size_t end = std::min(text.find(' ', at), text.size());
      WordTime word;
      word.text = text.substr(at, end - at);
      word.span = {at, end - at, CountCodePoints(text.substr(0, at)), CountCodePoints(word.text)};
      word.first_sample = 12000 * words.size();
      word.num_samples = 12000;
      word.sentence = sentence;
      word.num_tokens = 1;
      if (word.text.ends_with('.')) ++sentence;
      words.push_back(word);
      at = end;
    }
    sentences = SentencesOf(words);
  }
  std::string text;
  std::vector<WordTime> words;
  std::vector<SentenceTime> sentences;
};

TEST(TimesTest, SentencesSpanTheirWords) {
  const Timed timed("\u00C9t\u00E9 is here. So go.");
  ASSERT_EQ(timed.sentences.size(), 2u);
  EXPECT_EQ(timed.sentences[1].span.offset, 15u);
  EXPECT_EQ(timed.sentences[1].span.code_point_offset, 13u);
  EXPECT_EQ(timed.sentences[1].span.length, 6u);
  EXPECT_EQ(timed.sentences[1].first_sample, 36000u);
  EXPECT_EQ(timed.sentences[1].num_samples, 24000u);
  EXPECT_EQ(timed.sentences[1].first_word, 3u);
}

TEST(TimesTest, WritesSubtitles) {
  const Timed timed("One & two. Three <b> four.");
  EXPECT_EQ(SubRip(timed.text, timed.words, timed.sentences),
            "1\n00:00:00,000 --> 00:00:01,500\nOne & two.\n\n2\n00:00:01,500 --> 00:00:03,000\nThree <b> four.\n\n");
  EXPECT_EQ(WebVtt(timed.text, timed.words, timed.sentences),
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nOne &amp; two.\n\n00:00:01.500 --> 00:00:03.000\nThree &lt;b&gt; "
            "four.\n\n");
  EXPECT_EQ(SubRip("", {}, {}), "");
}

TEST(TimesTest, SubtitlesShowNoMarkup) {
  const std::string text = "[Koe](/k/), is  it\nhere?";
  std::vector<WordTime> words(5);
  const size_t begins[] = {1, 10, 12, 16, 19}, lengths[] = {3, 1, 2, 2, 5};
  for (size_t i = 0; i < words.size(); ++i) {
    words[i].text = text.substr(begins[i], lengths[i]);
    words[i].span = {begins[i], lengths[i], begins[i], lengths[i]};
    words[i].first_sample = 24000 * i;
    words[i].num_samples = 24000;
    words[i].num_tokens = 1;
  }
  EXPECT_THAT(SubRip(text, words, SentencesOf(words)), HasSubstr("\nKoe, is it here?\n"));
}

TEST(TimesTest, CuesHaveTwoLinesAtMost) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += i % 7 == 0 ? "antidisestablishment " : "word ";
  const Timed timed(text);
  std::istringstream lines(SubRip(timed.text, timed.words, timed.sentences));
  size_t in_cue = 0, num_words = 0, cues = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) in_cue = 0;
    if (line.empty() || line.find("-->") != std::string::npos) continue;
    if (++in_cue == 1) {
      EXPECT_EQ(line, std::to_string(++cues));
      continue;
    }
    EXPECT_LE(in_cue, 3u);
    EXPECT_LE(line.size(), 62u);  // half of 84, and half of the longest word to either side
    num_words += 1 + static_cast<size_t>(std::count(line.begin(), line.end(), ' '));
  }
  EXPECT_EQ(num_words, 100u);
  EXPECT_LE(cues, 12u);
}

TEST(TimesTest, WritesJson) {
  const Timed timed("A \"b\".");
  EXPECT_THAT(TimesJson(timed.words, timed.sentences),
              HasSubstr(R"({"text":"\"b\".","start":0.500000,"end":1.000000,"offset":2,"length":4,)"));
  EXPECT_EQ(TimesJson({}, {}), R"({"sample_rate_hz":24000,"words":[],"sentences":[]})");
}

}  // namespace
}  // namespace koe::api
