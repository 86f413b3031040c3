// SPDX-License-Identifier: Apache-2.0
// koe bench: how fast this machine is. Each mode is a flag and a function of bench.h.
#include "bench.h"

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
  --g2p   text to phonemes on one thread: MB of text a second over English prose, ns for each word and step (clean:
          encoding, lines, markup; tokenise; tag: parts of speech; pronounce: dictionaries, rules, unknown words),
          the time to open the front end, and texts of 10 MB that are made to be slow, with their peak memory (how
          far the resident set grew)

The built-in prose is 5 KB of text over and over, which is kind to caches; --file FILE takes a text of your own.
Nothing is written; results go to standard output.

Examples:
  koe bench --g2p
  koe bench --g2p -f book.txt --json)";

class Bench : public Command {
 public:
  std::string Name() const override { return "bench"; }
  std::string Summary() const override { return "Measure how fast this machine is"; }
  std::string Details() const override { return kDetails; }

  void Declare(Arguments* arguments) override {
    arguments->Flag("--g2p", &g2p_, "Measure text to phonemes");
    arguments->Value("-f,--file", "FILE", &file_, "Prose to measure with (default: built in, 4 MB)");
    arguments->Value("-l,--lang", "CODE", &language_, "en-us (default) or en-gb");
    arguments->Value("--repeat", "N", &repeat_, "Runs over the prose, 1 to 1000 (default 5)");
    arguments->Flag("--json", &json_, "Print JSON");
    arguments->Value("-b,--bundle", "DIR", &bundle_, "Model bundle (default: see koe bundle info --help)");
  }

  Outcome Run(Terminal* terminal) override {
    const bool all = !g2p_;
    if (g2p_ || all) {
      if (Outcome outcome = RunG2p(terminal); outcome.exit_code != ExitCode::kOk) return outcome;
    }
    return {};
  }

 private:
  Outcome RunG2p(Terminal* terminal) {
    const CancelToken& cancel = CancelOnInterrupt();
    G2pBenchOptions options;
    CLI_TRY(options.language, ParseLanguage(language_.value_or("en-us")), InputFailure);
    CLI_TRY(options.num_repeats, ParseInteger("repeat", repeat_.value_or("5"), 1, 1000), UsageFailure);
    if (file_) {
      CLI_TRY(TextInput input, TextInput::Open(std::nullopt, file_, cancel), UsageFailure);
      CLI_TRY(options.prose, input.ReadAll(), InputFailure);
      if (IsBlank(options.prose)) return {ExitCode::kBadInput, "file: " + Quote(*file_) + ": nothing to read"};
    }
    if (bundle_ && bundle_->empty()) return {ExitCode::kUsage, "bundle: '': the folder's name is empty"};
    CLI_TRY(options.bundle_dir, FindBundle(bundle_.value_or("")), OpenFailure);
    CLI_TRY(const G2pBenchReport report, BenchG2p(options, cancel, terminal), OpenFailure);
    CLI_CHECK_OK(WriteStandardOutput(json_ ? G2pBenchJson(report) : G2pBenchText(report)), InputFailure);
    return {};
  }

  std::optional<std::string> file_, language_, repeat_, bundle_;
  bool g2p_ = false, json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeBench() { return std::make_unique<Bench>(); }

}  // namespace koe::cli
