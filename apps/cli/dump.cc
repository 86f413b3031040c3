// SPDX-License-Identifier: Apache-2.0
// koe dump: every stage's tensors, for comparison with the PyTorch reference.
#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kDetails[] =
    R"(The tensors have the reference implementation's names (pred_dur, F0_pred, x_pre, har, ...) and layout
(channels first), float32, pred_dur int32.

--golden takes token_ids, ref_s and speed from a safetensors file. --har golden (the default) feeds that file's
excitation to the generator, --har own computes it. --feed stage gives every stage the file's own inputs instead
of the stage before's output. Without --golden, --phonemes, --voice, --speed and --seed say what to compute.

Examples:
  koe dump --golden hello.safetensors -o out.safetensors
  koe dump --golden hello.safetensors --feed stage --har own -o out.safetensors
  koe dump --phonemes "həlˈO wˈɜɹld." --voice af_heart -o out.safetensors)";

class Dump : public Command {
 public:
  std::string Name() const override { return "dump"; }
  std::string Summary() const override { return "Write every stage's tensors to a safetensors file"; }
  std::string Details() const override { return kDetails; }

  void Declare(Arguments* arguments) override {
    arguments->Value("--golden", "FILE", &golden_, "Inputs: a safetensors file of the reference");
    arguments->Value("--har", "WHICH", &har_, "golden (default) or own");
    arguments->Value("--feed", "WHICH", &feed_, "chain (default) or stage");
    arguments->Value("--phonemes", "P", &phonemes_, "Inputs, without --golden: a string of phonemes");
    arguments->Value("-v,--voice", "NAME", &voice_, "Voice (default af_heart)");
    arguments->Value("-s,--speed", "X", &speed_, "Speed, 0.25 to 4 (default 1)");
    arguments->Value("--seed", "N", &seed_, "Seed of the noise (default 0)");
    arguments->Value("-o,--output", "FILE", &output_, "Where to write (required)");
    arguments->Value("-t,--threads", "N", &model_.threads, "Threads, 0 to 256 (default 0: every processor)");
    arguments->Value("--precision", "NAME", &model_.precision, "exact (default), fast or low-memory");
    model_.DeclarePlaces(arguments);
    arguments->Flag("--json", &json_, "Print JSON");
    arguments->Value("-b,--bundle", "DIR", &model_.bundle, "Model bundle (default: see koe bundle info --help)");
  }

  Outcome Run(Terminal* terminal) override {
    if (Outcome outcome = CheckArguments(); outcome.exit_code != ExitCode::kOk) return outcome;
    options_.cancel = &CancelOnInterrupt();
    CLI_TRY(const Engine engine, OpenEngine(model_.bundle, engine_options_), OpenFailure);
    if (!golden_) {
      CLI_TRY(const VoiceInfo voice, FindVoice(engine, options_.voice), InputFailure);
    }
    CLI_CHECK_OK(engine.Dump(options_, *output_), InputFailure);
    if (json_) CLI_CHECK_OK(WriteStandardOutput(DumpJson(*output_)), InputFailure);
    if (!json_) terminal->Summary(*output_ + ": written");
    return {};
  }

 private:
  Outcome CheckArguments() {
    if (!output_) return {ExitCode::kUsage, "output: none: give --output FILE.safetensors"};
    if (golden_.has_value() == phonemes_.has_value()) {
      return {ExitCode::kUsage, golden_ ? "golden: " + Quote(*golden_) + ": give --golden or --phonemes, not both"
                                        : "input: none: give --golden FILE or --phonemes P"};
    }
    const auto& misplaced = golden_ ? (voice_ ? voice_ : speed_) : (har_ ? har_ : feed_);
    if (misplaced) {
      return {ExitCode::kUsage, golden_ ? "option: " + Quote(*misplaced) + ": voice and speed are in the golden file"
                                        : "option: " + Quote(*misplaced) + ": --har and --feed need --golden"};
    }
    CLI_TRY(engine_options_, model_.Options(), UsageFailure);
    CLI_TRY(const std::string har, ParseChoice("har", har_.value_or("golden"), {"golden", "own"}), UsageFailure);
    CLI_TRY(const std::string feed, ParseChoice("feed", feed_.value_or("chain"), {"chain", "stage"}), UsageFailure);
    CLI_TRY(options_.seed, ParseInteger("seed", seed_.value_or("0"), 0, UINT64_MAX), UsageFailure);
    CLI_TRY(options_.speed, ParseSpeed(speed_.value_or("1")), InputFailure);
    options_.golden_path = golden_.value_or("");
    options_.phonemes = phonemes_.value_or("");
    options_.voice = voice_.value_or(options_.voice);
    options_.use_golden_har = har == "golden";
    options_.feed_stages = feed == "stage";
    if (golden_ && golden_->empty()) return {ExitCode::kBadBundle, "golden: '': the name is empty"};
    if (phonemes_) {
      if (const auto bad = FindInvalidUtf8(*phonemes_)) {
        return {ExitCode::kBadInput, "phonemes: " + Format("byte %zu", *bad) + ": not valid UTF-8"};
      }
      if (IsBlank(*phonemes_)) return {ExitCode::kBadInput, "phonemes: " + Quote(*phonemes_) + ": nothing to say"};
    }
    CLI_CHECK_OK(CheckOutputPath(*output_), InputFailure);
    return {};
  }

  std::optional<std::string> golden_, har_, feed_, phonemes_, voice_, speed_, seed_, output_;
  ModelArguments model_;
  bool json_ = false;
  EngineOptions engine_options_;
  DumpOptions options_;
};

}  // namespace

std::unique_ptr<Command> MakeDump() { return std::make_unique<Dump>(); }

}  // namespace koe::cli
