// SPDX-License-Identifier: Apache-2.0
// Checks of option values. Messages name what is allowed and the nearest allowed value.
#ifndef KOE_APPS_CLI_VALUES_H_
#define KOE_APPS_CLI_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arguments.h"
#include "koe/koe.h"

namespace koe::cli {

// A decimal number within [kMinSpeed, kMaxSpeed]. kInvalidArgument.
Result<float> ParseSpeed(const std::string& text);
// A decimal number of 0 to 16. kInvalidArgument.
Result<float> ParseGain(const std::string& text);
// A decimal integer within [min, max]. `what` starts the message.
Result<uint64_t> ParseInteger(const std::string& what, const std::string& text, uint64_t min, uint64_t max);
// One of `allowed`, spelled exactly.
Result<std::string> ParseChoice(const std::string& what, const std::string& text,
                                const std::vector<std::string>& allowed);
// A size in bytes, with or without a unit: "300000000", "500M", "1.5GiB" (1024s, whatever the spelling).
Result<size_t> ParseSize(const std::string& what, const std::string& text);
Result<Precision> ParsePrecision(const std::string& text);

// The options of every command that computes: --bundle, --threads, --precision, --max-memory, --place.
struct ModelArguments {
  std::optional<std::string> bundle, threads, precision, max_memory, models;
  std::vector<std::string> place;

  void Declare(Arguments* arguments);
  // --place and --models alone; Declare has them.
  void DeclarePlaces(Arguments* arguments);
  // kInvalidArgument.
  Result<EngineOptions> Options() const;
};

// The options of every command that reads text: --lexicon, --oov, --misaki-quirks, --chunking.
struct TextArguments {
  std::vector<std::string> lexicons;
  std::optional<std::string> oov, chunking;
  bool misaki_quirks = false;

  void Declare(Arguments* arguments);
  // Fills in unknown_words and misaki_quirks. kInvalidArgument.
  Result<void> Apply(EngineOptions* options) const;
  Result<Chunking> ChosenChunking() const;
  // The files in one, later ones over earlier ones. kCorruptBundle for what is wrong in a file.
  Result<UserLexicon> Load() const;
};

// The bundle that --bundle or the search finds, opened. kUnsupported is the SIMD target's fault, never the bundle's.
Result<Engine> OpenEngine(const std::optional<std::string>& bundle, const EngineOptions& options);

// The voice of that name. kInvalidArgument with the nearest.
Result<VoiceInfo> FindVoice(const Engine& engine, const std::string& name);

// kIo where `path` is a directory or lies in none that can be written to: told before the work, not after it.
Result<void> CheckOutputPath(const std::string& path);

// Replaces the file's contents. kIo; what was written of it stays.
Result<void> WriteTextFile(const std::string& path, const std::string& text);

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_VALUES_H_
