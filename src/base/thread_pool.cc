// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace koe {
namespace {

// Long enough to bridge the gaps between the loops of one synthesis (tens of microseconds), short enough not to be
// seen as load when idle.
constexpr std::chrono::microseconds kSpinTime{100};

inline void CpuRelax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// True as soon as `done` is; false after kSpinTime.
template <typename Predicate>
bool SpinUntil(Predicate done) {
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 64; ++i) {
      if (done()) return true;
      CpuRelax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

}  // namespace

// The submitting thread's stack holds the task; a Loop outlives it only in workers that find no index left.
struct ThreadPool::Loop {
  Loop(size_t n, FunctionRef<void(size_t, size_t)> t) : count(n), task(t) {}
  // The same as new. Nobody else holds it.
  void Reuse(size_t n, FunctionRef<void(size_t, size_t)> t) {
    count = n;
    task = t;
    next = 0;
    finished = 0;
    slots = 1;
    failed = false;
    exception = nullptr;
  }
  size_t count;
  FunctionRef<void(size_t, size_t)> task;
  std::atomic<size_t> next{0};
  std::atomic<size_t> finished{0};
  std::atomic<size_t> slots{1};  // 0 is the submitter's
  std::atomic<bool> failed{false};
  std::mutex mutex;  // guards exception, and done's wake-up
  std::condition_variable done;
  std::exception_ptr exception;

  void Run(size_t slot) {
    size_t completed = 0;
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count; ++completed) {
      if (failed.load(std::memory_order_relaxed)) continue;
      try {
        task(i, slot);
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex);
        if (!exception) exception = std::current_exception();
        failed.store(true, std::memory_order_relaxed);
      }
    }
    if (completed > 0 && finished.fetch_add(completed, std::memory_order_acq_rel) + completed == count) {
      std::lock_guard<std::mutex> lock(mutex);
      done.notify_all();
    }
  }
  bool IsDone() const { return finished.load(std::memory_order_acquire) == count; }
};

ThreadPool::ThreadPool(size_t num_threads) {
  workers_.reserve(num_threads > 0 ? num_threads - 1 : 0);
  // More than run at once: loops nest a few deep, and a worker may still hold one that has ended. TakeLoop makes more.
  static constexpr auto kNothing = [](size_t, size_t) {};
  const size_t num_spares = num_threads > 1 ? 16 + 2 * num_threads : 0;
  spares_.reserve(num_spares);
  loops_.reserve(num_spares);
  while (spares_.size() < num_spares) spares_.push_back(std::make_shared<Loop>(0, kNothing));
  try {
    for (size_t i = 1; i < num_threads; ++i) workers_.emplace_back([this] { WorkerMain(); });
  } catch (...) {
    Stop();  // or the threads that did start would end the process
    throw;
  }
}

ThreadPool::~ThreadPool() { Stop(); }

void ThreadPool::Stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
    epoch_.fetch_add(1, std::memory_order_release);
  }
  wake_.notify_all();
  for (auto& worker : workers_) worker.join();
}

std::shared_ptr<ThreadPool::Loop> ThreadPool::FindWork() {
  // The newest loop first: an inner loop's submitter is waiting, an outer one's still has work of its own.
  while (!loops_.empty()) {
    auto& loop = loops_.back();
    if (loop->next.load(std::memory_order_relaxed) < loop->count) return loop;
    loops_.pop_back();
  }
  return nullptr;
}

std::shared_ptr<ThreadPool::Loop> ThreadPool::TakeLoop(size_t count, FunctionRef<void(size_t, size_t)> task) {
  // References are only given up under mutex_, so one that nobody else holds is free.
  for (const std::shared_ptr<Loop>& spare : spares_) {
    if (spare.use_count() != 1) continue;
    spare->Reuse(count, task);
    return spare;
  }
  spares_.push_back(std::make_shared<Loop>(count, task));
  return spares_.back();
}

void ThreadPool::WorkerMain() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    if (stop_) return;
    if (std::shared_ptr<Loop> loop = FindWork()) {
      lock.unlock();
      loop->Run(loop->slots.fetch_add(1, std::memory_order_relaxed));
      lock.lock();
      loop.reset();
      continue;
    }
    const uint64_t seen = epoch_.load(std::memory_order_relaxed);
    lock.unlock();
    SpinUntil([&] { return epoch_.load(std::memory_order_acquire) != seen; });
    lock.lock();
    wake_.wait(lock, [&] { return stop_ || epoch_.load(std::memory_order_relaxed) != seen; });
  }
}

void ThreadPool::ParallelFor(size_t count, FunctionRef<void(size_t, size_t)> task) {
  if (count == 0 || idle_threads_ > 0) return;
  if (count == 1 || workers_.empty()) {
    for (size_t i = 0; i < count; ++i) task(i, 0);
    return;
  }
  std::shared_ptr<Loop> loop;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    loop = TakeLoop(count, task);
    loops_.push_back(loop);
    epoch_.fetch_add(1, std::memory_order_release);
  }
  if (count == 2) {
    wake_.notify_one();
  } else {
    wake_.notify_all();
  }
  loop->Run(0);
  if (!SpinUntil([&] { return loop->IsDone(); })) {
    std::unique_lock<std::mutex> lock(loop->mutex);
    loop->done.wait(lock, [&] { return loop->IsDone(); });
  }
  std::exception_ptr exception;
  {
    // The last finisher may still hold this on its way out.
    std::lock_guard<std::mutex> lock(loop->mutex);
    exception = std::exchange(loop->exception, nullptr);
  }
  {
    std::lock_guard<std::mutex> lock(mutex_);
    loops_.erase(std::remove(loops_.begin(), loops_.end(), loop), loops_.end());
    loop.reset();
  }
  if (exception) std::rethrow_exception(exception);
}

void ThreadPool::RunAll(std::initializer_list<FunctionRef<void()>> tasks) {
  if (idle_threads_ > 0) {
    for (const FunctionRef<void()>& task : tasks) task();
    return;
  }
  ParallelFor(tasks.size(), [&](size_t i, size_t) { tasks.begin()[i](); });
}

}  // namespace koe
