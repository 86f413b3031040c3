// SPDX-License-Identifier: Apache-2.0
// What a block computes with: one SIMD target's kernels, a thread pool, memory for this run, a way to stop early.
#ifndef KOE_NN_EXEC_H_
#define KOE_NN_EXEC_H_

#include <atomic>
#include <cstddef>

#include "base/arena.h"
#include "base/thread_pool.h"
#include "kernels/kernel_set.h"

namespace koe::nn {

// Passed by value; everything it points to outlives the run. Blocks run side by side each take their own Branch.
struct Exec {
  const kernels::KernelSet* kernels = nullptr;
  ThreadPool* pool = nullptr;
  Arena* arena = nullptr;
  const std::atomic<bool>* cancelled = nullptr;

  // The same with an arena of its own. Results allocated there live until this exec's arena is reset.
  Exec Branch(size_t index) const {
    Exec branch = *this;
    branch.arena = &arena->Child(index);
    return branch;
  }
  // A run that only counts what it allocates: its pool is Idle, its arena gives no memory, and whatever touches data
  // outside a loop of the pool is left out.
  bool CountsOnly() const { return arena->counts_only(); }
  // A long run looks here between layers and then returns early with undefined output; its stage reports kCancelled.
  bool IsCancelled() const { return cancelled != nullptr && cancelled->load(std::memory_order_relaxed); }
};

}  // namespace koe::nn

#endif  // KOE_NN_EXEC_H_
