// SPDX-License-Identifier: Apache-2.0
// What koe bench measures, one function a mode.
#ifndef KOE_APPS_CLI_BENCH_H_
#define KOE_APPS_CLI_BENCH_H_

#include <cstdint>
#include <string>
#include <vector>

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

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_BENCH_H_
