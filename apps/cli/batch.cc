// SPDX-License-Identifier: Apache-2.0
// koe batch: many texts with one engine.
#include "batch.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kDetails[] =
    R"(Each line of FILE is a JSON object: {"text": "Hello.", "id": "intro", "voice": "bf_emma", "speed": 1.1}.
Only text is needed; id is the name of the file without its ending (the line's number where there is none); also
"seed", "language", "gain", "phonemes" (true: text is phonemes).

One line of JSON for each is written to standard output and to DIR/report.jsonl: line, id, status (ok, kept,
error), output, seconds, and the error's code and message. A line that fails does not stop the others; the exit
code then is that of the first that failed. Run again, lines that are done are kept: same id, same input, same
options, same model, file there. Ctrl-C loses nothing but the line that was being spoken.

Examples:
  koe batch lines.jsonl -o out
  koe batch lines.jsonl -o out --format mp3 -v af_bella
  koe phonemize -f book.txt --json | jq -c '{text}' | koe batch - -o out)";

constexpr const char* kFormats[] = {"wav", "flac", "mp3", "ogg", "opus", "raw"};

// FNV-1a, 64 bits: tells an edited line from the one that was spoken, no more.
class Key {
 public:
  Key& Add(std::string_view bytes) {
    for (const char c : bytes) Mix(static_cast<unsigned char>(c));
    Mix(0xFF);  // never within UTF-8
    return *this;
  }
  std::string Text() const { return Format("%016llx", static_cast<unsigned long long>(state_)); }

 private:
  void Mix(unsigned char byte) { state_ = (state_ ^ byte) * 1099511628211u; }
  uint64_t state_ = 14695981039346656037u;
};

class Batch : public Command {
 public:
  std::string Name() const override { return "batch"; }
  std::string Summary() const override { return "Speak every line of a JSON Lines file into a file of its own"; }
  std::string Details() const override { return kDetails; }

  void Declare(Arguments* arguments) override {
    arguments->Positional("FILE", &file_, "JSON lines; - or nothing: standard input");
    arguments->Value("-o,--output", "DIR", &output_, "Folder for the files (required); made where it is not there");
    arguments->Value("--format", "NAME", &format_name_, "wav (default), flac, mp3, ogg, opus or raw");
    arguments->Value("-v,--voice", "NAME", &voice_, "Voice of lines without one (default af_heart)");
    arguments->Value("-s,--speed", "X", &speed_, "Speed of lines without one, 0.25 to 4 (default 1)");
    text_arguments_.Declare(arguments);
    model_.Declare(arguments);
  }

  Outcome Run(Terminal* terminal) override {
    if (Outcome outcome = CheckArguments(); outcome.exit_code != ExitCode::kOk) return outcome;
    options_.cancel = &CancelOnInterrupt();
    const std::optional<std::string> source = file_ ? file_ : std::optional<std::string>("-");
    CLI_TRY(TextInput input, TextInput::Open(std::nullopt, source, *options_.cancel), UsageFailure);
    CLI_TRY(const Engine engine, OpenEngine(model_.bundle, engine_options_), OpenFailure);
    weights_ = engine.Info().weights_sha256;
    const std::string report_path = *output_ + "/report.jsonl";
    ReadReport(report_path);
    std::ofstream report(report_path, std::ios::app);
    if (!report) return {ExitCode::kIo, "output: " + Quote(report_path) + ": cannot be written"};
    Outcome first_failure;
    size_t num_lines = 0, num_failed = 0, num_kept = 0;
    while (true) {
      auto line = input.ReadLine();
      if (!line && line.error().code() == ErrorCode::kInvalidArgument) {  // not UTF-8: this line's fault alone
        line = std::optional<TextLine>(TextLine{"\xFF", 0});
      }
      if (!line) return InputFailure(line.error());
      if (!*line) break;
      ++num_lines;
      if (IsBlank((*line)->text)) continue;
      const BatchResult spoken = RunLine(engine, (*line)->text, num_lines);
      if (spoken.error && spoken.error->code() == ErrorCode::kCancelled) return InputFailure(*spoken.error);
      if (spoken.error) {
        ++num_failed;
        if (first_failure.exit_code == ExitCode::kOk) first_failure = InputFailure(*spoken.error);
      }
      num_kept += spoken.status == "kept" ? 1 : 0;
      const std::string json = BatchResultJson(spoken);
      if (spoken.status != "kept") report << json << std::flush;
      if (!report) return {ExitCode::kIo, "output: " + Quote(report_path) + ": cannot be written"};
      CLI_CHECK_OK(WriteStandardOutput(json), InputFailure);
    }
    terminal->Summary(
        Format("%zu line%s: %zu failed, %zu kept", num_lines, num_lines == 1 ? "" : "s", num_failed, num_kept));
    if (num_failed > 0) {
      first_failure.message =
          Format("batch: %zu of %zu line%s failed; the first: ", num_failed, num_lines, num_lines == 1 ? "" : "s") +
          first_failure.message;
    }
    return first_failure;
  }

 private:
  Outcome CheckArguments() {
    CLI_TRY(engine_options_, model_.Options(), UsageFailure);
    CLI_CHECK_OK(text_arguments_.Apply(&engine_options_), UsageFailure);
    CLI_TRY(options_.chunking, text_arguments_.ChosenChunking(), UsageFailure);
    if (!output_ || output_->empty()) return {ExitCode::kUsage, "output: none: name a folder with --output"};
    CLI_TRY(format_, ParseAudioFormat(format_name_.value_or("wav")), UsageFailure);
    CLI_TRY(options_.speed, ParseSpeed(speed_.value_or("1")), InputFailure);
    if (voice_) options_.voice = *voice_;
    CLI_TRY(options_.lexicon, text_arguments_.Load(), InputFailure);
    settings_ = SettingsKey();
    if (mkdir(output_->c_str(), 0777) != 0 && errno != EEXIST) {
      return {ExitCode::kIo, "output: " + Quote(*output_) + ": " + std::strerror(errno)};
    }
    return {};
  }

  void ReadReport(const std::string& path) {
    std::ifstream report(path);
    for (std::string line; std::getline(report, line);) {
      if (auto result = ParseBatchResult(line)) done_[result->id] = result->key;
    }
  }

  BatchResult RunLine(const Engine& engine, const std::string& text, size_t number) {
    BatchResult result;
    result.line = number;
    result.id = Format("%06zu", number);
    result.status = "error";
    auto line = ParseBatchLine(text, options_);
    if (!line) {
      result.error = line.error();
      return result;
    }
    if (!line->id.empty()) result.id = line->id;
    result.key = KeyOf(*line);
    if (!seen_.insert(result.id).second) {
      result.error = Error(ErrorCode::kInvalidArgument, "id: " + Quote(result.id) + ": an earlier line has it");
      return result;
    }
    const std::string name = result.id + "." + kFormats[static_cast<size_t>(format_)];
    const std::string path = *output_ + "/" + name;
    struct stat info;
    const auto done = done_.find(result.id);
    if (done != done_.end() && done->second == result.key && stat(path.c_str(), &info) == 0) {
      result.output = name;
      result.status = "kept";
      return result;
    }
    auto audio = engine.Synthesize(line->text, line->options);
    Result<void> written = audio ? WriteAudio(audio->samples, path, format_) : Result<void>(audio.error());
    if (!written) {
      result.error = written.error();
      return result;
    }
    result.output = name;
    result.status = "ok";
    result.seconds = audio->seconds();
    return result;
  }

  // Of the options that change what is heard and are the same for all lines.
  std::string SettingsKey() const {
    Key key;
    key.Add(Format("%d %d %d %zu", static_cast<int>(engine_options_.precision),
                   static_cast<int>(engine_options_.unknown_words), engine_options_.misaki_quirks ? 1 : 0,
                   engine_options_.max_memory_bytes));
    for (const std::string& place : model_.place) key.Add(place);
    for (const std::string& path : text_arguments_.lexicons) {
      std::ifstream file(path, std::ios::binary);  // it has just been read
      key.Add(std::string(std::istreambuf_iterator<char>(file), {}));
    }
    return key.Text();
  }

  std::string KeyOf(const BatchLine& line) const {
    const SynthesisOptions& o = line.options;
    return Key()
        .Add(line.text)
        .Add(o.voice)
        .Add(o.language)
        .Add(Format("%.9g %.9g %llu %d %d", static_cast<double>(o.speed), static_cast<double>(o.gain),
                    static_cast<unsigned long long>(o.seed), o.input_is_phonemes ? 1 : 0, static_cast<int>(o.chunking)))
        .Add(settings_)
        .Add(weights_)
        .Add(Version())
        .Text();
  }

  std::optional<std::string> file_, output_, format_name_, voice_, speed_;
  TextArguments text_arguments_;
  ModelArguments model_;
  EngineOptions engine_options_;
  SynthesisOptions options_;
  AudioFormat format_ = AudioFormat::kWav;
  std::string settings_, weights_;
  std::map<std::string, std::string> done_;  // id -> key, of the report
  std::set<std::string> seen_;
};

}  // namespace

std::unique_ptr<Command> MakeBatch() { return std::make_unique<Batch>(); }

}  // namespace koe::cli
