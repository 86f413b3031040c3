// SPDX-License-Identifier: Apache-2.0
// koe bench --speech: start-up, and speech of several lengths from phonemes and from text, in rounds.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "bench.h"
#include "bench_measure.h"
#include "bench_texts.h"
#include "koe/bench.h"
#include "text.h"

namespace koe::cli {
namespace {

constexpr size_t kNumOpenings = 3;
constexpr int kNumFittings = 3;
constexpr double kFitWithin = 0.05;
constexpr char kFirstSentence[] = "Hello world.";

// Asks the system to forget what it holds of the bundle's files. Pages that some process has mapped stay.
bool ForgetFiles(const std::string& dir) {
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir, error)) {
    if (!entry.is_regular_file(error)) continue;
    const int file = open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
#if defined(POSIX_FADV_DONTNEED)
    const bool done = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0;
#else
    const bool done = false;
#endif
    close(file);
    if (!done) return false;
  }
  return !error;
}

struct Opening {
  double open_seconds, ready_seconds;
};

Result<Opening> MeasureOpening(const SpeechBenchOptions& options) {
  const Stopwatch watch;
  KOE_TRY(const Engine engine, Engine::Open(options.bundle_dir, options.engine));
  const double open_seconds = watch.Seconds();
  KOE_CHECK_OK(engine.Prewarm());
  return Opening{open_seconds, watch.Seconds()};
}

Result<void> MeasureStart(const SpeechBenchOptions& options, Terminal* terminal, SpeechBenchReport* report) {
  if (ForgetFiles(options.bundle_dir)) {
    terminal->Progress(0, "first start");
    KOE_TRY(const Opening cold, MeasureOpening(options));
    report->cold_open_seconds = cold.open_seconds;
    report->cold_ready_seconds = cold.ready_seconds;
  }
  std::vector<double> open_seconds, ready_seconds;
  for (size_t i = 0; i < kNumOpenings; ++i) {
    terminal->Progress(0, "start");
    KOE_TRY(const Opening warm, MeasureOpening(options));
    open_seconds.push_back(warm.open_seconds);
    ready_seconds.push_back(warm.ready_seconds);
  }
  report->open_seconds = Median(open_seconds);
  report->ready_seconds = Median(ready_seconds);
  return {};
}

// The first `length` bytes up to the end of a word, with a full stop behind them.
std::string CutAfterWord(const std::string& text, size_t length) {
  if (length >= text.size()) return text;
  const size_t space = text.find(' ', length);
  std::string cut = text.substr(0, space);
  while (!cut.empty() && (cut.back() == ',' || cut.back() == '.' || cut.back() == ' ')) cut.pop_back();
  return cut + ".";
}

struct Case {
  SpeechBenchReport::Speech speech;
  std::string input;
  std::vector<double> cpu_seconds;
  std::vector<std::vector<StageTime>> stages;
};

class SpeechBench {
 public:
  SpeechBench(const SpeechBenchOptions& options, const Engine& engine, const CancelToken& cancel, Terminal* terminal)
      : options_(options), engine_(engine), cancel_(cancel), terminal_(terminal) {
    synthesis_.voice = options.voice;
    synthesis_.cancel = &cancel;
  }

  std::vector<SpeechBenchReport::FirstAudio> TakeFirstAudio() { return std::move(first_audio_); }

  Result<std::vector<Case>> Run() {
    KOE_CHECK_OK(MakeCases());
    double total = options_.long_seconds;
    for (const Case& c : cases_) total += static_cast<double>(options_.num_repeats + 1) * c.speech.wanted_seconds;
    for (size_t round = 0; round <= options_.num_repeats; ++round) {
      for (size_t i = 0; i < cases_.size(); ++i) {
        // Every other round backwards, so that no length always follows the same one. Round 0 warms up.
        Case& c = cases_[round % 2 == 0 ? i : cases_.size() - 1 - i];
        KOE_CHECK_OK(Measure(round > 0, done_ / total, &c));
      }
      for (SpeechBenchReport::FirstAudio& first : first_audio_) {
        KOE_CHECK_OK(MeasureFirstAudio(round > 0, done_ / total, &first));
      }
    }
    for (Case& c : cases_) KOE_CHECK_OK(MeasureMemory(&c));
    if (options_.long_seconds > 0) {
      KOE_CHECK_OK(Renew());
      Case c{{.input = "text", .wanted_seconds = options_.long_seconds}, TextThatLasts(options_.long_seconds), {}, {}};
      KOE_CHECK_OK(Measure(true, done_ / total, &c));
      cases_.push_back(std::move(c));
    }
    terminal_->EraseProgress();
    return std::move(cases_);
  }

 private:
  // Finds how much prose makes a second of speech with this voice.
  Result<void> MakeCases() {
    prose_ = options_.prose.empty() ? Prose(static_cast<size_t>(40 * std::max(options_.long_seconds, kMaxBenchSeconds)))
                                    : options_.prose;
    while (prose_.size() < 40 * std::max(options_.long_seconds, kMaxBenchSeconds)) prose_ += "\n\n" + options_.prose;
    SynthesisOptions text = synthesis_;
    KOE_TRY(const Audio sample, engine_.Synthesize(CutAfterWord(prose_, 400), text));
    bytes_per_second_ = static_cast<double>(CutAfterWord(prose_, 400).size()) / sample.seconds();
    // One chunk, as long as one can be; its durations tell where the shorter ones end.
    PhonemizeOptions phonemize;
    phonemize.cancel = &cancel_;
    phonemize.chunking = Chunking::kKokoro;
    KOE_TRY(const Phonemization spoken, engine_.Phonemize(prose_.substr(0, prose_.find('\n', 2000)), phonemize));
    std::string longest;
    for (const ChunkPreview& chunk : spoken.chunks) {
      longest += (longest.empty() ? "" : " ") + chunk.phonemes;
      if (CodePoints(longest) > 2 * kMaxPhonemesPerChunk) break;
    }
    longest = FirstWords(longest, kMaxPhonemesPerChunk - 1);
    SynthesisOptions tokens = synthesis_;
    tokens.input_is_phonemes = true;
    KOE_TRY(const Audio probe, engine_.Synthesize(longest, tokens));
    for (const double seconds : options_.seconds) {
      Case tokens_case{{.input = "tokens", .wanted_seconds = seconds}, "", {}, {}};
      KOE_CHECK_OK(
          Fit(&tokens_case, seconds, [&](double ask) { return PhonemesThatLast(longest, probe.chunks.front(), ask); }));
      cases_.push_back(std::move(tokens_case));
      Case text_case{{.input = "text", .wanted_seconds = seconds}, "", {}, {}};
      KOE_CHECK_OK(Fit(&text_case, seconds, [&](double ask) { return TextThatLasts(ask); }));
      cases_.push_back(std::move(text_case));
    }
    return {};
  }

  // A beginning is spoken at another pace than within the whole, so what lasts `seconds` is found by trying; each try
  // corrects by the ratio it was off. The nearest counts.
  Result<void> Fit(Case* c, double seconds, const std::function<std::string(double)>& cut) {
    SynthesisOptions synthesis = synthesis_;
    synthesis.input_is_phonemes = c->speech.input == "tokens";
    double ask = seconds, nearest = std::numeric_limits<double>::infinity();
    for (int i = 0; i < kNumFittings; ++i) {
      terminal_->Progress(0, Format("finding %.0f s of %s", seconds, c->speech.input.c_str()));
      std::string input = cut(ask);
      if (input == c->input) break;
      KOE_TRY(const Audio audio, engine_.Synthesize(input, synthesis));
      const double off = std::abs(audio.seconds() - seconds);
      if (off < nearest) {
        nearest = off;
        c->input = std::move(input);
      }
      if (nearest <= kFitWithin * seconds) break;
      ask *= seconds / std::max(audio.seconds(), seconds / 4);
    }
    return {};
  }

  std::string TextThatLasts(double seconds) const {
    return CutAfterWord(prose_, static_cast<size_t>(seconds * bytes_per_second_));
  }

  static size_t CodePoints(const std::string& text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }

  // Whole words of at most `max_symbols` code points.
  static std::string FirstWords(const std::string& phonemes, size_t max_symbols) {
    size_t symbols = 0, end = 0;
    for (size_t i = 0; i < phonemes.size(); ++i) {
      if ((static_cast<unsigned char>(phonemes[i]) & 0xC0) == 0x80) continue;
      if (phonemes[i] == ' ') end = i;
      if (++symbols > max_symbols) return phonemes.substr(0, end);
    }
    return phonemes;
  }

  // The words that start within the first `seconds` by the durations of all of them (tokens[0] is the boundary).
  static std::string PhonemesThatLast(const std::string& phonemes, const ChunkInfo& chunk, double seconds) {
    size_t symbol = 0, frames = 0;
    for (size_t i = 0; i < phonemes.size(); ++i) {
      if ((static_cast<unsigned char>(phonemes[i]) & 0xC0) == 0x80) continue;
      ++symbol;
      if (symbol < chunk.tokens.size()) frames += static_cast<size_t>(chunk.tokens[symbol].num_frames);
      const double spoken = static_cast<double>(frames) * kSamplesPerDurationFrame / kSampleRateHz;
      if (phonemes[i] == ' ' && spoken >= seconds) return phonemes.substr(0, i) + ".";
    }
    return phonemes;
  }

  Result<void> Measure(bool counts, double fraction, Case* c) {
    SpeechBenchReport::Speech& speech = c->speech;
    terminal_->Progress(fraction, Format("%.0f s from %s", speech.wanted_seconds, speech.input.c_str()));
    SynthesisOptions synthesis = synthesis_;
    synthesis.input_is_phonemes = speech.input == "tokens";
    // The long text's audio is thrown away as it comes, as a player would.
    const bool streams = speech.wanted_seconds > kMaxBenchSeconds;
    double flops = 0, audio_seconds = 0;
    size_t num_chunks = 0;
    std::vector<StageTime> stages;
    const auto add_work = [&flops](const ChunkInfo& chunk) {
      size_t frames = 0;
      for (const TokenInfo& token : chunk.tokens) frames += static_cast<size_t>(token.num_frames);
      for (const StageWork& work : NominalWork(chunk.tokens.size(), frames)) flops += work.flops;
    };
    std::optional<PeakMemory> memory;
    if (streams) memory.emplace();  // the others' comes from MeasureMemory
    const Stopwatch watch;
    if (streams) {
      const auto count = [&](const AudioChunk& chunk) {
        terminal_->Progress(fraction + (1 - fraction) * std::min(1.0, audio_seconds / speech.wanted_seconds),
                            "long text");
        audio_seconds += static_cast<double>(chunk.samples.size()) / kSampleRateHz;
        add_work(chunk.plan.info);
        return true;
      };
      KOE_TRY(StreamStatistics statistics, engine_.Synthesize(c->input, synthesis, count));
      num_chunks = statistics.num_chunks;
      stages = std::move(statistics.stages);
    } else {
      KOE_TRY(Audio audio, engine_.Synthesize(c->input, synthesis));
      audio_seconds = audio.seconds();
      num_chunks = audio.chunks.size();
      for (const ChunkInfo& chunk : audio.chunks) add_work(chunk);
      stages = std::move(audio.stages);
    }
    const double seconds = watch.Seconds(), cpu_seconds = watch.CpuSeconds();
    done_ += speech.wanted_seconds;
    if (!counts) return {};
    speech.wall_seconds.push_back(seconds);
    c->cpu_seconds.push_back(cpu_seconds);
    c->stages.push_back(std::move(stages));
    speech.audio_seconds = audio_seconds;
    speech.num_chunks = num_chunks;
    if (memory) speech.peak_bytes = memory->Peak();
    speech.flops = flops;
    return {};
  }

  // The model loaded again: what longer runs left for the next one is given back.
  Result<void> Renew() const {
    engine_.Unload();
    return engine_.Prewarm();
  }

  Result<void> MeasureMemory(Case* c) const {
    terminal_->Progress(1, Format("memory of %.0f s from %s", c->speech.wanted_seconds, c->speech.input.c_str()));
    KOE_CHECK_OK(Renew());
    SynthesisOptions synthesis = synthesis_;
    synthesis.input_is_phonemes = c->speech.input == "tokens";
    const PeakMemory memory;
    KOE_CHECK_OK(engine_.Synthesize(c->input, synthesis));
    c->speech.peak_bytes = memory.Peak();
    return {};
  }

  Result<void> MeasureFirstAudio(bool counts, double fraction, SpeechBenchReport::FirstAudio* first) const {
    terminal_->Progress(fraction, "first audio, " + first->mode);
    SynthesisOptions synthesis = synthesis_;
    synthesis.first_audio = first->mode == "fast" ? FirstAudio::kFast : FirstAudio::kNatural;
    double audio_seconds = 0, seconds = 0;
    const Stopwatch watch;
    const auto stop = [&](const AudioChunk& chunk) {
      seconds = watch.Seconds();
      audio_seconds = static_cast<double>(chunk.samples.size()) / kSampleRateHz;
      return false;
    };
    KOE_CHECK_OK(engine_.Synthesize(TextThatLasts(kMaxBenchSeconds), synthesis, stop));
    if (!counts) return {};
    first->audio_seconds = audio_seconds;
    first->wall_seconds.push_back(seconds);
    first->median_seconds = Median(first->wall_seconds);
    return {};
  }

  const SpeechBenchOptions& options_;
  const Engine& engine_;
  const CancelToken& cancel_;
  Terminal* terminal_;
  SynthesisOptions synthesis_;
  std::string prose_;
  double bytes_per_second_ = 0, done_ = 0;
  std::vector<Case> cases_;
  std::vector<SpeechBenchReport::FirstAudio> first_audio_ = {{.mode = "fast"}, {.mode = "natural"}};
};

SpeechBenchReport::Speech Finish(Case c) {
  SpeechBenchReport::Speech& speech = c.speech;
  speech.stages = MedianStages(c.stages);
  speech.median_seconds = Median(speech.wall_seconds);
  speech.cpu_seconds = Median(c.cpu_seconds);
  speech.realtime_factor = speech.median_seconds / speech.audio_seconds;
  speech.core_seconds_per_second = speech.cpu_seconds / speech.audio_seconds;
  return std::move(speech);
}

std::string Megabytes(int64_t bytes) { return bytes < 0 ? "?" : Format("%.0f", static_cast<double>(bytes) / 1048576); }

std::string Milliseconds(double seconds) { return seconds < 0 ? "?" : Format("%.0f", seconds * 1e3); }

}  // namespace

Result<SpeechBenchReport> BenchSpeech(const SpeechBenchOptions& options, const CancelToken& cancel,
                                      Terminal* terminal) {
  SpeechBenchReport report;
  report.voice = options.voice;
  KOE_CHECK_OK(MeasureStart(options, terminal, &report));
  KOE_TRY(const Engine engine, Engine::Open(options.bundle_dir, options.engine));
  report.engine = engine.Info();
  KOE_TRY(report.peak_flops, MeasurePeakFlops(report.engine.simd_target, report.engine.num_threads));
  KOE_CHECK_OK(engine.Prewarm());
  {
    SynthesisOptions synthesis;
    synthesis.voice = options.voice;
    KOE_CHECK_OK(engine.Synthesize(kFirstSentence, synthesis));  // the front end too
    report.ready_bytes = PeakMemory().Peak();
  }
  SpeechBench bench(options, engine, cancel, terminal);
  KOE_TRY(auto cases, bench.Run());
  report.first_audio = bench.TakeFirstAudio();
  for (Case& c : cases) report.speech.push_back(Finish(std::move(c)));
  return report;
}

std::string SpeechBenchText(const SpeechBenchReport& report) {
  const BuildFacts build = Build();
  std::string text = Format(
      "Text to speech, voice %s\n\n"
      "machine        %s, %s, %d thread%s; multiply-adds: %.0f GFLOP/s\n"
      "program        koe %s (%s), %s\n"
      "start          %s ms to open, %s ms until ready; files not in memory: %s and %s ms\n"
      "memory         %s MiB when ready\n\n",
      report.voice.c_str(), report.engine.cpu.c_str(), report.engine.simd_target.c_str(), report.engine.num_threads,
      report.engine.num_threads == 1 ? "" : "s", report.peak_flops / 1e9, build.version.c_str(), build.commit.c_str(),
      build.compiler.c_str(), Milliseconds(report.open_seconds).c_str(), Milliseconds(report.ready_seconds).c_str(),
      Milliseconds(report.cold_open_seconds).c_str(), Milliseconds(report.cold_ready_seconds).c_str(),
      Megabytes(report.ready_bytes).c_str());
  std::vector<std::vector<std::string>> rows = {{"from", "audio s", "chunks", "wall s", "lowest to highest",
                                                 "real-time factor", "core s per s", "GFLOP/s", "of peak",
                                                 "peak memory, MiB"}};
  for (const SpeechBenchReport::Speech& speech : report.speech) {
    const double rate = speech.flops / speech.median_seconds;
    rows.push_back({speech.input, Format("%.2f", speech.audio_seconds), Format("%zu", speech.num_chunks),
                    Format("%.3f", speech.median_seconds),
                    Format("%.3f to %.3f", Smallest(speech.wall_seconds), Largest(speech.wall_seconds)),
                    Format("%.3f", speech.realtime_factor), Format("%.3f", speech.core_seconds_per_second),
                    Format("%.0f", rate / 1e9),
                    report.peak_flops > 0 ? Format("%.0f %%", 100 * rate / report.peak_flops) : "?",
                    Megabytes(speech.peak_bytes)});
  }
  text += Table(rows);
  for (const SpeechBenchReport::FirstAudio& first : report.first_audio) {
    text += Format("%sfirst audio    %s: %.3f s (median of %zu; %.3f to %.3f), the first %.2f s\n",
                   &first == &report.first_audio.front() ? "\n" : "", first.mode.c_str(), first.median_seconds,
                   first.wall_seconds.size(), Smallest(first.wall_seconds), Largest(first.wall_seconds),
                   first.audio_seconds);
  }
  text += "\nGFLOP/s: of the model as it is written, so tiled convolutions can pass the peak.\n\n";
  std::vector<std::string> names = {"stages, % of the wall time"};
  for (const SpeechBenchReport::Speech& speech : report.speech) {
    for (const StageTime& stage : speech.stages) {
      if (std::find(names.begin(), names.end(), stage.stage) == names.end()) names.push_back(stage.stage);
    }
  }
  rows = {names};
  for (const SpeechBenchReport::Speech& speech : report.speech) {
    std::vector<std::string> row = {Format("%s, %.2f s", speech.input.c_str(), speech.audio_seconds)};
    for (size_t i = 1; i < names.size(); ++i) {
      const auto at = std::find_if(speech.stages.begin(), speech.stages.end(),
                                   [&](const StageTime& stage) { return stage.stage == names[i]; });
      row.push_back(at == speech.stages.end() ? "-" : Format("%.1f", 100 * at->seconds / speech.median_seconds));
    }
    rows.push_back(std::move(row));
  }
  return text + Table(rows);
}

}  // namespace koe::cli
