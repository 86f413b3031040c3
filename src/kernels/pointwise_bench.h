// SPDX-License-Identifier: Apache-2.0
// For the benches of the kernels over arrays: one benchmark per name and supported target.
#ifndef KOE_KERNELS_POINTWISE_BENCH_H_
#define KOE_KERNELS_POINTWISE_BENCH_H_

#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "kernels/kernel_set.h"

namespace koe::kernels {

// Registers "name/target" for each target; run(kernels) is timed, `values` and `bytes` are what one run handles.
template <class Run>
bool RegisterPerTarget(const std::string& name, size_t values, size_t bytes, Run run) {
  for (const Target target : SupportedTargets()) {
    const KernelSet& kernels = KernelsFor(target);
    benchmark::RegisterBenchmark((name + "/" + TargetName(target)).c_str(), [=, &kernels](benchmark::State& state) {
      for (auto _ : state) {
        run(kernels);
        benchmark::ClobberMemory();
      }
      state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * values));
      state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
    });
  }
  return true;
}

// Fixed inputs that live as long as the program.
inline float* BenchNormal(size_t count, float mean, float deviation) {
  static std::mt19937 rng(1);
  auto* values = new std::vector<float>(count);
  std::normal_distribution<float> distribution(mean, deviation);
  for (float& v : *values) v = distribution(rng);
  return values->data();
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_POINTWISE_BENCH_H_
