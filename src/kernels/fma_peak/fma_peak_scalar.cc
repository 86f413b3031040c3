// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels/fma_peak/fma_peak.h"

namespace koe::kernels {
namespace scalar {
namespace {

constexpr size_t kNumValues = 48;  // twelve of the baseline's vectors

size_t NumValues() { return kNumValues; }

void Chains(size_t rounds, float scale, float shift, float* values) {
  float x[kNumValues];
  for (size_t j = 0; j < kNumValues; ++j) x[j] = static_cast<float>(j);
  for (size_t i = 0; i < rounds; ++i) {
    for (float& value : x) value = value * scale + shift;
  }
  std::copy(x, x + kNumValues, values);
}

}  // namespace

constinit const FmaPeakOps kFmaPeakOps{Chains, NumValues};

}  // namespace scalar

double MeasureFmaPeak(Target target, size_t num_threads) {
  using Clock = std::chrono::steady_clock;
  const FmaPeakOps& ops = *FindFmaPeakOps(target);
  const size_t num_values = ops.num_values();
  // 50 ns a round at most (scalar). Runs of several threads take milliseconds; shorter ones would time their start. One
  // thread's are shorter than a time slice, so that some are whole where other programs run too.
  const size_t shorter = num_threads == 1 ? 8 : 1;
  const size_t rounds = (target == Target::kScalar ? 200'000 : 1'500'000) / shorter;
  const int num_runs = static_cast<int>(12 * shorter);
  const auto work = [&] {
    std::vector<float> values(num_values);
    ops.chains(rounds, 0.999f, 0.001f, values.data());
  };
  double best = 0;
  for (int run = 0; run < num_runs; ++run) {
    const auto start = Clock::now();
    std::vector<std::thread> threads;
    size_t started = 1;
    try {
      for (; started < num_threads; ++started) threads.emplace_back(work);
    } catch (const std::system_error&) {
      for (std::thread& thread : threads) thread.join();
      return 0;
    }
    work();
    for (std::thread& thread : threads) thread.join();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, 2.0 * static_cast<double>(num_values * rounds * num_threads) / seconds);
  }
  return best;
}

}  // namespace koe::kernels
