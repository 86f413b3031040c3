// SPDX-License-Identifier: Apache-2.0
// What koe bench measures, one function a mode.
#ifndef KOE_APPS_CLI_BENCH_H_
#define KOE_APPS_CLI_BENCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "koe/kernel_rates.h"
#include "koe/koe.h"
#include "outcome.h"
#include "terminal.h"

namespace koe::cli {

struct G2pBenchOptions {
  std::string bundle_dir;
  Language language = Language::kAmericanEnglish;
  std::string prose;  // "": the built-in paragraphs
  size_t num_repeats = 5;
};

struct G2pBenchReport {
  std::string language;
  // Start-up.
  double open_seconds = 0;            // median: mapping and checking the files of the front end
  double first_sentence_seconds = 0;  // the first of the process, tables that are made once included
  // Prose.
  size_t prose_bytes = 0, prose_words = 0, prose_unknown_words = 0;
  std::vector<double> prose_seconds;  // of every repeat
  double megabytes_per_second = 0, slowest_megabytes_per_second = 0, fastest_megabytes_per_second = 0;
  double megabytes_per_cpu_second = 0;  // median; the same where nothing else runs
  // Of the median repeat, nanoseconds a word.
  double clean_ns = 0, tokenise_ns = 0, tag_ns = 0, pronounce_ns = 0, total_ns = 0;
  struct Hostile {
    std::string name;
    size_t bytes;
    double seconds, cpu_seconds;
    int64_t peak_bytes;  // growth of the resident set while it ran; -1: not known on this system
  };
  std::vector<Hostile> hostile;
};

// kCancelled where *cancel is set.
Result<G2pBenchReport> BenchG2p(const G2pBenchOptions& options, const CancelToken& cancel, Terminal* terminal);
std::string G2pBenchText(const G2pBenchReport& report);

struct SpeechBenchOptions {
  std::string bundle_dir;
  EngineOptions engine;
  std::string voice = "af_heart";
  std::string prose;                                    // "": the built-in paragraphs
  std::vector<double> seconds = {1, 3, 7, 10, 15, 30};  // of speech wanted, each at most kMaxBenchSeconds
  double long_seconds = 600;                            // of the long text; 0: left out
  size_t num_repeats = 7;
};
inline constexpr double kMaxBenchSeconds = 30;  // about what a chunk of 510 phonemes lasts

struct SpeechBenchReport {
  // The machine and the program.
  EngineInfo engine;
  std::string voice;
  double peak_flops = 0;  // multiply-adds measured on all threads, two operations each
  // Start-up, medians: the bundle opened and its manifest checked, then the weights read, checked and packed with one
  // short sentence spoken. Cold: the bundle's files first thrown out of the page cache (-1: the system would not).
  double open_seconds = 0, ready_seconds = 0, cold_open_seconds = -1, cold_ready_seconds = -1;
  int64_t ready_bytes = -1;  // resident set then

  struct Speech {
    std::string input;          // "tokens": one chunk of phonemes; "text": through the front end and the chunker
    double wanted_seconds = 0;  // 1, 3, 7, ...
    double audio_seconds = 0;   // observed
    size_t num_chunks = 0;
    std::vector<double> wall_seconds = {};  // of every run
    double median_seconds = 0;
    double cpu_seconds = 0;              // median of all threads' time
    double realtime_factor = 0;          // median_seconds for each second of audio
    double core_seconds_per_second = 0;  // cpu_seconds for each second of audio
    double flops = 0;                    // of the model as written (NominalWork)
    std::vector<StageTime> stages = {};  // each one's own median
    int64_t peak_bytes = -1;             // resident set while one ran on a model just loaded; -1: not known
  };
  std::vector<Speech> speech;

  // From the call to the first chunk of a long text's audio, in rounds with the lengths.
  struct FirstAudio {
    std::string mode;          // "fast", "natural"
    double audio_seconds = 0;  // of that chunk
    std::vector<double> wall_seconds = {};
    double median_seconds = 0;
  };
  std::vector<FirstAudio> first_audio;
};

Result<SpeechBenchReport> BenchSpeech(const SpeechBenchOptions& options, const CancelToken& cancel, Terminal* terminal);
std::string SpeechBenchText(const SpeechBenchReport& report);

std::string KernelBenchText(const KernelBenchReport& report);
// Measures the ways to compute each convolution and puts the rows of the target into the file, in the place of those
// that it has. kIo, and the errors of MeasureConvPlans.
Result<void> RefillConvPlanTable(const std::string& path, const KernelBenchOptions& options);

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_BENCH_H_
