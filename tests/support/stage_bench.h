// SPDX-License-Identifier: Apache-2.0
// Stages in the shapes of 3, 8 and 15 s of speech on 1 and 2 threads, best target. Weights and inputs are random
// numbers of the model's sizes: the time of a stage does not depend on their values.
#ifndef KOE_TESTS_SUPPORT_STAGE_BENCH_H_
#define KOE_TESTS_SUPPORT_STAGE_BENCH_H_

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "support/machine.h"
#include "support/synthetic_weights.h"

namespace koe::test_support {

struct SpeechSize {
  size_t seconds, num_tokens, num_frames;
};
// The goldens have 15 tokens and 40 duration frames a second.
inline constexpr SpeechSize kSpeechSizes[] = {{3, 45, 120}, {8, 120, 320}, {15, 225, 600}};

inline const SyntheticWeights& BenchWeights() {
  static const SyntheticWeights weights;
  return weights;
}

// Registers name/seconds:S/threads:N for every size. make() -> Result<std::unique_ptr<Stage>>;
// prepare(size) -> a movable that is called with (stage, context) and returns whether the run succeeded.
template <typename Make, typename Prepare>
bool RegisterStageBench(const std::string& name, Make make, Prepare prepare) {
  for (const SpeechSize& size : kSpeechSizes) {
    for (const size_t num_threads : {1, 2}) {
      const std::string full_name =
          name + "/seconds:" + std::to_string(size.seconds) + "/threads:" + std::to_string(num_threads);
      benchmark::RegisterBenchmark(full_name.c_str(),
                                   [=](benchmark::State& state) {
                                     static const auto stage = make();
                                     if (!stage.has_value()) {
                                       state.SkipWithError(stage.error().message().c_str());
                                       return;
                                     }
                                     auto run = prepare(size);
                                     Machine machine(BestKernels(), num_threads);
                                     bool ok = run(**stage, machine.context());  // warms up, sizes the arena
                                     for (auto _ : state) {
                                       machine.arena.Reset();
                                       ok = ok && run(**stage, machine.context());
                                     }
                                     if (!ok) state.SkipWithError("the stage failed");
                                     // Seconds of speech in a second of wall time.
                                     state.counters["speech"] =
                                         benchmark::Counter(static_cast<double>(size.seconds),
                                                            benchmark::Counter::kIsIterationInvariantRate);
                                     state.counters["arena_MB"] = static_cast<double>(machine.arena.PeakBytes()) / 1e6;
                                   })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_STAGE_BENCH_H_
