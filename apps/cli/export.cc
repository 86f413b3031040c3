// SPDX-License-Identifier: Apache-2.0
// koe export: the stages as Core ML packages or ONNX models.
#include "koe/export.h"

#include <algorithm>

#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kDetails[] =
    R"(Stages: duration, f0ntrain, decoder_pre, decoder_har_post, each a program of fixed shapes: one for each number
of tokens (duration) or seconds (the others). Names, shapes and masks are those of kokoro-coreml's published
packages; --contract card leaves the masks out and doubles the excitation's length, as its model card has it. Masks
may be left out by callers: they are all ones then. --multifunction writes one Core ML package a stage, with a
function for each size that shares the weights (macOS 15, iOS 18). The folder also gets runtime/kokoro-vocab.json,
runtime/hnsf_weights.json and ExportManifest.json with every size and SHA-256. The same bundle gives the same
bytes. Written and checked without Apple hardware: see docs/export.md.

Examples:
  koe export -o coreml
  koe export --format onnx --precision fp32 --stage decoder_har_post --buckets 3,15 -o onnx
  koe export --multifunction --stage all -o packages)";

class Export : public Command {
 public:
  std::string Name() const override { return "export"; }
  std::string Summary() const override { return "Write the stages as Core ML packages or ONNX models"; }
  std::string Details() const override { return kDetails; }
  void Declare(Arguments* arguments) override {
    arguments->Value("--format", "NAME", &format_, "coreml (default) or onnx");
    arguments->List("--stage", "NAME", &stages_,
                    "all (default), duration, f0ntrain, decoder_pre, decoder_har_post; or several");
    arguments->List("--buckets", "SECONDS", &buckets_, "Lengths of speech (default 3,7,10,15,30)");
    arguments->List("--tokens", "N", &tokens_, "Numbers of tokens (default 32,64,128,256,320,384,512)");
    arguments->Value("--precision", "NAME", &precision_, "fp16 (default) or fp32, of the computation");
    arguments->Value("--contract", "NAME", &contract_, "current (default) or card");
    arguments->Flag("--multifunction", &options_.multifunction,
                    "One Core ML package a stage, a function for each size");
    arguments->Flag("--half-tail", &options_.half_tail, "fp16: the generator's last steps too (default: float32)");
    arguments->Value("-o,--output", "DIR", &output_, "Where to write (required)");
    arguments->Value("-b,--bundle", "DIR", &bundle_, "Model bundle (default: see koe bundle info --help)");
    arguments->Flag("--json", &json_, "Print JSON");
  }

  Outcome Run(Terminal* terminal) override {
    CLI_CHECK_OK(ReadArguments(), UsageFailure);
    CLI_TRY(options_.bundle_dir, FindBundle(bundle_.value_or("")), BundleFailure);
    options_.cancel = &CancelOnInterrupt();
    options_.progress = [terminal](double fraction, const std::string& what) { terminal->Progress(fraction, what); };
    CLI_TRY(const ExportReport report, ExportModel(options_), BundleFailure);
    if (json_) CLI_CHECK_OK(WriteStandardOutput(ExportJson(report)), InputFailure);
    if (!json_) {
      terminal->Summary(Quote(report.output_dir) + Format(": %zu package%s, %.1f MB", report.packages.size(),
                                                          report.packages.size() == 1 ? "" : "s",
                                                          static_cast<double>(report.bytes) / 1e6));
    }
    return {};
  }

 private:
  Result<void> ReadArguments() {
    if (!output_ || output_->empty()) {
      return Error(ErrorCode::kInvalidArgument, "output: none: give --output DIR");
    }
    options_.output_dir = *output_;
    KOE_TRY(const bool onnx, IsSecond("format", format_, {"coreml", "onnx"}));
    KOE_TRY(const bool fp32, IsSecond("precision", precision_, {"fp16", "fp32"}));
    KOE_TRY(const bool card, IsSecond("contract", contract_, {"current", "card"}));
    options_.format = onnx ? ExportFormat::kOnnx : ExportFormat::kCoreMl;
    options_.precision = fp32 ? ExportPrecision::kFp32 : ExportPrecision::kFp16;
    options_.contract = card ? ExportContract::kCard : ExportContract::kCurrent;
    constexpr ExportStage kAll[] = {ExportStage::kDuration, ExportStage::kF0Ntrain, ExportStage::kDecoderPre,
                                    ExportStage::kGenerator};
    bool all = stages_.empty();
    for (const std::string& name : stages_) {
      KOE_TRY(const std::string stage,
              ParseChoice("stage", name, {"all", "duration", "f0ntrain", "decoder_pre", "decoder_har_post"}));
      all = all || stage == "all";
      for (const ExportStage candidate : kAll) {
        if (stage == ExportStageName(candidate)) options_.stages.push_back(candidate);
      }
    }
    if (all) options_.stages.clear();
    KOE_CHECK_OK(ReadSizes("buckets", buckets_, kMaxExportSeconds, &options_.buckets));
    KOE_CHECK_OK(ReadSizes("tokens", tokens_, kMaxExportTokens, &options_.tokens));
    return {};
  }

  // Of two choices, the first of which is the default.
  static Result<bool> IsSecond(const std::string& what, const std::optional<std::string>& text,
                               const std::vector<std::string>& choices) {
    const auto chosen = ParseChoice(what, text.value_or(choices[0]), choices);
    if (!chosen) return chosen.error();
    return *chosen == choices[1];
  }

  static Result<void> ReadSizes(const std::string& what, const std::vector<std::string>& texts, int max,
                                std::vector<int>* sizes) {
    if (!texts.empty()) sizes->clear();
    for (const std::string& text : texts) {
      KOE_TRY(const uint64_t size, ParseInteger(what, text, 1, static_cast<uint64_t>(max)));
      sizes->push_back(static_cast<int>(size));
    }
    return {};
  }

  std::optional<std::string> format_, precision_, contract_, output_, bundle_;
  std::vector<std::string> stages_, buckets_, tokens_;
  bool json_ = false;
  ExportOptions options_;
};

}  // namespace

std::unique_ptr<Command> MakeExport() { return std::make_unique<Export>(); }

}  // namespace koe::cli
