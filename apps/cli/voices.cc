// SPDX-License-Identifier: Apache-2.0
// koe voices: what can speak.
#include <algorithm>

#include "commands.h"
#include "json.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kDetails[] =
    R"(Prints name, language and gender. Text can be spoken in en-us and en-gb; voices of other languages
take phonemes (koe say --phonemes) or English.

Examples:
  koe voices
  koe voices --lang en-gb
  koe voices --json)";

class Voices : public Command {
 public:
  std::string Name() const override { return "voices"; }
  std::string Summary() const override { return "List the voices of the bundle"; }
  std::string Details() const override { return kDetails; }

  void Declare(Arguments* arguments) override {
    arguments->Value("-l,--lang", "CODE", &language_, "Only the voices of this language (en-us, en-gb, ja, ...)");
    arguments->Flag("--json", &json_, "Print JSON");
    arguments->Value("-b,--bundle", "DIR", &bundle_, "Model bundle (default: see koe bundle info --help)");
  }

  Outcome Run(Terminal*) override {
    CLI_TRY(const Engine engine, OpenEngine(bundle_, {}), OpenFailure);
    std::vector<VoiceInfo> voices = engine.Voices();
    if (language_) {
      std::vector<std::string> languages;
      for (const VoiceInfo& voice : voices) languages.push_back(voice.language);
      voices.erase(
          std::remove_if(voices.begin(), voices.end(), [&](const auto& v) { return v.language != *language_; }),
          voices.end());
      if (voices.empty()) {
        return {ExitCode::kBadInput,
                "language: " + Quote(*language_) + ": no voice here speaks it" + NearestHint(*language_, languages)};
      }
    }
    const std::string default_voice = SynthesisOptions{}.voice;
    if (json_) {
      CLI_CHECK_OK(WriteStandardOutput(VoicesJson(voices, default_voice)), InputFailure);
      return {};
    }
    std::vector<std::vector<std::string>> rows;
    for (const VoiceInfo& voice : voices) {
      rows.push_back({voice.id, voice.language, voice.gender, voice.id == default_voice ? "(default)" : ""});
    }
    CLI_CHECK_OK(WriteStandardOutput(Table(rows)), InputFailure);
    return {};
  }

 private:
  std::optional<std::string> language_, bundle_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeVoices() { return std::make_unique<Voices>(); }

}  // namespace koe::cli
