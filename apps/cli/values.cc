// SPDX-License-Identifier: Apache-2.0
#include "values.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>

#include "text.h"

namespace koe::cli {
namespace {

Error Invalid(const std::string& message) { return Error(ErrorCode::kInvalidArgument, message); }

std::string ListOf(const std::vector<std::string>& words) {
  std::string list;
  for (size_t i = 0; i < words.size(); ++i) list += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return list;
}

std::string SpeedRange() { return Format("%g to %g", kMinSpeed, kMaxSpeed); }

}  // namespace

Result<float> ParseSpeed(const std::string& text) {
  float speed = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, speed);
  if (text.empty() || stop != end || error == std::errc::invalid_argument) {
    return Invalid("speed: " + Quote(text) + ": not a number (" + SpeedRange() + ")");
  }
  if (error == std::errc() && speed >= kMinSpeed && speed <= kMaxSpeed) return speed;
  // Out of a float's range: huge, or an exponent that makes it tiny.
  const bool is_huge = error == std::errc::result_out_of_range && text.find("e-") == std::string::npos;
  const bool is_high = text[0] != '-' && (is_huge || speed > kMaxSpeed);
  const std::string nearest = std::isnan(speed) ? "" : Format(" (nearest: %g)", is_high ? kMaxSpeed : kMinSpeed);
  return Invalid("speed: " + Quote(text) + ": must be " + SpeedRange() + nearest);
}

Result<float> ParseGain(const std::string& text) {
  float gain = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, gain);
  if (!text.empty() && stop == end && error == std::errc() && gain >= 0 && gain <= 16) return gain;
  return Invalid("gain: " + Quote(text) + ": must be a number of 0 to 16");
}

Result<uint64_t> ParseInteger(const std::string& what, const std::string& text, uint64_t min, uint64_t max) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && stop == end && !text.empty() && value >= min && value <= max) return value;
  return Invalid(what + ": " + Quote(text) + ": must be a whole number, " + std::to_string(min) + " to " +
                 std::to_string(max));
}

Result<std::string> ParseChoice(const std::string& what, const std::string& text,
                                const std::vector<std::string>& allowed) {
  if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return text;
  return Invalid(what + ": " + Quote(text) + ": must be " + ListOf(allowed) + NearestHint(text, allowed));
}

Result<Precision> ParsePrecision(const std::string& text) {
  KOE_TRY(const std::string name, ParseChoice("precision", text, {"exact", "fast", "low-memory"}));
  return name == "fast" ? Precision::kFast : name == "low-memory" ? Precision::kLowMemory : Precision::kExact;
}

Result<size_t> ParseSize(const std::string& what, const std::string& text) {
  const auto failure = [&] {
    return Invalid(what + ": " + Quote(text) + ": must be a number of bytes, or of KiB, MiB or GiB (500M, 1.5GiB)");
  };
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (text.empty() || error != std::errc() || !std::isfinite(number) || number <= 0) return failure();
  const std::string unit(stop, end);
  double bytes = number;
  for (const char prefix : {'K', 'M', 'G'}) {
    bytes *= 1024;
    const char letters[] = {prefix, '\0'};
    if (unit != letters && unit != std::string(letters) + "iB" && unit != std::string(letters) + "B") continue;
    if (bytes >= 0x1p60) return failure();
    return static_cast<size_t>(bytes);
  }
  if (!unit.empty() && unit != "B") return failure();
  if (number < 1 || number >= 0x1p60) return failure();
  return static_cast<size_t>(number);
}

void ModelArguments::DeclarePlaces(Arguments* arguments) {
  arguments->List("--place", "STAGE=DEVICE", &place,
                  "Run all, duration, prosody, decoder or generator on onnx:cpu, your own onnxruntime "
                  "($KOE_ONNXRUNTIME_LIBRARY), or on coreml (Macs), instead of cpu (docs/export.md)");
  arguments->Value("--models", "DIR", &models,
                   "For --place: what koe export --format onnx --precision fp32 or bundle build --kind coreml wrote");
}

void ModelArguments::Declare(Arguments* arguments) {
  arguments->Value("-t,--threads", "N", &threads, "Threads, 0 to 256 (default 0: one for every processor)");
  arguments->Value("--precision", "NAME", &precision, "exact (default), fast or low-memory");
  arguments->Value("--max-memory", "SIZE", &max_memory,
                   "Memory for model and synthesis, such as 500M: cuts long text smaller, or refuses");
  arguments->Value("-b,--bundle", "DIR", &bundle, "Model bundle (default: see koe bundle info --help)");
  DeclarePlaces(arguments);
}

Result<EngineOptions> ModelArguments::Options() const {
  EngineOptions options;
  KOE_TRY(const uint64_t num_threads, ParseInteger("threads", threads.value_or("0"), 0, kMaxThreads));
  options.num_threads = static_cast<int>(num_threads);
  KOE_TRY(options.precision, ParsePrecision(precision.value_or("exact")));
  if (max_memory) {
    KOE_TRY(options.max_memory_bytes, ParseSize("max-memory", *max_memory));
  }
  options.place = place;
  options.models_dir = models.value_or("");
  return options;
}

void TextArguments::Declare(Arguments* arguments) {
  arguments->Files("--lexicon", &lexicons,
                   "Pronunciations of your own: lines of word, optional tag, phonemes with tabs between; may be given "
                   "many times, the last one counts");
  arguments->Value("--oov", "HOW", &oov,
                   "Words in no dictionary: neural (default where the bundle has the model), espeak (your own "
                   "espeak-ng) or spell (letter by letter)");
  arguments->Value(
      "--chunking", "HOW", &chunking,
      "Where long text is cut: sentences (default), packed (short sentences together), paragraph, or kokoro (as "
      "the Python package)");
  arguments->Flag("--misaki-quirks", &misaki_quirks, "Repeat what misaki does wrong, too: to compare phonemes");
}

Result<void> TextArguments::Apply(EngineOptions* options) const {
  options->misaki_quirks = misaki_quirks;
  if (!oov) return {};
  KOE_TRY(const std::string how, ParseChoice("oov", *oov, {"neural", "espeak", "spell"}));
  options->unknown_words = how == "neural"   ? UnknownWords::kNeural
                           : how == "espeak" ? UnknownWords::kEspeak
                                             : UnknownWords::kSpell;
  return {};
}

Result<Chunking> TextArguments::ChosenChunking() const {
  KOE_TRY(const std::string how,
          ParseChoice("chunking", chunking.value_or("sentences"), {"sentences", "kokoro", "packed", "paragraph"}));
  return how == "kokoro"      ? Chunking::kKokoro
         : how == "packed"    ? Chunking::kPacked
         : how == "paragraph" ? Chunking::kParagraph
                              : Chunking::kSentences;
}

Result<UserLexicon> TextArguments::Load() const {
  std::vector<UserLexicon> loaded;
  for (const std::string& path : lexicons) {
    auto lexicon = UserLexicon::Load(path);
    // An option may be wrong; a file is.
    if (!lexicon && lexicon.error().code() == ErrorCode::kInvalidArgument) {
      return Error(ErrorCode::kCorruptBundle, lexicon.error().message());
    }
    if (!lexicon) return lexicon.error();
    loaded.push_back(std::move(*lexicon));
  }
  return UserLexicon::Layer(loaded);
}

Result<Engine> OpenEngine(const std::optional<std::string>& bundle, const EngineOptions& options) {
  if (bundle && bundle->empty()) return Invalid("bundle: '': the folder's name is empty");
  KOE_TRY(const std::string directory, FindBundle(bundle.value_or("")));
  Result<Engine> engine = Engine::Open(directory, options);
  if (engine || engine.error().code() != ErrorCode::kUnsupported) return engine;
  // Either this CPU lacks the SIMD target or this build cannot read the bundle. Every CPU has scalar.
  EngineOptions scalar = options;
  scalar.simd_target = "scalar";
  if (Engine::Open(directory, scalar)) return engine;
  return Error(ErrorCode::kCorruptBundle, engine.error().message());
}

Result<VoiceInfo> FindVoice(const Engine& engine, const std::string& name) {
  std::vector<std::string> names;
  for (VoiceInfo& voice : engine.Voices()) {
    if (voice.id == name) return std::move(voice);
    names.push_back(voice.id);
  }
  const std::string hint = NearestHint(name, names);
  return Invalid("voice: " + Quote(name) + ": not in this bundle" +
                 (hint.empty() ? " (koe voices lists what is)" : hint));
}

Result<void> CheckOutputPath(const std::string& path) {
  const auto failure = [&](const char* why) { return Error(ErrorCode::kIo, "output: " + Quote(path) + ": " + why); };
  if (path.empty()) return failure("the name is empty");
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return failure("is a directory");
    if (access(path.c_str(), W_OK) != 0) return failure(std::strerror(errno));
    if (!S_ISREG(info.st_mode)) return {};  // a device or pipe is written in place
  }
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (access(folder.c_str(), W_OK | X_OK) != 0) return failure(std::strerror(errno));
  return {};
}

Result<void> WriteTextFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return {};
  return Error(ErrorCode::kIo, "output: " + Quote(path) + ": cannot be written");
}

}  // namespace koe::cli
