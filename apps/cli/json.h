// SPDX-License-Identifier: Apache-2.0
// What --json prints: one object on one line. Fields are only ever added.
#ifndef KOE_APPS_CLI_JSON_H_
#define KOE_APPS_CLI_JSON_H_

#include <string>
#include <vector>

#include "bench.h"
#include "koe/download.h"
#include "koe/export.h"
#include "koe/koe.h"
#include "koe/publish.h"

namespace koe::cli {

// What `say` did.
struct SpeechReport {
  std::string output;  // a path, or "-"
  std::string format;
  VoiceInfo voice;
  std::string language;
  float speed = 1;
  uint64_t seed = 0;
  double load_seconds = 0;          // opening the bundle
  std::vector<double> run_seconds;  // of every run
  double wall_seconds = 0;          // of the one run, or the median of all but the first
  double realtime_factor = 0;       // wall_seconds for each second of speech: lower is faster
  double speed_vs_realtime = 0;     // its inverse, seconds of speech for each second of wall_seconds
};

std::string SpeechJson(const SpeechReport& report, const Audio& audio);
// Offsets of words count from the start of the line, which starts at text_offset.
std::string PhonemizationJson(size_t line_number, size_t text_offset, const std::string& text,
                              const Phonemization& phonemization);
// Offsets of words count from the start of the whole text.
std::string ChunkJson(size_t index, const std::string& text, const ChunkPreview& chunk,
                      const std::vector<WordInfo>& words);
std::string VoicesJson(const std::vector<VoiceInfo>& voices, const std::string& default_voice);
std::string InfoJson(const EngineInfo& info, size_t num_voices);
std::string BundleJson(const BundleReport& report);
std::string FetchJson(const FetchReport& report);
std::string OfficialFetchJson(const std::string& output, const OfficialFetchReport& report);
std::string GarbageJson(const StoreGarbage& garbage);
std::string ChangesJson(const std::vector<BundleChange>& changes);
std::string PublishJson(const PublishReport& report);
std::string ExportJson(const ExportReport& report);
std::string SdkBundleJson(const SdkBundleReport& report);
std::string DumpJson(const std::string& output);
std::string G2pBenchJson(const G2pBenchReport& report);
std::string KernelBenchJson(const KernelBenchReport& report);
std::string SpeechBenchJson(const SpeechBenchReport& report);

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_JSON_H_
