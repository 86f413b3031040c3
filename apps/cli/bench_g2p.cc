// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "bench.h"
#include "bench_measure.h"
#include "bench_texts.h"
#include "koe/bench.h"
#include "text.h"

namespace koe::cli {
namespace {

constexpr size_t kProseBytes = 4'000'000;
constexpr size_t kHostileBytes = 10'000'000;
constexpr char kFirstSentence[] = "The first sentence makes every table that is made once, on 3 May, for $5.";

double PerSecond(size_t bytes, double seconds) { return static_cast<double>(bytes) / std::max(seconds, 1e-9) / 1e6; }

}  // namespace

Result<G2pBenchReport> BenchG2p(const G2pBenchOptions& options, const CancelToken& cancel, Terminal* terminal) {
  G2pBenchReport report;
  report.language = LanguageCode(options.language);
  KOE_TRY(const FrontEndBench bench, FrontEndBench::Open(options.bundle_dir, options.language));
  KOE_TRY(const FrontEndRun first, bench.Run(kFirstSentence, &cancel));
  report.first_sentence_seconds = first.seconds;
  std::vector<double> open_seconds = {bench.open_seconds()};
  for (size_t i = 1; i < options.num_repeats; ++i) {
    KOE_TRY(const FrontEndBench again, FrontEndBench::Open(options.bundle_dir, options.language));
    open_seconds.push_back(again.open_seconds());
  }
  report.open_seconds = Median(open_seconds);

  const auto hostile = HostileTexts();
  const size_t num_steps = 1 + options.num_repeats + hostile.size();
  size_t done = 0;
  const auto progress = [&](const std::string& what) {
    terminal->Progress(static_cast<double>(done++) / static_cast<double>(num_steps), what);
  };
  std::vector<FrontEndRun> runs;
  {
    const std::string prose = options.prose.empty() ? Prose(kProseBytes) : options.prose;
    progress("prose");
    KOE_CHECK_OK(bench.Run(prose, &cancel));  // to warm up
    for (size_t i = 0; i < options.num_repeats; ++i) {
      progress("prose");
      KOE_TRY(const FrontEndRun run, bench.Run(prose, &cancel));
      report.prose_seconds.push_back(run.seconds);
      runs.push_back(run);
    }
  }
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  const FrontEndRun& median = runs[runs.size() / 2];
  report.prose_bytes = median.bytes;
  report.prose_words = median.words;
  report.prose_unknown_words = median.unknown_words;
  report.megabytes_per_second = PerSecond(median.bytes, Median(report.prose_seconds));
  std::vector<double> cpu_seconds;
  for (const FrontEndRun& run : runs) cpu_seconds.push_back(run.cpu_seconds);
  report.megabytes_per_cpu_second = PerSecond(median.bytes, Median(cpu_seconds));
  report.slowest_megabytes_per_second = PerSecond(median.bytes, runs.back().seconds);
  report.fastest_megabytes_per_second = PerSecond(median.bytes, runs.front().seconds);
  const double ns_per_word = 1e9 / static_cast<double>(std::max<size_t>(1, median.words));
  report.clean_ns = median.clean_seconds * ns_per_word;
  report.tokenise_ns = median.tokenise_seconds * ns_per_word;
  report.tag_ns = median.tag_seconds * ns_per_word;
  report.pronounce_ns = median.pronounce_seconds * ns_per_word;
  report.total_ns = median.seconds * ns_per_word;

  for (const HostileText& text : hostile) {
    progress(text.name);
    const std::string bytes = Repeat(text.unit, kHostileBytes);
    const PeakMemory memory;
    KOE_TRY(const FrontEndRun run, bench.Run(bytes, &cancel));
    report.hostile.push_back({text.name, bytes.size(), run.seconds, run.cpu_seconds, memory.Growth()});
  }
  terminal->EraseProgress();
  return report;
}

std::string G2pBenchText(const G2pBenchReport& report) {
  std::string text = Format(
      "Text to phonemes, %s, one thread\n\n"
      "prose          %.1f MB, %zu words and marks, %zu unknown\n"
      "throughput     %.2f MB/s (median of %zu; %.2f to %.2f); %.2f MB a second of processor time\n"
      "start-up       %.3f ms to open, %.3f ms for the first sentence\n\n",
      report.language.c_str(), static_cast<double>(report.prose_bytes) / 1e6, report.prose_words,
      report.prose_unknown_words, report.megabytes_per_second, report.prose_seconds.size(),
      report.slowest_megabytes_per_second, report.fastest_megabytes_per_second, report.megabytes_per_cpu_second,
      report.open_seconds * 1e3, report.first_sentence_seconds * 1e3);
  std::vector<std::vector<std::string>> steps = {{"step", "ns per word"}};
  for (const auto& [name, ns] :
       {std::pair("clean", report.clean_ns), std::pair("tokenise", report.tokenise_ns), std::pair("tag", report.tag_ns),
        std::pair("pronounce", report.pronounce_ns), std::pair("all", report.total_ns)}) {
    steps.push_back({name, Format("%.0f", ns)});
  }
  text += Table(steps) + "\n";
  std::vector<std::vector<std::string>> rows = {
      {"hostile text", "MB", "seconds", "of processor", "MB/s", "peak memory, MB"}};
  for (const G2pBenchReport::Hostile& hostile : report.hostile) {
    rows.push_back({hostile.name, Format("%.1f", static_cast<double>(hostile.bytes) / 1e6),
                    Format("%.2f", hostile.seconds), Format("%.2f", hostile.cpu_seconds),
                    Format("%.2f", PerSecond(hostile.bytes, hostile.seconds)),
                    hostile.peak_bytes < 0 ? "?" : Format("%.1f", static_cast<double>(hostile.peak_bytes) / 1e6)});
  }
  return text + Table(rows);
}

}  // namespace koe::cli
