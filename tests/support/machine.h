// SPDX-License-Identifier: Apache-2.0
// What a block or stage runs on in a test: kernels of one target, a pool and an arena; and the same on several pools.
#ifndef KOE_TESTS_SUPPORT_MACHINE_H_
#define KOE_TESTS_SUPPORT_MACHINE_H_

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "nn/exec.h"
#include "stages/stage.h"
#include "support/measure.h"

namespace koe::test_support {

struct Machine {
  Machine(const kernels::KernelSet& kernel_set, size_t num_threads) : kernels(kernel_set), pool(num_threads) {}
  nn::Exec exec() { return {&kernels, &pool, &arena, &cancelled}; }
  stages::StageContext context(stages::TensorObserver* observer = nullptr) { return {exec(), observer}; }

  const kernels::KernelSet& kernels;
  ThreadPool pool;
  Arena arena;
  std::atomic<bool> cancelled{false};
};

inline const kernels::KernelSet& BestKernels() { return kernels::KernelsFor(kernels::SupportedTargets().front()); }

// Calls run(machine) -> std::vector<float> with 1, 2 and 4 threads and returns the first result. *same says whether all
// were equal bit for bit.
template <typename F>
std::vector<float> RunOnPools(const kernels::KernelSet& kernel_set, F run, bool* same) {
  std::vector<float> first;
  *same = true;
  for (const size_t num_threads : {1, 2, 4}) {
    Machine machine(kernel_set, num_threads);
    std::vector<float> result = run(machine);
    if (num_threads == 1) {
      first = std::move(result);
    } else {
      *same = *same && SameBits(result, first);
    }
  }
  return first;
}

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_MACHINE_H_
