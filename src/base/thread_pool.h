// SPDX-License-Identifier: Apache-2.0
// A fixed set of workers for data-parallel loops. Several threads may submit at once; nested loops are allowed.
#ifndef KOE_BASE_THREAD_POOL_H_
#define KOE_BASE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/function_ref.h"

namespace koe {

// num_threads counts the calling thread: ThreadPool(1) starts none. Throws std::system_error where the system cannot
// start a thread. Workers spin for a short while after a loop ends
// (a synthesis issues hundreds of loops back to back), then sleep.
class ThreadPool {
 public:
  explicit ThreadPool(size_t num_threads);
  // Says that it has num_threads and runs no loop: with an arena that counts, for how much memory a run would take.
  struct Idle {};
  ThreadPool(size_t num_threads, Idle) : idle_threads_(num_threads) {}
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  size_t num_threads() const { return idle_threads_ > 0 ? idle_threads_ : workers_.size() + 1; }

  // Calls task(index, slot) for every index in [0, count), on the caller and on free workers, and returns when all are
  // done. slot is in [0, num_threads()) and belongs to one thread for the whole loop: use it to pick scratch. While it
  // waits for the last tasks, the caller takes part in the loops that they start. Which thread runs which index is not
  // defined, so results must not depend on it. An exception from a task (such as std::bad_alloc) is rethrown here after
  // the loop has ended; the remaining indexes are skipped.
  void ParallelFor(size_t count, FunctionRef<void(size_t index, size_t slot)> task);

  // Runs the functions side by side where workers are free; returns when all are done. (An Idle pool runs them, too,
  // one after another: what they allocate counts.)
  void RunAll(std::initializer_list<FunctionRef<void()>> tasks);

 private:
  struct Loop;
  void WorkerMain();
  void Stop();
  // Returns when the loop has ended; helps the loops inside it until then.
  void Await(Loop& loop);
  // mutex_ is held for these.
  std::shared_ptr<Loop> FindWork(const Loop* within);
  std::shared_ptr<Loop> TakeLoop(size_t count, FunctionRef<void(size_t index, size_t slot)> task);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::shared_ptr<Loop>> loops_;   // those that run, oldest first
  std::vector<std::shared_ptr<Loop>> spares_;  // all that were ever made: as many as have run at once
  std::atomic<uint64_t> epoch_{0};             // counts submissions: what a spinning worker watches
  bool stop_ = false;
  const size_t idle_threads_ = 0;  // more than 0: an Idle pool
  std::vector<std::thread> workers_;
};

}  // namespace koe

#endif  // KOE_BASE_THREAD_POOL_H_
