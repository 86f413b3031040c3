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

// True as soon as `done` is; false after the deadline.
template <typename Predicate>
bool SpinUntil(std::chrono::steady_clock::time_point deadline, Predicate done) {
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
  Loop(ThreadPool* p, size_t n, FunctionRef<void(size_t, size_t)> t) : pool(p), count(n), task(t) {}
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
  ThreadPool* const pool;
  // The loop whose task submitted this one; it cannot end before this one. Valid while this one is in loops_.
  Loop* parent = nullptr;
  size_t count;
  FunctionRef<void(size_t, size_t)> task;
  std::atomic<size_t> next{0};
  std::atomic<size_t> finished{0};
  std::atomic<size_t> slots{1};  // 0 is the submitter's
  std::atomic<bool> failed{false};
  std::mutex mutex;  // guards exception
  std::exception_ptr exception;
  std::atomic<bool> asleep{false};  // the submitter, on wake with the pool's mutex_
  std::condition_variable wake;     // the loop has ended, or one inside it began

  bool IsInside(const Loop* other) const {
    const Loop* ancestor = parent;
    while (ancestor != nullptr && ancestor != other) ancestor = ancestor->parent;
    return ancestor != nullptr;
  }
  void Run(size_t slot) {
    Loop* const outer = std::exchange(running_loop, this);
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
    running_loop = outer;
    // Sequentially consistent, as in Await: either the submitter sees the end, or it is seen to sleep.
    if (completed > 0 && finished.fetch_add(completed) + completed == count && asleep) {
      std::lock_guard<std::mutex> lock(pool->mutex_);
      wake.notify_all();
    }
  }
  bool IsDone() const { return finished == count; }

  static constinit thread_local Loop* running_loop;  // the innermost whose task this thread runs
};
constinit thread_local ThreadPool::Loop* ThreadPool::Loop::running_loop = nullptr;

ThreadPool::ThreadPool(size_t num_threads) {
  workers_.reserve(num_threads > 0 ? num_threads - 1 : 0);
  // More than run at once: loops nest a few deep, and a worker may still hold one that has ended. TakeLoop makes more.
  static constexpr auto kNothing = [](size_t, size_t) {};
  const size_t num_spares = num_threads > 1 ? 16 + 2 * num_threads : 0;
  spares_.reserve(num_spares);
  loops_.reserve(num_spares);
  while (spares_.size() < num_spares) spares_.push_back(std::make_shared<Loop>(this, 0, kNothing));
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

std::shared_ptr<ThreadPool::Loop> ThreadPool::FindWork(const Loop* within) {
  // The newest loop first: an inner loop's submitter is waiting, an outer one's still has work of its own.
  for (auto loop = loops_.rbegin(); loop != loops_.rend(); ++loop) {
    const bool has_work = (*loop)->next.load(std::memory_order_relaxed) < (*loop)->count;
    if (has_work && (within == nullptr || (*loop)->IsInside(within))) return *loop;
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
  spares_.push_back(std::make_shared<Loop>(this, count, task));
  return spares_.back();
}

void ThreadPool::WorkerMain() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    if (stop_) return;
    if (std::shared_ptr<Loop> loop = FindWork(nullptr)) {
      lock.unlock();
      loop->Run(loop->slots.fetch_add(1, std::memory_order_relaxed));
      lock.lock();
      loop.reset();
      continue;
    }
    const uint64_t seen = epoch_.load(std::memory_order_relaxed);
    lock.unlock();
    SpinUntil(std::chrono::steady_clock::now() + kSpinTime,
              [&] { return epoch_.load(std::memory_order_acquire) != seen; });
    lock.lock();
    wake_.wait(lock, [&] { return stop_ || epoch_.load(std::memory_order_relaxed) != seen; });
  }
}

void ThreadPool::Await(Loop& loop) {
  auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  std::unique_lock<std::mutex> lock(mutex_, std::defer_lock);
  while (!loop.IsDone()) {
    lock.lock();
    const uint64_t seen = epoch_.load(std::memory_order_relaxed);
    // Only what this loop waits for: the loops of another submitter would keep this one.
    if (std::shared_ptr<Loop> inner = FindWork(&loop)) {
      lock.unlock();
      inner->Run(inner->slots.fetch_add(1, std::memory_order_relaxed));
      lock.lock();
      inner.reset();
      lock.unlock();
      deadline = std::chrono::steady_clock::now() + kSpinTime;
      continue;
    }
    lock.unlock();
    const bool seen_more =
        SpinUntil(deadline, [&] { return loop.IsDone() || epoch_.load(std::memory_order_acquire) != seen; });
    if (seen_more && std::chrono::steady_clock::now() < deadline) continue;
    lock.lock();
    loop.asleep = true;
    loop.wake.wait(lock, [&] { return loop.IsDone() || FindWork(&loop) != nullptr; });
    loop.asleep = false;
    lock.unlock();
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
    Loop* const outer = Loop::running_loop;
    loop->parent = outer != nullptr && outer->pool == this ? outer : nullptr;
    loops_.push_back(loop);
    epoch_.fetch_add(1, std::memory_order_release);
    for (Loop* ancestor = loop->parent; ancestor != nullptr; ancestor = ancestor->parent) {
      if (ancestor->asleep) ancestor->wake.notify_one();
    }
  }
  if (count == 2) {
    wake_.notify_one();
  } else {
    wake_.notify_all();
  }
  loop->Run(0);
  Await(*loop);
  std::exception_ptr exception;
  {
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
