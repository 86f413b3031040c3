// SPDX-License-Identifier: Apache-2.0
// Streams: one thread makes audio ahead of whoever takes it.
#include "koe/stream.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "api/clock.h"
#include "api/engine_impl.h"
#include "api/guard.h"

namespace koe {
namespace {

using api::Clock;
using api::SecondsSince;

// How often a thread that waits looks whether the caller's token is set, which wakes nobody.
constexpr std::chrono::milliseconds kPoll{10};

Result<void> CheckStreamOptions(const StreamOptions& options) {
  if (options.max_seconds_ahead >= 1) return {};
  return Error(ErrorCode::kInvalidArgument,
               "seconds ahead: " + std::to_string(options.max_seconds_ahead) + ": must be at least 1");
}

}  // namespace

struct Stream::Impl {
  Impl(std::shared_ptr<Engine::Impl> e, const SynthesisOptions& s, const StreamOptions& o)
      : engine(std::move(e)), speech(s), options(o) {}
  ~Impl() {
    stop.store(true, std::memory_order_relaxed);
    {
      const std::lock_guard<std::mutex> lock(mutex);
      changed.notify_all();
    }
    if (producer.joinable()) producer.join();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> Start(bool pushed) {
    is_pushed = pushed;
    KOE_TRY(preparer, engine->MakePreparer(speech, &stop, pushed));
    producer = std::thread([this] { Produce(); });
    return {};
  }

  // The caller's token and Cancel end the run through one flag.
  bool IsCancelled() {
    if (speech.cancel != nullptr && speech.cancel->IsCancelled()) stop.store(true, std::memory_order_relaxed);
    return stop.load(std::memory_order_relaxed);
  }
  // Waits until `done` holds; kCancelled. `lock` holds mutex.
  template <typename Predicate>
  Result<void> Wait(std::unique_lock<std::mutex>* lock, Predicate done) {
    while (!done()) {
      if (IsCancelled()) return stages::CancelledError();
      changed.wait_for(*lock, kPoll);
    }
    return {};
  }

  // On the producer's thread.
  void Produce() {
    const auto result = api::Guard([this] { return MakeAll(); });
    std::optional<Error> counted;
    if (!result) counted.emplace(engine->CountError(result.error()));
    const std::lock_guard<std::mutex> lock(mutex);
    error = std::move(counted);
    is_done = true;
    changed.notify_all();
  }

  Result<void> MakeAll() {
    // The front end's first chunk and the model can be made at the same time, but on a small machine that gains
    // nothing.
    KOE_TRY(const auto synthesizer, engine->LoadedSynthesizer(&stop));
    Engine::Impl::Lease workspace(*engine);
    api::SpeechRun run(*synthesizer, *workspace, &stop, /*quick_start=*/true, engine->options.max_memory_bytes);
    api::SpeechPorts ports;
    ports.next = [this](PreparedChunk* chunk, bool may_wait) { return NextPrepared(chunk, may_wait); };
    ports.planned = [this](const ChunkPlan& plan) -> Result<void> {
      const std::lock_guard<std::mutex> lock(mutex);
      plans.push_back(plan);
      changed.notify_all();
      return {};
    };
    ports.progress = [this](pipeline::StageId, double, size_t) { IsCancelled(); };
    ports.pause_at_end = [this] { return preparer->pause_at_end(); };
    ports.made = [&](AudioChunk chunk) -> Result<void> {
      std::unique_lock<std::mutex> lock(mutex);
      if (statistics.num_samples == 0) {
        statistics.first_audio_seconds = SecondsSince(start);
      }
      if (chunk.plan.info.tokens.empty()) plans.push_back(chunk.plan);
      statistics.num_samples += chunk.samples.size();
      statistics.num_chunks = run.num_chunks();
      statistics.unknown_words = preparer->unknown_words();
      statistics.wall_seconds = SecondsSince(start) - waited_seconds;
      statistics.stages.clear();
      for (size_t i = 0; i < run.seconds().size(); ++i) {
        statistics.stages.push_back({pipeline::StageName(pipeline::kStages[i]), run.seconds()[i]});
      }
      samples_ahead += chunk.samples.size();
      ready.push_back(std::move(chunk));
      changed.notify_all();
      // No more ahead than was asked for.
      const auto wait_start = Clock::now();
      const auto limit = static_cast<double>(kSampleRateHz) * options.max_seconds_ahead;
      KOE_CHECK_OK(Wait(&lock, [&] { return static_cast<double>(samples_ahead) < limit; }));
      waited_seconds += SecondsSince(wait_start);
      return {};
    };
    KOE_CHECK_OK(run.Run(ports));
    engine->Count(run, Samples(), preparer->seconds());
    return {};
  }

  size_t Samples() {
    const std::lock_guard<std::mutex> lock(mutex);
    return statistics.num_samples;
  }

  Result<api::NextChunk> NextPrepared(PreparedChunk* chunk, bool may_wait) {
    while (true) {
      {
        std::unique_lock<std::mutex> lock(mutex);
        if (!pushed_text.empty()) preparer->Append(std::exchange(pushed_text, {}));
        if (is_finished) preparer->Finish();
      }
      if (IsCancelled()) return stages::CancelledError();
      KOE_TRY(const auto state, preparer->Next(chunk));
      {
        const std::lock_guard<std::mutex> lock(mutex);
        pending_bytes = preparer->pending_bytes();
      }
      if (state == api::Preparer::State::kChunk) return api::NextChunk::kChunk;
      if (state == api::Preparer::State::kEnd) return api::NextChunk::kEnd;
      if (!may_wait) return api::NextChunk::kNotYet;
      std::unique_lock<std::mutex> lock(mutex);
      const auto wait_start = Clock::now();
      KOE_CHECK_OK(Wait(&lock, [&] { return !pushed_text.empty() || (is_finished && !is_end_read); }));
      is_end_read = is_finished;
      waited_seconds += SecondsSince(wait_start);
    }
  }

  const std::shared_ptr<Engine::Impl> engine;
  const SynthesisOptions speech;
  const StreamOptions options;
  bool is_pushed = false;
  std::atomic<bool> stop{false};
  std::unique_ptr<api::Preparer> preparer;  // the producer's, once it runs
  Clock::time_point start = Clock::now();

  std::mutex mutex;  // of all below
  std::condition_variable changed;
  std::string pushed_text;
  size_t pending_bytes = 0;  // in the preparer
  bool is_finished = false, is_end_read = false, has_started = false;
  std::deque<ChunkPlan> plans;   // announced, not yet returned by Next
  std::deque<AudioChunk> ready;  // made, not yet returned
  size_t samples_ahead = 0;
  double waited_seconds = 0;
  bool is_done = false;
  std::optional<Error> error;
  std::vector<WordTime> words;  // of the chunks returned
  StreamStatistics statistics;

  std::thread producer;
};

Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

Result<std::optional<AudioChunk>> Stream::Next() {
  return api::Guard([&]() -> Result<std::optional<AudioChunk>> {
    std::unique_lock<std::mutex> lock(impl_->mutex);
    KOE_CHECK_OK(impl_->Wait(&lock, [&] { return !impl_->ready.empty() || impl_->is_done; }));
    if (impl_->IsCancelled()) return stages::CancelledError();
    if (impl_->ready.empty()) {
      if (impl_->error) return *impl_->error;
      return std::optional<AudioChunk>();
    }
    AudioChunk chunk = std::move(impl_->ready.front());
    impl_->ready.pop_front();
    if (!impl_->plans.empty()) impl_->plans.pop_front();
    impl_->samples_ahead -= chunk.samples.size();
    impl_->words.resize(std::min(impl_->words.size(), chunk.plan.first_word));
    impl_->words.insert(impl_->words.end(), chunk.plan.words.begin(), chunk.plan.words.end());
    impl_->changed.notify_all();
    return std::optional<AudioChunk>(std::move(chunk));
  });
}

Result<std::optional<ChunkPlan>> Stream::Peek() {
  return api::Guard([&]() -> Result<std::optional<ChunkPlan>> {
    std::unique_lock<std::mutex> lock(impl_->mutex);
    KOE_CHECK_OK(impl_->Wait(&lock, [&] { return !impl_->plans.empty() || impl_->is_done; }));
    if (impl_->IsCancelled()) return stages::CancelledError();
    if (!impl_->plans.empty()) return std::optional<ChunkPlan>(impl_->plans.front());
    if (impl_->error) return *impl_->error;
    return std::optional<ChunkPlan>();
  });
}

Result<void> Stream::Push(std::string_view text) {
  return api::Guard([&]() -> Result<void> {
    const std::lock_guard<std::mutex> lock(impl_->mutex);
    if (!impl_->is_pushed) return Error(ErrorCode::kInvalidArgument, "stream: it was opened with its text");
    if (impl_->is_finished) return Error(ErrorCode::kInvalidArgument, "stream: text was pushed after Finish");
    if (impl_->pushed_text.size() + impl_->pending_bytes + text.size() > kMaxInputBytes) {
      return Error(ErrorCode::kTooLong, "stream: more than " + std::to_string(kMaxInputBytes) + " bytes wait");
    }
    if (!impl_->has_started) impl_->start = Clock::now();
    impl_->has_started = true;
    impl_->pushed_text += text;
    impl_->changed.notify_all();
    return {};
  });
}

Result<void> Stream::Finish() {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->is_finished = true;
  impl_->changed.notify_all();
  return {};
}

void Stream::Cancel() {
  impl_->stop.store(true, std::memory_order_relaxed);
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  impl_->changed.notify_all();
}

std::vector<SentenceTime> Stream::Sentences() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return api::SentencesOf(impl_->words);
}

StreamStatistics Stream::Statistics() const {
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  return impl_->statistics;
}

Result<Stream> Engine::OpenStream(std::string_view input, const SynthesisOptions& options,
                                  const StreamOptions& stream_options) const {
  return api::Guard([&]() -> Result<Stream> {
    KOE_CHECK_OK(CheckStreamOptions(stream_options));
    KOE_CHECK_OK(api::CheckInput(input));
    auto impl = std::make_unique<Stream::Impl>(impl_, options, stream_options);
    impl->pushed_text = input;
    impl->is_finished = true;
    KOE_CHECK_OK(impl->Start(/*pushed=*/false));
    return Stream(std::move(impl));
  });
}

Result<Stream> Engine::OpenStream(const SynthesisOptions& options, const StreamOptions& stream_options) const {
  return api::Guard([&]() -> Result<Stream> {
    KOE_CHECK_OK(CheckStreamOptions(stream_options));
    if (options.input_is_phonemes) {
      return Error(ErrorCode::kInvalidArgument, "stream: phonemes cannot be pushed: open it with all of them");
    }
    auto impl = std::make_unique<Stream::Impl>(impl_, options, stream_options);
    KOE_CHECK_OK(impl->Start(/*pushed=*/true));
    return Stream(std::move(impl));
  });
}

Result<StreamStatistics> Engine::Synthesize(std::string_view input, const SynthesisOptions& options,
                                            const AudioSink& sink) const {
  auto result = api::Guard([&]() -> Result<StreamStatistics> {
    const auto start = Clock::now();
    KOE_CHECK_OK(api::CheckInput(input));
    KOE_TRY(const auto preparer, impl_->MakePreparer(options, FlagOf(options.cancel), /*by_sentences=*/false));
    preparer->Append(input);
    preparer->Finish();
    KOE_TRY(const auto synthesizer, impl_->LoadedSynthesizer(FlagOf(options.cancel)));
    Impl::Lease workspace(*impl_);
    api::SpeechRun run(*synthesizer, *workspace, FlagOf(options.cancel), /*quick_start=*/true,
                       impl_->options.max_memory_bytes);
    StreamStatistics statistics;
    bool stopped = false;
    double sink_seconds = 0;
    api::SpeechPorts ports;
    ports.next = [&](PreparedChunk* chunk, bool) -> Result<api::NextChunk> {
      KOE_TRY(const auto state, preparer->Next(chunk));
      return state == api::Preparer::State::kChunk ? api::NextChunk::kChunk : api::NextChunk::kEnd;
    };
    ports.pause_at_end = [&] { return preparer->pause_at_end(); };
    ports.made = [&](const AudioChunk& chunk) -> Result<void> {
      if (statistics.num_samples == 0) statistics.first_audio_seconds = SecondsSince(start);
      statistics.num_samples += chunk.samples.size();
      const auto sink_start = Clock::now();
      stopped = !sink(chunk);
      sink_seconds += SecondsSince(sink_start);
      if (stopped) return Error(ErrorCode::kCancelled, "synthesis: ended by the sink");
      return {};
    };
    if (const auto ran = run.Run(ports); !ran && !stopped) return ran.error();
    statistics.num_chunks = run.num_chunks();
    statistics.unknown_words = preparer->unknown_words();
    statistics.wall_seconds = SecondsSince(start) - sink_seconds;
    statistics.stages.push_back({"g2p", preparer->seconds()});
    for (size_t i = 0; i < run.seconds().size(); ++i) {
      statistics.stages.push_back({pipeline::StageName(pipeline::kStages[i]), run.seconds()[i]});
    }
    impl_->Count(run, statistics.num_samples, preparer->seconds());
    return statistics;
  });
  if (!result) return impl_->CountError(result.error());
  return result;
}

}  // namespace koe
