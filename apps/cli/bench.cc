// SPDX-License-Identifier: Apache-2.0
// koe bench: how fast this machine is. Each mode is a flag and a function of bench.h.
#include "bench.h"

#include <charconv>
#include <iterator>

#include "commands.h"
#include "input.h"
#include "interrupt.h"
#include "json.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kDetails[] =
    R"(Modes (none given: all):
  --speech  start-up, then speech of several lengths from phonemes ("tokens", one chunk) and from text, one run of
            each a round, and a text of ten minutes: seconds, seconds of all cores, GFLOP/s of the model as it
            is written beside the measured peak of the multiply-add units, memory (the most that was resident in
            one run on a model just loaded), the stages' shares (each stage's own median beside that of the
            whole), and how soon the first audio of a long text comes (fast: its first chunks cut short; natural:
            whole sentences)
  --g2p     text to phonemes on one thread: MB of text a second over English prose, ns for each word and step
            (clean: encoding, lines, markup; tokenise; tag: parts of speech; pronounce: dictionaries, rules,
            unknown words), the time to open the front end, and texts of 10 MB that are made to be slow, with
            their peak memory (how far the resident set grew)
  --kernels each shape of the model's convolutions and matrix products: GFLOP/s in the products' main loop and
            its share of the measured peak, where the rest of the time goes, and what all threads gain

The built-in prose is 5 KB of text over and over, which is kind to caches; --file FILE takes a text of your own.
Medians over the repeats after one that warms up (the best, of kernels). Nothing is written, but for --table, which
measures the ways to compute each convolution and puts the best into src/kernels/conv_plan_table.inc, or a copy.

Examples:
  koe bench
  koe bench --speech --quick
  koe bench --speech --seconds 3,10,30 --repeat 15 --threads 1 --json
  koe bench --g2p -f book.txt --json
  koe bench --kernels --target avx2)";

constexpr double kQuickSeconds[] = {3, 10};
constexpr size_t kQuickRepeats = 3;

class Bench : public Command {
 public:
  std::string Name() const override { return "bench"; }
  std::string Summary() const override { return "Measure how fast this machine is"; }
  std::string Details() const override { return kDetails; }

  void Declare(Arguments* arguments) override {
    arguments->Flag("--speech", &speech_, "Measure text and phonemes to audio");
    arguments->Flag("--g2p", &g2p_, "Measure text to phonemes");
    arguments->Flag("--kernels", &kernels_, "Measure convolutions and matrix products");
    arguments->Value("--target", "NAME", &target_, "Of --kernels: avx512, avx2, neon, scalar (default: the best)");
    arguments->Value("--table", "FILE", &table_, "Of --kernels: choose how to convolve and refill this table");
    arguments->List("--seconds", "LIST", &seconds_, "Lengths of speech, 0.5 to 30 (default 1,3,7,10,15,30)");
    arguments->Flag("--quick", &quick_, "Two lengths, three repeats, no long text");
    arguments->Value("--repeat", "N", &repeat_, "Runs of each, 1 to 1000 (default 7; over the prose of --g2p 5)");
    arguments->Value("-f,--file", "FILE", &file_, "Prose to measure with (default: built in)");
    arguments->Value("-v,--voice", "NAME", &voice_, "Voice (default af_heart)");
    arguments->Value("-l,--lang", "CODE", &language_, "Of --g2p: en-us (default) or en-gb");
    arguments->Value("-t,--threads", "N", &model_.threads, "Threads (default: one for every processor)");
    arguments->Value("--precision", "NAME", &model_.precision, "Of --speech, see koe say --help");
    arguments->Value("--max-memory", "SIZE", &model_.max_memory, "Of --speech, see koe say --help");
    arguments->Flag("--json", &json_, "Print JSON, one line a mode");
    arguments->Value("-b,--bundle", "DIR", &model_.bundle, "Model bundle (default: see koe bundle info --help)");
  }

  Outcome Run(Terminal* terminal) override {
    const bool all = !g2p_ && !speech_ && !kernels_;
    if (speech_ || all) {
      if (Outcome outcome = RunSpeech(terminal); outcome.exit_code != ExitCode::kOk) return outcome;
      if (all && !json_) CLI_CHECK_OK(WriteStandardOutput("\n"), InputFailure);
    }
    if (g2p_ || all) {
      if (Outcome outcome = RunG2p(terminal); outcome.exit_code != ExitCode::kOk) return outcome;
      if (all && !json_) CLI_CHECK_OK(WriteStandardOutput("\n"), InputFailure);
    }
    if (kernels_ || all) return RunKernels(terminal);
    return {};
  }

 private:
  Outcome ReadProse(const CancelToken& cancel, std::string* prose) const {
    if (!file_) return {};
    CLI_TRY(TextInput input, TextInput::Open(std::nullopt, file_, cancel), UsageFailure);
    CLI_TRY(*prose, input.ReadAll(), InputFailure);
    if (IsBlank(*prose)) return {ExitCode::kBadInput, "file: " + Quote(*file_) + ": nothing to read"};
    return {};
  }

  Outcome FindModel(std::string* dir) const {
    if (model_.bundle && model_.bundle->empty()) return {ExitCode::kUsage, "bundle: '': the folder's name is empty"};
    CLI_TRY(*dir, FindBundle(model_.bundle.value_or("")), OpenFailure);
    return {};
  }

  Outcome RunSpeech(Terminal* terminal) {
    const CancelToken& cancel = CancelOnInterrupt();
    SpeechBenchOptions options;
    if (quick_) {
      options.seconds.assign(std::begin(kQuickSeconds), std::end(kQuickSeconds));
      options.num_repeats = kQuickRepeats;
      options.long_seconds = 0;
    }
    if (!seconds_.empty()) options.seconds.clear();
    for (const std::string& text : seconds_) {
      CLI_TRY(const double seconds, ParseSeconds(text), UsageFailure);
      options.seconds.push_back(seconds);
    }
    const std::string repeats = repeat_.value_or(std::to_string(options.num_repeats));
    CLI_TRY(options.num_repeats, ParseInteger("repeat", repeats, 1, 1000), UsageFailure);
    CLI_TRY(options.engine, model_.Options(), UsageFailure);
    if (Outcome outcome = ReadProse(cancel, &options.prose); outcome.exit_code != ExitCode::kOk) return outcome;
    if (Outcome outcome = FindModel(&options.bundle_dir); outcome.exit_code != ExitCode::kOk) return outcome;
    options.voice = voice_.value_or(options.voice);
    {
      CLI_TRY(const Engine engine, OpenEngine(options.bundle_dir, options.engine), OpenFailure);
      CLI_TRY(const VoiceInfo voice, FindVoice(engine, options.voice), InputFailure);
      options.voice = voice.id;
    }
    CLI_TRY(const SpeechBenchReport report, BenchSpeech(options, cancel, terminal), InputFailure);
    CLI_CHECK_OK(WriteStandardOutput(json_ ? SpeechBenchJson(report) : SpeechBenchText(report)), InputFailure);
    return {};
  }

  static Result<double> ParseSeconds(const std::string& text) {
    double seconds = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool is_number = error == std::errc() && stop == text.data() + text.size() && !text.empty();
    if (is_number && seconds >= 0.5 && seconds <= kMaxBenchSeconds) return seconds;
    return Error(ErrorCode::kInvalidArgument, "seconds: " + Quote(text) + ": must be numbers from 0.5 to 30");
  }

  Outcome RunG2p(Terminal* terminal) {
    const CancelToken& cancel = CancelOnInterrupt();
    G2pBenchOptions options;
    CLI_TRY(options.language, ParseLanguage(language_.value_or("en-us")), InputFailure);
    CLI_TRY(options.num_repeats, ParseInteger("repeat", repeat_.value_or("5"), 1, 1000), UsageFailure);
    if (Outcome outcome = ReadProse(cancel, &options.prose); outcome.exit_code != ExitCode::kOk) return outcome;
    if (Outcome outcome = FindModel(&options.bundle_dir); outcome.exit_code != ExitCode::kOk) return outcome;
    CLI_TRY(const G2pBenchReport report, BenchG2p(options, cancel, terminal), OpenFailure);
    CLI_CHECK_OK(WriteStandardOutput(json_ ? G2pBenchJson(report) : G2pBenchText(report)), InputFailure);
    return {};
  }

  Outcome RunKernels(Terminal* terminal) {
    KernelBenchOptions options;
    options.cancel = &CancelOnInterrupt();
    options.simd_target = target_.value_or("");
    options.progress = [terminal](double fraction, const std::string& name) { terminal->Progress(fraction, name); };
    const std::string repeats = repeat_.value_or(std::to_string(options.num_repeats));
    CLI_TRY(options.num_repeats, ParseInteger("repeat", repeats, 1, 1000), UsageFailure);
    CLI_TRY(const EngineOptions engine, model_.Options(), UsageFailure);
    options.num_threads = engine.num_threads;
    if (table_) {
      CLI_CHECK_OK(RefillConvPlanTable(*table_, options), OpenFailure);
      return {};
    }
    CLI_TRY(const KernelBenchReport report, BenchKernels(options), OpenFailure);
    CLI_CHECK_OK(WriteStandardOutput(json_ ? KernelBenchJson(report) : KernelBenchText(report)), InputFailure);
    return {};
  }

  ModelArguments model_;
  std::vector<std::string> seconds_;
  std::optional<std::string> file_, language_, repeat_, voice_, target_, table_;
  bool speech_ = false, g2p_ = false, kernels_ = false, quick_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeBench() { return std::make_unique<Bench>(); }

}  // namespace koe::cli
