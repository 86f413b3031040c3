// SPDX-License-Identifier: Apache-2.0
// koe info: the machine, the bundle and where each stage runs.
#include "commands.h"
#include "json.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kDetails[] = R"(Examples:
  koe info
  koe info --json
  KOE_TARGET=avx2 koe info)";

class Info : public Command {
 public:
  std::string Name() const override { return "info"; }
  std::string Summary() const override { return "Describe the machine, the bundle and the execution plan"; }
  std::string Details() const override { return kDetails; }

  void Declare(Arguments* arguments) override {
    arguments->Value("-t,--threads", "N", &model_.threads,
                     "Threads to plan for, 0 to 256 (default 0: every processor)");
    arguments->Value("--precision", "NAME", &model_.precision, "exact (default), fast or low-memory");
    arguments->Flag("--json", &json_, "Print JSON");
    arguments->Value("-b,--bundle", "DIR", &model_.bundle, "Model bundle (default: see koe bundle info --help)");
  }

  Outcome Run(Terminal*) override {
    CLI_TRY(const EngineOptions options, model_.Options(), UsageFailure);
    CLI_TRY(const Engine engine, OpenEngine(model_.bundle, options), OpenFailure);
    const EngineInfo info = engine.Info();
    const size_t num_voices = engine.Voices().size();
    CLI_CHECK_OK(WriteStandardOutput(json_ ? InfoJson(info, num_voices) : InfoText(info, num_voices)), InputFailure);
    return {};
  }

 private:
  static std::string InfoText(const EngineInfo& info, size_t num_voices) {
    std::string text = Table({{"koe", Version()},
                              {"bundle", info.bundle_path + " (" + info.bundle_profile + ")"},
                              {"weights", info.weights_source + ", stored as " + info.tensor_precision},
                              {"sha256", info.weights_sha256},
                              {"languages", Join(info.languages)},
                              {"voices", std::to_string(num_voices)},
                              {"cpu", info.cpu},
                              {"simd", info.simd_target + " (this CPU has " + Join(info.supported_targets) + ")"},
                              {"threads", std::to_string(info.num_threads)}});
    std::vector<std::vector<std::string>> rows = {{"stage", "device", "precision", "threads"}};
    for (const StagePlan& stage : info.plan) {
      rows.push_back({stage.stage, stage.device, stage.precision, std::to_string(stage.num_threads)});
    }
    return text + "\n" + Table(rows);
  }

  ModelArguments model_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeInfo() { return std::make_unique<Info>(); }

}  // namespace koe::cli
