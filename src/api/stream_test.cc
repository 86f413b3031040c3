// SPDX-License-Identifier: Apache-2.0
// Prepared chunks, streams, times, markup and cancellation with the real model. Speech is fast to keep the test short.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "koe/koe.h"
#include "support/model.h"

namespace koe {
namespace {

using testing::HasSubstr;

// The beginning of "A Tale of Two Cities" (1859).
constexpr char kTale[] =
    "It was the best of times, it was the worst of times. \u201cIt was the age of wisdom,\u201d it was the age of "
    "foolishness!\n\nWe had everything before us; we had nothing before us.";

bool IsLong() { return std::getenv("KOE_LONG_TESTS") != nullptr; }

class StreamTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    EngineOptions options;
    options.num_threads = 2;
    auto engine = Engine::Open(test_support::BundlePath(), options);
    if (engine) engine_.emplace(std::move(*engine));
  }
  static void TearDownTestSuite() { engine_.reset(); }
  void SetUp() override {
    if (!engine_) GTEST_SKIP() << "no bundle at " << test_support::BundlePath();
  }
  static SynthesisOptions Fast() {
    SynthesisOptions options;
    options.speed = 4;
    return options;
  }
  static std::vector<float> Drain(Stream* stream, std::vector<AudioChunk>* chunks = nullptr) {
    std::vector<float> samples;
    while (true) {
      auto next = stream->Next();
      if (!next) ADD_FAILURE() << next.error().message();
      if (!next || !*next) return samples;
      EXPECT_EQ((*next)->first_sample, samples.size());
      samples.insert(samples.end(), (*next)->samples.begin(), (*next)->samples.end());
      if (chunks != nullptr) chunks->push_back(std::move(**next));
    }
  }
  static std::optional<Engine> engine_;
};
std::optional<Engine> StreamTest::engine_;

TEST_F(StreamTest, PreparedChunksGiveTheSameSamples) {
  const auto prepared = engine_->Prepare(kTale, Fast());
  ASSERT_TRUE(prepared.has_value()) << prepared.error().message();
  ASSERT_EQ(prepared->chunks.size(), 3u);
  EXPECT_EQ(prepared->chunks[0].text, "It was the best of times, it was the worst of times.");
  EXPECT_EQ(prepared->chunks[0].cut, Cut::kSentence);
  EXPECT_EQ(prepared->chunks[1].cut, Cut::kParagraph);
  for (const PreparedChunk& chunk : prepared->chunks) {
    EXPECT_EQ(chunk.voice_row.size(), 256u);
    EXPECT_EQ(chunk.token_ids.front(), 0);
    EXPECT_EQ(chunk.token_ids.back(), 0);
  }
  const auto from_chunks = engine_->SynthesizePrepared(prepared->chunks);
  const auto whole = engine_->Synthesize(kTale, Fast());
  ASSERT_TRUE(from_chunks.has_value() && whole.has_value());
  EXPECT_EQ(from_chunks->samples, whole->samples);
  // The estimate is good enough to plan with.
  double estimated = 0;
  for (const PreparedChunk& chunk : prepared->chunks) estimated += chunk.estimated_seconds;
  EXPECT_NEAR(estimated / whole->seconds(), 1, 0.4);
}

TEST_F(StreamTest, RefusesChunksThatPrepareDoesNotMake) {
  const auto prepared = engine_->Prepare("Hi.", Fast());
  ASSERT_TRUE(prepared.has_value());
  std::vector<PreparedChunk> bad(8, prepared->chunks[0]);
  bad[0].token_ids = {0, 0};
  bad[1].voice_row.pop_back();
  bad[2].voice_row[0] = NAN;
  bad[3].speed = 0;
  bad[4].gain = INFINITY;
  bad[5].words[0].first_token = 1000;
  bad[6].token_ids[1] = 178;
  bad[7].token_ids.assign(513, 50);
  for (const PreparedChunk& chunk : bad) {
    const auto audio = engine_->SynthesizePrepared({&chunk, 1});
    ASSERT_FALSE(audio.has_value());
    EXPECT_EQ(audio.error().code(), ErrorCode::kInvalidArgument) << audio.error().message();
  }
  EXPECT_FALSE(engine_->SynthesizePrepared({}).has_value());
}

TEST_F(StreamTest, StreamsAreBitEqualToTheWhole) {
  for (const Chunking chunking : {Chunking::kSentences, Chunking::kPacked, Chunking::kParagraph, Chunking::kKokoro}) {
    SynthesisOptions options = Fast();
    options.chunking = chunking;
    options.first_audio = chunking == Chunking::kSentences ? FirstAudio::kFast : FirstAudio::kNatural;
    const auto whole = engine_->Synthesize(kTale, options);
    ASSERT_TRUE(whole.has_value()) << whole.error().message();
    auto stream = engine_->OpenStream(kTale, options);
    ASSERT_TRUE(stream.has_value()) << stream.error().message();
    std::vector<AudioChunk> chunks;
    EXPECT_TRUE(Drain(&*stream, &chunks) == whole->samples);
    ASSERT_EQ(chunks.size(), whole->chunks.size());
    EXPECT_TRUE(chunks.back().is_last);
    for (size_t i = 0; i < chunks.size(); ++i) {
      EXPECT_EQ(chunks[i].plan.info.first_sample, whole->chunks[i].first_sample);
      EXPECT_EQ(chunks[i].plan.info.num_samples, whole->chunks[i].num_samples);
    }
    std::vector<float> pushed;
    const auto statistics = engine_->Synthesize(kTale, options, [&](const AudioChunk& chunk) {
      pushed.insert(pushed.end(), chunk.samples.begin(), chunk.samples.end());
      return true;
    });
    ASSERT_TRUE(statistics.has_value());
    EXPECT_TRUE(pushed == whole->samples);
    EXPECT_EQ(statistics->num_samples, pushed.size());
    EXPECT_EQ(stream->Sentences().size(), whole->sentence_times.size());
  }
}

TEST_F(StreamTest, ASinkMayStop) {
  size_t calls = 0;
  const auto statistics = engine_->Synthesize(kTale, Fast(), [&](const AudioChunk&) { return ++calls < 2; });
  ASSERT_TRUE(statistics.has_value());
  EXPECT_EQ(calls, 2u);
}

TEST_F(StreamTest, TheFirstChunkIsShortWhenItIsAskedFor) {
  SynthesisOptions options;
  options.first_audio = FirstAudio::kFast;
  const auto prepared = engine_->Prepare(
      "The quick brown fox of the northern woods jumps over the lazy dog, which sleeps beside the river. It rests.",
      options);
  ASSERT_TRUE(prepared.has_value());
  EXPECT_LE(prepared->chunks[0].token_ids.size(), 2u + 26);
  EXPECT_LE(prepared->chunks[1].token_ids.size(), 2u + 66);
  std::string text;
  for (const PreparedChunk& chunk : prepared->chunks) text += chunk.text + " ";
  EXPECT_EQ(text,
            "The quick brown fox of the northern woods jumps over the lazy dog, which sleeps beside the river. It "
            "rests. ");
}

TEST_F(StreamTest, PeekKnowsAChunkBeforeItsAudio) {
  auto stream = engine_->OpenStream(kTale, Fast());
  ASSERT_TRUE(stream.has_value());
  for (size_t i = 0; i < 3; ++i) {
    const auto plan = stream->Peek();
    ASSERT_TRUE(plan.has_value() && plan->has_value());
    const auto next = stream->Next();
    ASSERT_TRUE(next.has_value() && next->has_value());
    EXPECT_EQ((*plan)->index, i);
    EXPECT_EQ((*plan)->info.num_samples, (*next)->plan.info.num_samples);
    EXPECT_EQ((*plan)->words.size(), (*next)->plan.words.size());
  }
  EXPECT_FALSE(stream->Peek()->has_value());
  EXPECT_FALSE(stream->Next()->has_value());
  EXPECT_FALSE(stream->Next()->has_value());
}

TEST_F(StreamTest, PushesMayCutTheTextAnywhere) {
  std::vector<float> first;
  for (const size_t bytes : {size_t{7}, sizeof(kTale)}) {
    auto stream = engine_->OpenStream(Fast());
    ASSERT_TRUE(stream.has_value()) << stream.error().message();
    const std::string_view text = kTale;
    for (size_t at = 0; at < text.size(); at += bytes) {
      const auto pushed = stream->Push(text.substr(at, bytes));
      ASSERT_TRUE(pushed.has_value()) << pushed.error().message();
    }
    ASSERT_TRUE(stream->Finish().has_value());
    EXPECT_FALSE(stream->Push("x").has_value());
    std::vector<float> samples = Drain(&*stream);
    EXPECT_GT(samples.size(), 24000u);
    EXPECT_TRUE(first.empty() || samples == first);
    first = std::move(samples);
  }
}

TEST_F(StreamTest, PushedTextIsSpokenBeforeItsEnd) {
  auto stream = engine_->OpenStream(Fast());
  ASSERT_TRUE(stream.has_value());
  ASSERT_TRUE(stream->Push("Hello there. And").has_value());
  const auto next = stream->Next();
  ASSERT_TRUE(next.has_value() && next->has_value());
  EXPECT_EQ((*next)->plan.info.text_length, 12u);
  ASSERT_TRUE(stream->Push(" more.").has_value());
  ASSERT_TRUE(stream->Finish().has_value());
  const auto rest = stream->Next();
  ASSERT_TRUE(rest.has_value() && rest->has_value());
  EXPECT_EQ((*rest)->plan.info.text_offset, 13u);
}

TEST_F(StreamTest, EmptyStreamsAndBadOnesEnd) {
  auto nothing = engine_->OpenStream(Fast());
  ASSERT_TRUE(nothing.has_value());
  ASSERT_TRUE(nothing->Finish().has_value());
  EXPECT_EQ(nothing->Next().error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(engine_->OpenStream("bad \xFF", Fast()).error().code(), ErrorCode::kInvalidArgument);
  SynthesisOptions options = Fast();
  options.voice = "nobody";
  EXPECT_FALSE(engine_->OpenStream("Hi.", options).has_value());
  auto late = engine_->OpenStream(Fast());
  ASSERT_TRUE(late.has_value());
  ASSERT_TRUE(late->Push("Hi. \xFF").has_value());
  ASSERT_TRUE(late->Finish().has_value());
  while (true) {
    const auto next = late->Next();
    if (next && *next) continue;
    EXPECT_FALSE(next.has_value());
    break;
  }
}

TEST_F(StreamTest, EveryCharacterIsInAWordThatHasATime) {
  const auto audio = engine_->Synthesize(kTale, Fast());
  ASSERT_TRUE(audio.has_value());
  const std::string_view text = kTale;
  std::vector<bool> covered(text.size(), false);
  size_t last = 0;
  for (const WordTime& word : audio->word_times) {
    for (size_t i = 0; i < word.span.length; ++i) covered[word.span.offset + i] = true;
    EXPECT_GE(word.first_sample, last);
    last = word.first_sample;
    EXPECT_LE(word.first_sample + word.num_samples, audio->samples.size());
    EXPECT_GT(word.num_samples, 0u) << word.text;
  }
  for (size_t i = 0; i < text.size(); ++i) EXPECT_TRUE(covered[i] || text[i] == ' ' || text[i] == '\n') << i;
  ASSERT_EQ(audio->words.size(), audio->word_times.size());
  ASSERT_EQ(audio->sentence_times.size(), 3u);
  EXPECT_EQ(audio->sentence_times[1].span.code_point_offset, audio->sentence_times[1].span.offset);
  EXPECT_EQ(audio->sentence_times[2].span.offset - audio->sentence_times[2].span.code_point_offset, 4u);  // two quotes
}

TEST_F(StreamTest, MarkupSpeaksAndPauses) {
  SynthesisOptions options = Fast();
  const auto plain = engine_->Synthesize("One. Two.", options);
  const auto paused = engine_->Synthesize("One. [pause:0.5s]Two.[pause:250ms]", options);
  ASSERT_TRUE(plain.has_value() && paused.has_value()) << paused.error().message();
  EXPECT_EQ(paused->samples.size(), plain->samples.size() + 12000 + 6000);
  for (size_t i = paused->samples.size() - 5800; i < paused->samples.size(); ++i) EXPECT_EQ(paused->samples[i], 0);

  options.speed = 2;
  const auto mixed =
      engine_->Prepare("One. [rate:2]Two.[/rate] [voice:af_heart:2+af_heart:1]Three.[/voice] Four.", options);
  ASSERT_TRUE(mixed.has_value()) << mixed.error().message();
  ASSERT_EQ(mixed->chunks.size(), 4u);
  EXPECT_EQ(mixed->chunks[0].speed, 2);
  EXPECT_EQ(mixed->chunks[1].speed, 4);
  EXPECT_EQ(mixed->chunks[2].voice, "af_heart:2+af_heart:1");
  EXPECT_EQ(mixed->chunks[3].voice, "af_heart");

  EXPECT_THAT(engine_->Prepare("[pause:1]", options)->chunks[0].text, HasSubstr("pause"));
  options.strict_markup = true;
  for (const char* bad : {"a [pause:1]", "a [word](/x", "a [word](x)", "a [voice:nobody]b[/voice]"}) {
    const auto refused = engine_->Prepare(bad, options);
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_THAT(refused.error().message(), HasSubstr("markup: byte 2")) << bad;
  }
  EXPECT_TRUE(engine_->Prepare("a [word](/wˈɜɹd/) [not](+1)", options).has_value());
}

// The quiet around a join is as long as was asked for, and at most the ten frames longer that are taken for sound.
TEST_F(StreamTest, PausesAreThoseAskedFor) {
  for (const float pause : {0.2f, 0.8f}) {
    SynthesisOptions options;
    options.pauses.sentence = pause;
    const auto audio = engine_->Synthesize("Well. No.", options);
    ASSERT_TRUE(audio.has_value());
    ASSERT_EQ(audio->chunks.size(), 2u);
    double power = 0;
    for (const float sample : audio->samples) power += static_cast<double>(sample) * sample;
    const double quiet = 0.05 * std::sqrt(power / static_cast<double>(audio->samples.size()));
    // Loudness of blocks of 5 ms, from the join outwards.
    const auto is_quiet = [&](size_t block) {
      double sum = 0;
      for (size_t i = 120 * block; i < 120 * (block + 1); ++i) {
        sum += static_cast<double>(audio->samples[i]) * audio->samples[i];
      }
      return std::sqrt(sum / 120) < quiet;
    };
    const size_t join = audio->chunks[1].first_sample / 120;
    size_t first = join, last = join;
    while (first > 0 && is_quiet(first - 1)) --first;
    while (120 * (last + 1) < audio->samples.size() && is_quiet(last)) ++last;
    const double seconds = static_cast<double>(last - first) * 0.005;
    EXPECT_GE(seconds, pause - 0.02) << pause;
    EXPECT_LE(seconds, pause + 0.25 + 0.02) << pause;
  }
}

TEST_F(StreamTest, GainScalesAndVoicesMix) {
  SynthesisOptions options = Fast();
  const auto plain = engine_->Synthesize("Hi.", options);
  options.gain = 0.5f;
  const auto quiet = engine_->Synthesize("Hi.", options);
  ASSERT_TRUE(plain.has_value() && quiet.has_value());
  for (size_t i = 0; i < plain->samples.size(); ++i) EXPECT_EQ(quiet->samples[i], plain->samples[i] * 0.5f);
  std::string other = "af_heart";
  for (const VoiceInfo& voice : engine_->Voices()) {
    if (voice.id == "bm_george") other = voice.id;
  }
  options = Fast();
  options.voice = "af_heart:0.5+" + other + ":0.5";
  const auto linear = engine_->Prepare("Hi.", options);
  options.voice_blend = VoiceBlend::kSpherical;
  const auto spherical = engine_->Prepare("Hi.", options);
  ASSERT_TRUE(linear.has_value() && spherical.has_value());
  options.voice = "af_heart";
  const auto one = engine_->Prepare("Hi.", options);
  EXPECT_TRUE(other == "af_heart" || linear->chunks[0].voice_row != one->chunks[0].voice_row);
  EXPECT_TRUE(engine_->SynthesizePrepared(spherical->chunks).has_value());
  for (const char* bad :
       {"", "af_heart:", "af_heart:-1", "af_heart:x", "af_heart:0", "nobody:1+af_heart", "af_heart+"}) {
    options.voice = bad;
    EXPECT_EQ(engine_->Prepare("Hi.", options).error().code(), ErrorCode::kInvalidArgument) << bad;
  }
}

// A join must not be heard: no step between samples around it that is larger than the chunks' own are.
TEST_F(StreamTest, JoinsDoNotClick) {
  SynthesisOptions options;
  options.max_chunk_characters = 20;
  const auto audio =
      engine_->Synthesize("It was the best of times, it was the worst of times, [pause:0.2s]it was old.", options);
  ASSERT_TRUE(audio.has_value());
  ASSERT_GE(audio->chunks.size(), 3u);
  const auto step = [&](size_t first, size_t last) {
    float largest = 0;
    for (size_t i = std::max<size_t>(first, 1); i < std::min(last, audio->samples.size()); ++i) {
      largest = std::max(largest, std::fabs(audio->samples[i] - audio->samples[i - 1]));
    }
    return largest;
  };
  const float inside = step(0, audio->samples.size());
  for (size_t c = 1; c < audio->chunks.size(); ++c) {
    const size_t join = audio->chunks[c].first_sample;
    EXPECT_LE(step(join - 240, join + 360), 0.25f * inside) << c;  // joins lie where it is quiet
  }
}

// What the machine's other work cannot change: processor time of all threads of this process. While at least one of
// them works, it is no less than what a clock on an idle machine would say.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}
double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Delay {
  double cpu = 0, wall = 0;
};

// Runs call() and, when this process has worked for `after` seconds since, cancel(). From there to the call's end;
// nullopt where the call was quicker.
template <typename Call, typename Cancel>
std::optional<Delay> DelayOfCancel(double after, Call call, Cancel cancel) {
  std::atomic<bool> has_ended{false};
  bool cancelled = false;
  Delay at;
  const double start = CpuSeconds();
  std::thread canceller([&] {
    while (!has_ended && CpuSeconds() - start < after) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (has_ended) return;
    cancelled = true;
    at = {CpuSeconds(), WallSeconds()};
    cancel();
  });
  call();
  const Delay end{CpuSeconds(), WallSeconds()};
  has_ended = true;
  canceller.join();
  if (!cancelled) return std::nullopt;
  return Delay{std::max(0.0, end.cpu - at.cpu), std::max(0.0, end.wall - at.wall)};
}

struct Worst {
  void Take(const std::optional<Delay>& delay) {
    if (!delay) return;
    ++count;
    cpu = std::max(cpu, delay->cpu);
    wall = std::max(wall, delay->wall);
  }
  void Report(const char* what) const {
    std::printf("%d %s: at most %.1f ms of processor time after the cancel, %.1f ms by the clock\n", count, what,
                cpu * 1000, wall * 1000);
  }
  int count = 0;
  double cpu = 0, wall = 0;
};

size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  size_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * 4096;
}

// At random moments of the longest chunk that there is, and of a stream. Two threads compute, so that 100 ms by the
// clock may hold twice as much processor time; it is asked for once.
TEST_F(StreamTest, CancelsWithinATenthOfASecond) {
  std::string text;
  for (int i = 0; i < 7; ++i) text += "it was the best of times and it was the worst of times and ";
  SynthesisOptions longest;
  longest.max_chunk_seconds = 60;
  longest.chunking = Chunking::kParagraph;
  const auto expected = engine_->Synthesize(kTale, Fast());
  ASSERT_TRUE(expected.has_value());
  const double start = CpuSeconds();
  const auto whole = engine_->Synthesize(text, longest);
  ASSERT_TRUE(whole.has_value());
  ASSERT_EQ(whole->chunks.size(), 1u);
  ASSERT_GT(whole->chunks[0].tokens.size(), 350u);
  const double work = CpuSeconds() - start;
  std::mt19937 random(7);
  const auto moment = [&](double seconds) { return std::uniform_real_distribution<double>(0, seconds)(random); };
  const int runs = IsLong() ? 200 : 8;
  Worst calls, streams;
  size_t resident = 0;
  for (int i = 0; i < runs; ++i) {
    CancelToken cancel;
    if (i % 2 == 0) {
      longest.cancel = &cancel;
      // Every other time among the many small stages before the generator.
      const double after = i % 4 == 0 ? moment(work) : moment(0.2 * work);
      const auto call = [&] {
        const auto audio = engine_->Synthesize(text, longest);
        if (!audio) {
          EXPECT_EQ(audio.error().code(), ErrorCode::kCancelled);
        }
      };
      calls.Take(DelayOfCancel(after, call, [&] { cancel.Cancel(); }));
    } else {
      auto stream = engine_->OpenStream(kTale, SynthesisOptions());
      ASSERT_TRUE(stream.has_value());
      const auto call = [&] {
        while (true) {
          const auto next = stream->Next();
          if (!next) {
            EXPECT_EQ(next.error().code(), ErrorCode::kCancelled);
          }
          if (!next || !*next) break;
        }
        const Stream ends = std::move(*stream);  // its thread too
      };
      streams.Take(DelayOfCancel(moment(0.3 * work), call, [&] { stream->Cancel(); }));
    }
    if (i == runs / 5) resident = ResidentBytes();
  }
  calls.Report("cancelled calls");
  streams.Report("cancelled streams");
  const double growth = static_cast<double>(ResidentBytes()) - static_cast<double>(resident);
  std::printf("%.1f MiB more than after %d\n", growth / 1048576, runs / 5);
  EXPECT_GT(calls.count, runs / 4);
  EXPECT_LE(calls.cpu, 0.1);
  EXPECT_LE(streams.cpu, 0.1);
  EXPECT_LE(growth, 16 << 20);
  const auto again = engine_->Synthesize(kTale, Fast());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->samples, expected->samples);
}

// A stream that is the last to hold its engine ends as quickly while the model is being loaded.
TEST_F(StreamTest, AStreamEndsWithItsOwner) {
  Worst worst;
  const int runs = IsLong() ? 60 : 6;
  EngineOptions options;
  options.num_threads = 2;
  for (int i = 0; i < runs; ++i) {
    std::optional<Stream> stream;
    {
      const auto engine = Engine::Open(test_support::BundlePath(), options);
      ASSERT_TRUE(engine.has_value());
      auto opened = engine->OpenStream(kTale, SynthesisOptions());
      ASSERT_TRUE(opened.has_value());
      stream.emplace(std::move(*opened));
    }
    const double start = CpuSeconds(), after = 1.2 * i / runs;
    while (CpuSeconds() - start < after) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const Delay at{CpuSeconds(), WallSeconds()};
    stream.reset();
    worst.Take(Delay{CpuSeconds() - at.cpu, WallSeconds() - at.wall});
  }
  worst.Report("streams destroyed while they load or speak");
  EXPECT_LE(worst.cpu, 0.1);
  auto stream = engine_->OpenStream(kTale, Fast());
  ASSERT_TRUE(stream.has_value());
  stream->Cancel();
  EXPECT_EQ(stream->Next().error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(stream->Peek().error().code(), ErrorCode::kCancelled);
}

TEST_F(StreamTest, DiagnosticsHoldNoText) {
  SynthesisOptions options = Fast();
  ASSERT_TRUE(engine_->Synthesize("Xyzzyplugh.", options).has_value());
  options.voice = "secretvoice";
  EXPECT_FALSE(engine_->Synthesize("Xyzzyplugh.", options).has_value());
  const Diagnostics diagnostics = engine_->GetDiagnostics();
  EXPECT_GE(diagnostics.syntheses, 1u);
  EXPECT_GT(diagnostics.samples, 0u);
  EXPECT_EQ(diagnostics.stages.size(), 7u);
  const std::string json = DiagnosticsJson(diagnostics);
  EXPECT_THAT(json, testing::Not(HasSubstr("yzzy")));
  EXPECT_THAT(json, testing::Not(HasSubstr("secret")));
  EXPECT_THAT(json, HasSubstr("\"weights_sha256\":\"" + engine_->Info().weights_sha256));
}

TEST_F(StreamTest, PrewarmTellsItsStages) {
  std::vector<PrewarmStage> stages;
  PrewarmOptions options;
  options.progress = [&](PrewarmStage stage, double) { stages.push_back(stage); };
  ASSERT_TRUE(engine_->Prewarm(options).has_value());
  EXPECT_THAT(stages, testing::ElementsAre(PrewarmStage::kTextPreparation, PrewarmStage::kModelLoad,
                                           PrewarmStage::kFirstRun, PrewarmStage::kDone));
  CancelToken cancel;
  cancel.Cancel();
  options.cancel = &cancel;
  EXPECT_EQ(engine_->Prewarm(options).error().code(), ErrorCode::kCancelled);
}

// Text of every awkward kind ends well: chunks within the limits, or a named error.
TEST_F(StreamTest, HostileTextEndsWell) {
  const size_t size = IsLong() ? kMaxInputBytes : 200000;
  const std::vector<std::string> units = {"a", "word ", "\xF0\x9F\x98\x80", "[", "(", "1", ".", "a. ", "\n"};
  for (const std::string& unit : units) {
    std::string text;
    while (text.size() + unit.size() <= size) text += unit;
    SynthesisOptions options = Fast();
    const auto prepared = engine_->Prepare(text, options);
    if (!prepared) {
      EXPECT_THAT(prepared.error().code(), testing::AnyOf(ErrorCode::kInvalidArgument, ErrorCode::kTooLong)) << unit;
      continue;
    }
    for (const PreparedChunk& chunk : prepared->chunks) EXPECT_LE(chunk.token_ids.size(), 450u) << unit;
  }
}

// Resident memory after many syntheses of random length is what it was after the first fifth of them.
TEST_F(StreamTest, MemoryDoesNotGrowWithTheNumberOfSyntheses) {
  const int runs = IsLong() ? 1000 : 10;
  std::mt19937 random(3);
  const std::string words = "it was the best of times and it was the worst of times and we had everything before us ";
  size_t after_first = 0;
  for (int i = 0; i < runs; ++i) {
    const size_t length = i < 2 ? words.size() - 1 : 2 + random() % (words.size() - 2);
    const auto audio = engine_->Synthesize(words.substr(0, length), Fast());
    ASSERT_TRUE(audio.has_value()) << audio.error().message();
    if (i == runs / 5) after_first = ResidentBytes();
  }
  const double growth = static_cast<double>(ResidentBytes()) - static_cast<double>(after_first);
  std::printf("%d syntheses: %.1f MiB more than after %d\n", runs, growth / 1048576, runs / 5);
  EXPECT_LE(growth, 16 << 20);  // one more leaked block of activations, let alone of samples, would be more
}

TEST_F(StreamTest, ManyThreadsGetTheSamplesOfOne) {
  const auto expected = engine_->Synthesize(kTale, Fast());
  ASSERT_TRUE(expected.has_value());
  const int num_threads = IsLong() ? 8 : 3;
  std::vector<std::thread> threads;
  std::atomic<int> equal{0};
  for (int t = 0; t < num_threads; ++t) {
    threads.emplace_back([&, t] {
      if (t % 2 == 0) {
        const auto audio = engine_->Synthesize(kTale, Fast());
        if (audio && audio->samples == expected->samples) ++equal;
      } else {
        auto stream = engine_->OpenStream(kTale, Fast());
        if (stream && Drain(&*stream) == expected->samples) ++equal;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, num_threads);
}

// A player that starts with the first chunk and never waits for one. Its clock is this process's processor time, as if
// both threads shared one processor and nobody else used it; the clock on the wall is reported. Long form only.
TEST_F(StreamTest, APlayerNeverWaits) {
  if (!IsLong()) GTEST_SKIP() << "KOE_LONG_TESTS is not set";
  std::ifstream file(KOE_SOURCE_DIR "/tests/data/chapters/persuasion.txt");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  SynthesisOptions options;
  options.first_audio = FirstAudio::kFast;
  StreamOptions ahead;
  ahead.max_seconds_ahead = 3600;
  ASSERT_TRUE(engine_->Prewarm().has_value());
  const Delay start{CpuSeconds(), WallSeconds()};
  auto stream = engine_->OpenStream(text, options, ahead);
  ASSERT_TRUE(stream.has_value());
  // One player for each clock: until when it has something to play, and the longest it waited.
  struct Player {
    double until = 0, gap = 0;
    void Play(double now, double length, bool is_first) {
      if (!is_first) gap = std::max(gap, now - until);
      until = std::max(until, now) + length;
    }
  } cpu, wall;
  double seconds = 0;
  for (bool is_first = true;; is_first = false) {
    const auto next = stream->Next();
    ASSERT_TRUE(next.has_value()) << next.error().message();
    if (!*next) break;
    const double length = static_cast<double>((*next)->samples.size()) / kSampleRateHz;
    cpu.Play(CpuSeconds() - start.cpu, length, is_first);
    wall.Play(WallSeconds() - start.wall, length, is_first);
    seconds += length;
  }
  std::printf(
      "%.0f s of speech in %.0f s of processor time, %.0f s by the clock; longest gap %.3f s, %.3f s by the clock\n",
      seconds, CpuSeconds() - start.cpu, WallSeconds() - start.wall, cpu.gap, wall.gap);
  EXPECT_GE(seconds, 600);
  EXPECT_EQ(cpu.gap, 0);
}

}  // namespace
}  // namespace koe
