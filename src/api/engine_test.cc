// SPDX-License-Identifier: Apache-2.0
// The public engine on the real bundle; skipped where there is none.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "koe/koe.h"
#include "support/model.h"

namespace koe {
namespace {

constexpr char kHello[] = "h\xC9\x99l\xCB\x88O w\xCB\x88\xC9\x9C\xC9\xB9ld.";

class EngineTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!ReadBundle(test_support::BundlePath()).has_value()) return;
    auto opened = Engine::Open(test_support::BundlePath(), {});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    engine_ = new Engine(std::move(*opened));
  }
  static void TearDownTestSuite() {
    delete engine_;
    engine_ = nullptr;
  }
  void SetUp() override {
    if (engine_ == nullptr) GTEST_SKIP() << "no bundle at " << test_support::BundlePath();
  }
  static ErrorCode CodeOf(std::string_view input, const SynthesisOptions& options, std::string* message = nullptr) {
    const auto audio = engine_->Synthesize(input, options);
    EXPECT_FALSE(audio.has_value());
    if (audio.has_value()) return ErrorCode::kInternal;
    if (message != nullptr) *message = audio.error().message();
    return audio.error().code();
  }
  static SynthesisOptions Phonemes() {
    SynthesisOptions options;
    options.input_is_phonemes = true;
    return options;
  }

  static Engine* engine_;
};
Engine* EngineTest::engine_ = nullptr;

TEST_F(EngineTest, SpeaksTextWithFramesTimesAndStages) {
  const auto audio = engine_->Synthesize("Hello world.", {});
  ASSERT_TRUE(audio.has_value()) << audio.error().message();
  // Reference kokoro-coreml.md 2.13.
  EXPECT_EQ(audio->samples.size(), 37800u);
  ASSERT_EQ(audio->chunks.size(), 1u);
  const ChunkInfo& chunk = audio->chunks[0];
  EXPECT_EQ(chunk.phonemes, kHello);
  EXPECT_EQ(chunk.text_length, 12u);
  size_t frames = 0;
  for (const TokenInfo& token : chunk.tokens) frames += static_cast<size_t>(token.num_frames);
  EXPECT_EQ(frames * kSamplesPerDurationFrame, audio->samples.size());
  EXPECT_EQ(chunk.tokens.front().id, 0);
  EXPECT_EQ(chunk.tokens.back().id, 0);
  ASSERT_EQ(audio->words.size(), 3u);
  EXPECT_EQ(audio->words[1].text, "world");
  EXPECT_EQ(audio->words[1].offset, 6u);
  for (const char* stage :
       {"g2p", "tokens", "duration", "alignment", "prosody", "decoder", "harmonic_source", "generator"}) {
    EXPECT_EQ(std::count_if(audio->stages.begin(), audio->stages.end(),
                            [&](const StageTime& time) { return time.stage == stage && time.seconds >= 0; }),
              1)
        << stage;
  }
  double power = 0;
  for (const float sample : audio->samples) power += static_cast<double>(sample) * sample;
  EXPECT_GT(std::sqrt(power / static_cast<double>(audio->samples.size())), 0.01);
}

TEST_F(EngineTest, TextAndItsPhonemesGiveTheSameSamples) {
  const auto from_text = engine_->Synthesize("Hello world.", {});
  const auto from_phonemes = engine_->Synthesize(kHello, Phonemes());
  ASSERT_TRUE(from_text.has_value() && from_phonemes.has_value());
  EXPECT_EQ(from_text->samples, from_phonemes->samples);
}

TEST_F(EngineTest, TheSeedChangesTheNoiseOnly) {
  SynthesisOptions options = Phonemes();
  const auto first = engine_->Synthesize(kHello, options);
  const auto again = engine_->Synthesize(kHello, options);
  options.seed = 1;
  const auto other = engine_->Synthesize(kHello, options);
  ASSERT_TRUE(first.has_value() && again.has_value() && other.has_value());
  EXPECT_EQ(first->samples, again->samples);
  EXPECT_EQ(first->samples.size(), other->samples.size());
  EXPECT_NE(first->samples, other->samples);
}

TEST_F(EngineTest, RefusesWhatItCannotSpeak) {
  std::string message;
  for (const float speed :
       {0.0f, -1.0f, 0.1f, 5.0f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    SynthesisOptions options;
    options.speed = speed;
    EXPECT_EQ(CodeOf("Hello.", options, &message), ErrorCode::kInvalidArgument) << speed;
    EXPECT_NE(message.find("0.25 to 4"), std::string::npos) << message;
  }
  EXPECT_EQ(CodeOf("", {}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf(" \n\t ", {}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("\xF0\x9F\x98\x80", {}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("bad \xFF", {}, &message), ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("byte 4"), std::string::npos) << message;
  EXPECT_EQ(CodeOf(std::string((10 << 20) + 1, 'a'), {}), ErrorCode::kTooLong);
  SynthesisOptions options;
  options.voice = "af_hart";
  EXPECT_EQ(CodeOf("Hello.", options, &message), ErrorCode::kInvalidArgument);
  EXPECT_NE(message.find("af_heart"), std::string::npos) << message;
  options = {};
  options.language = "fr";
  EXPECT_EQ(CodeOf("Bonjour.", options), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("", Phonemes()), ErrorCode::kInvalidArgument);
  EXPECT_EQ(CodeOf("\xE4\xBD\xA0", Phonemes()), ErrorCode::kInvalidArgument);
}

TEST_F(EngineTest, CancelledBeforeTheStartDoesNothing) {
  CancelToken cancel;
  cancel.Cancel();
  SynthesisOptions options;
  options.cancel = &cancel;
  EXPECT_EQ(CodeOf("Hello.", options), ErrorCode::kCancelled);
}

TEST_F(EngineTest, ManyPhonemesBecomeChunksThatJoin) {
  // 510 symbols are one chunk, one more makes two; nothing is cut off. Fast speech keeps the test short.
  std::string one;
  for (int i = 0; i < 255; ++i) one += "a ";
  one.back() = 'a';
  SynthesisOptions options = Phonemes();
  options.speed = 4;
  const auto whole = engine_->Synthesize(one, options);
  ASSERT_TRUE(whole.has_value()) << whole.error().message();
  ASSERT_EQ(whole->chunks.size(), 1u);
  EXPECT_EQ(whole->chunks[0].tokens.size(), 512u);

  std::vector<double> fractions;
  options.progress = [&](const Progress& progress) { fractions.push_back(progress.fraction); };
  const auto cut = engine_->Synthesize(one + " a", options);
  ASSERT_TRUE(cut.has_value()) << cut.error().message();
  ASSERT_EQ(cut->chunks.size(), 2u);
  EXPECT_EQ(cut->chunks[1].first_sample, cut->chunks[0].num_samples - 120);
  EXPECT_EQ(cut->samples.size(), cut->chunks[0].num_samples + cut->chunks[1].num_samples - 120);
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_GE(fractions.front(), 0.0);
  EXPECT_EQ(fractions.back(), 1.0);
}

TEST_F(EngineTest, AChunkThatCannotBeSpokenIsLeftOut) {
  const auto audio = engine_->Synthesize("Hi.\n[x](/\xE2\x98\x83/)\nHi.", {});
  ASSERT_TRUE(audio.has_value()) << audio.error().message();
  EXPECT_EQ(audio->chunks.size(), 2u);
}

TEST_F(EngineTest, ChunksAreThoseOfThePreview) {
  const std::string text = "Hi. Hello\nworld.\n\nBye.";
  for (const Chunking chunking : {Chunking::kSentences, Chunking::kKokoro}) {
    SynthesisOptions options;
    options.chunking = chunking;
    const auto audio = engine_->Synthesize(text, options);
    ASSERT_TRUE(audio.has_value()) << audio.error().message();
    PhonemizeOptions preview;
    preview.chunking = chunking;
    const auto phonemes = engine_->Phonemize(text, preview);
    ASSERT_TRUE(phonemes.has_value()) << phonemes.error().message();
    // "Hi." and "Hello world." against the line "Hi. Hello" and the line "world."
    ASSERT_EQ(phonemes->chunks.size(), 3u);
    EXPECT_EQ(phonemes->chunks[1].text_offset, chunking == Chunking::kSentences ? 4u : 10u);
    ASSERT_EQ(audio->chunks.size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(audio->chunks[i].phonemes, phonemes->chunks[i].phonemes);
      EXPECT_EQ(audio->chunks[i].text_offset, phonemes->chunks[i].text_offset);
      EXPECT_EQ(audio->chunks[i].text_length, phonemes->chunks[i].text_length);
    }
  }
}

TEST_F(EngineTest, AsksTheUsersLexicon) {
  const auto lexicon = UserLexicon::Parse("hello\th\xC9\x99l\xCB\x88O\nworld\tw\xCB\x88\xC9\x9C\xC9\xB9ld\n");
  ASSERT_TRUE(lexicon.has_value()) << lexicon.error().message();
  SynthesisOptions options;
  options.lexicon = *lexicon;
  const auto audio = engine_->Synthesize("Hello world.", options);
  ASSERT_TRUE(audio.has_value()) << audio.error().message();
  EXPECT_EQ(audio->chunks[0].phonemes, kHello);
  EXPECT_EQ(audio->words[1].source, "lexicon");
  EXPECT_EQ(audio->words[1].confidence, 1);
}

TEST_F(EngineTest, RefusesHalfADayOfSpeechBeforeItStarts) {
  std::string words;
  for (int i = 0; i < 400000; ++i) words += "ab ";
  SynthesisOptions options = Phonemes();
  options.speed = 1;
  EXPECT_EQ(CodeOf(words, options), ErrorCode::kTooLong);
}

TEST_F(EngineTest, SeveralThreadsShareOneEngine) {
  const auto expected = engine_->Synthesize(kHello, Phonemes());
  ASSERT_TRUE(expected.has_value());
  std::vector<std::thread> callers;
  std::atomic<int> equal{0};
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      const auto audio = engine_->Synthesize(kHello, Phonemes());
      if (audio.has_value() && audio->samples == expected->samples) equal.fetch_add(1);
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(equal.load(), 3);
}

TEST_F(EngineTest, DescribesItself) {
  const EngineInfo info = engine_->Info();
  EXPECT_EQ(info.plan.size(), 7u);
  EXPECT_EQ(info.plan.front().stage, "tokens");
  EXPECT_EQ(info.plan.back().stage, "generator");
  EXPECT_EQ(info.supported_targets.back(), "scalar");
  EXPECT_GE(info.num_threads, 1);
  bool found = false;
  for (const VoiceInfo& voice : engine_->Voices()) {
    if (voice.id != "af_heart") continue;
    found = true;
    EXPECT_EQ(voice.language, "en-us");
    EXPECT_EQ(voice.gender, "female");
  }
  EXPECT_TRUE(found);
}

TEST(EngineOpenTest, RefusesBadOptionsAndPlaces) {
  EngineOptions options;
  options.num_threads = 257;
  const auto threads = Engine::Open("/nowhere", options);
  ASSERT_FALSE(threads.has_value());
  EXPECT_EQ(threads.error().code(), ErrorCode::kInvalidArgument);
  options = {};
  options.simd_target = "mmx";
  const auto target = Engine::Open("/nowhere", options);
  ASSERT_FALSE(target.has_value());
  EXPECT_EQ(target.error().code(), ErrorCode::kInvalidArgument);
  const auto place = Engine::Open("/nowhere", {});
  ASSERT_FALSE(place.has_value());
  EXPECT_EQ(place.error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace koe
