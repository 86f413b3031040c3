// SPDX-License-Identifier: Apache-2.0
// Koe as one of the processes that run_peers.py measures (the protocol is in worker.py): opens the engine with the
// options of `koe say`, then synthesises one "voice<TAB>phonemes" line of standard input after the other.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "apps/cli/arguments.h"
#include "apps/cli/values.h"
#include "koe/koe.h"

namespace koe {
namespace {

using cli::ExitCode;
using cli::Outcome;

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * double(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Stopwatch {
 public:
  double Wall() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  double Cpu() const { return CpuSeconds() - cpu_; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double cpu_ = CpuSeconds();
};

class Worker : public cli::Command {
 public:
  std::string Name() const override { return "work"; }
  std::string Summary() const override { return "Answer one line for each line of standard input"; }
  std::string Details() const override { return ""; }
  void Declare(cli::Arguments* arguments) override;
  Outcome Run(cli::Terminal* terminal) override;

 private:
  Outcome Answer(const Engine& engine, const std::string& line) const;

  cli::ModelArguments model_;
};

void Worker::Declare(cli::Arguments* arguments) { model_.Declare(arguments); }

Outcome Worker::Run(cli::Terminal*) {
  const Stopwatch watch;
  auto options = model_.Options();
  if (!options) return {ExitCode::kUsage, options.error().message()};
  auto engine = cli::OpenEngine(model_.bundle, *options);
  if (!engine) return {ExitCode::kBadBundle, engine.error().message()};
  double create_wall = 0, create_cpu = 0;
  PrewarmOptions prewarm;
  prewarm.progress = [&](PrewarmStage stage, double) {
    if (stage != PrewarmStage::kFirstRun) return;  // what came before is what a peer's session creation does
    create_wall = watch.Wall();
    create_cpu = watch.Cpu();
  };
  if (auto warm = engine->Prewarm(prewarm); !warm) return {ExitCode::kBadBundle, warm.error().message()};
  const double wall = watch.Wall(), cpu = watch.Cpu();
  const EngineInfo info = engine->Info();
  std::printf(
      "{\"version\": \"%s\", \"simd_target\": \"%s\", \"threads\": %d, \"create_seconds\": %.6f, "
      "\"create_cpu_seconds\": %.6f, \"prewarm_seconds\": %.6f, \"prewarm_cpu_seconds\": %.6f}\n",
      Version(), info.simd_target.c_str(), info.num_threads, create_wall, create_cpu, wall - create_wall,
      cpu - create_cpu);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    if (Outcome outcome = Answer(*engine, line); outcome.exit_code != ExitCode::kOk) return outcome;
  }
  return {};
}

Outcome Worker::Answer(const Engine& engine, const std::string& line) const {
  SynthesisOptions options;
  const size_t tab = line.find('\t');
  if (tab == std::string::npos) return {ExitCode::kBadInput, "a line is voice<TAB>phonemes"};
  options.voice = line.substr(0, tab);
  options.input_is_phonemes = true;
  const Stopwatch watch;
  auto audio = engine.Synthesize(std::string_view(line).substr(tab + 1), options);
  const double wall = watch.Wall(), cpu = watch.Cpu();
  if (!audio) return {ExitCode::kBadInput, audio.error().message()};
  std::printf("{\"wall_seconds\": %.6f, \"cpu_seconds\": %.6f, \"samples\": %zu, \"chunks\": %zu}\n", wall, cpu,
              audio->samples.size(), audio->chunks.size());
  std::fflush(stdout);
  return {};
}

}  // namespace
}  // namespace koe

int main(int argc, char** argv) {
  koe::cli::Commands commands;
  commands.push_back(std::make_unique<koe::Worker>());
  std::vector<std::string> arguments(argv + 1, argv + argc);
  arguments.insert(arguments.begin(), "work");
  koe::cli::ParsedLine line = koe::cli::ParseLine(arguments, commands);
  koe::cli::Outcome outcome = line.outcome;
  if (line.command != nullptr) {
    koe::cli::Terminal terminal;
    outcome = line.command->Run(&terminal);
  }
  if (!line.text.empty()) std::fputs(line.text.c_str(), stdout);
  if (!outcome.message.empty()) std::fprintf(stderr, "koe: error: %s\n", outcome.message.c_str());
  return static_cast<int>(outcome.exit_code);
}
