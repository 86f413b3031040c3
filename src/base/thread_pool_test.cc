// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <stdexcept>
#include <system_error>
#include <thread>

#if defined(__has_feature)
#define KOE_HAS_SANITIZER (__has_feature(thread_sanitizer) || __has_feature(address_sanitizer))
#else
#define KOE_HAS_SANITIZER 0
#endif

namespace koe {
namespace {

class ThreadPoolTest : public testing::TestWithParam<size_t> {};

TEST_P(ThreadPoolTest, EveryIndexRunsOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.num_threads(), GetParam());
  for (size_t count : {0u, 1u, 2u, 3u, 17u, 1000u}) {
    std::vector<std::atomic<int>> runs(count);
    pool.ParallelFor(count, [&](size_t i, size_t) { runs[i].fetch_add(1); });
    for (auto& r : runs) EXPECT_EQ(r.load(), 1);
  }
}

TEST_P(ThreadPoolTest, ASlotBelongsToOneThreadForTheWholeLoop) {
  ThreadPool pool(GetParam());
  for (int repeat = 0; repeat < 50; ++repeat) {
    std::vector<std::atomic<std::thread::id>> owner(GetParam());
    pool.ParallelFor(200, [&](size_t, size_t slot) {
      ASSERT_LT(slot, owner.size());
      std::thread::id none{};
      if (!owner[slot].compare_exchange_strong(none, std::this_thread::get_id())) {
        EXPECT_EQ(none, std::this_thread::get_id());
      }
    });
  }
}

// Whoever runs tasks of a loop, its submitter, a worker or a waiting submitter of a loop around it, has a slot of its
// own.
TEST_P(ThreadPoolTest, NestedLoopsOfSeveralSubmittersKeepTheirSlots) {
  const size_t threads = GetParam();
  ThreadPool pool(threads);
  std::atomic<size_t> total{0};
  const auto run = [&](size_t count, const auto& inside) {
    std::vector<std::atomic<std::thread::id>> owner(threads);
    std::vector<size_t> runs(threads, 0);  // of a slot: not atomic, one thread's
    pool.ParallelFor(count, [&](size_t i, size_t slot) {
      ASSERT_LT(slot, threads);
      std::thread::id none{};
      if (!owner[slot].compare_exchange_strong(none, std::this_thread::get_id())) {
        ASSERT_EQ(none, std::this_thread::get_id());
      }
      ++runs[slot];
      inside(i);
    });
    EXPECT_EQ(std::accumulate(runs.begin(), runs.end(), size_t{0}), count);
  };
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 20; ++repeat) {
        run(5, [&](size_t i) {
          run(2 + i, [&](size_t) { run(3, [&](size_t) { total.fetch_add(1, std::memory_order_relaxed); }); });
        });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(total.load(), 4u * 20 * 3 * (2 + 3 + 4 + 5 + 6));
}

TEST_P(ThreadPoolTest, NestedLoopsFinish) {
  ThreadPool pool(GetParam());
  std::atomic<int> total{0};
  pool.ParallelFor(8, [&](size_t, size_t) {
    pool.ParallelFor(16, [&](size_t, size_t) {
      pool.RunAll({[&] { total.fetch_add(1); }, [&] { total.fetch_add(1); }});
    });
  });
  EXPECT_EQ(total.load(), 8 * 16 * 2);
}

// All threads of the pool meet inside the loops that one task starts, its waiting submitter too.
TEST_P(ThreadPoolTest, ASubmitterHelpsTheLoopsInsideItsOwn) {
  const size_t threads = GetParam();
  if (threads == 1) return;
  ThreadPool pool(threads);
  const auto meet = [&](std::atomic<size_t>* arrived, size_t expected) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (++*arrived; *arrived < expected && std::chrono::steady_clock::now() < deadline;) std::this_thread::yield();
    return *arrived >= expected;
  };
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::atomic<size_t> outer{0}, inner{0};
    std::atomic<bool> begun{false};
    const auto submitter = std::this_thread::get_id();
    pool.ParallelFor(threads, [&](size_t, size_t) {
      ASSERT_TRUE(meet(&outer, threads));  // each thread has one task
      if (std::this_thread::get_id() == submitter || begun.exchange(true)) return;
      // Asleep by then, every other time.
      if (repeat % 2 == 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      pool.ParallelFor(threads, [&](size_t, size_t) { EXPECT_TRUE(meet(&inner, threads)); });
    });
    ASSERT_EQ(inner, threads);
  }
}

TEST_P(ThreadPoolTest, SeveralThreadsMaySubmitAtOnce) {
  ThreadPool pool(GetParam());
  std::atomic<size_t> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 100; ++repeat) {
        pool.ParallelFor(50, [&](size_t i, size_t) { total.fetch_add(i); });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(total.load(), 4u * 100 * (49 * 50 / 2));
}

TEST_P(ThreadPoolTest, AnExceptionReachesTheCallerAndThePoolLives) {
  ThreadPool pool(GetParam());
  EXPECT_THROW(pool.ParallelFor(100,
                                [](size_t i, size_t) {
                                  if (i == 7) throw std::runtime_error("seven");
                                }),
               std::runtime_error);
  std::atomic<int> runs{0};
  pool.ParallelFor(10, [&](size_t, size_t) { runs.fetch_add(1); });
  EXPECT_EQ(runs.load(), 10);
}

TEST_P(ThreadPoolTest, WritesOfALoopAreVisibleAfterIt) {
  ThreadPool pool(GetParam());
  std::vector<int> values(4096);
  for (int repeat = 1; repeat < 200; ++repeat) {
    pool.ParallelFor(values.size() / 64, [&](size_t i, size_t) {
      for (size_t k = 0; k < 64; ++k) values[i * 64 + k] = repeat;
    });
    ASSERT_EQ(std::accumulate(values.begin(), values.end(), 0), repeat * 4096);
  }
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) && !KOE_HAS_SANITIZER
// Sanitizers reserve terabytes of address space, so the limit that makes thread stacks fail cannot be set under them.
// No convoy: a caller's loop ends while every worker is held by another caller's.
TEST_P(ThreadPoolTest, AShortLoopDoesNotWaitForALongOne) {
  ThreadPool pool(GetParam());
  std::atomic<size_t> waiting{0};
  std::atomic<bool> released{false};
  std::thread other([&] {
    pool.ParallelFor(GetParam(), [&](size_t, size_t) {
      ++waiting;
      while (!released) std::this_thread::yield();
    });
  });
  // All threads of the pool and the other caller are inside its loop, as far as there are indexes for them.
  while (waiting < GetParam()) std::this_thread::yield();
  std::atomic<size_t> done{0};
  for (int i = 0; i < 100; ++i) pool.ParallelFor(10, [&](size_t, size_t) { ++done; });
  EXPECT_EQ(done, 1000u);
  EXPECT_FALSE(released);
  released = true;
  other.join();
}

TEST_P(ThreadPoolTest, SleepsWhenIdle) {
  ThreadPool pool(GetParam());
  pool.ParallelFor(100, [](size_t, size_t) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // past the spinning
  const std::clock_t before = std::clock();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  // Processor time of all threads; one that spun would have taken up to 300 ms.
  EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.03);
}

// What asks for memory without computing.
TEST(IdlePoolTest, CountsButRunsNoLoop) {
  ThreadPool pool(3, ThreadPool::Idle());
  EXPECT_EQ(pool.num_threads(), 3u);
  pool.ParallelFor(5, [](size_t, size_t) { FAIL(); });
  int calls = 0;
  pool.RunAll({[&] { calls += 1; }, [&] { calls += 10; }});
  EXPECT_EQ(calls, 11);
}

TEST(ThreadPoolLimitTest, ThreadsThatCannotStartAreAnException) {
  const auto child = [] {
    // Stacks of 8 MiB do not fit 256 times into 512 MiB of address space.
    const rlimit limit{512u << 20, 512u << 20};
    if (setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
    try {
      ThreadPool pool(256);
      std::_Exit(1);
    } catch (const std::system_error&) {
      std::_Exit(0);
    }
  };
  EXPECT_EXIT(child(), testing::ExitedWithCode(0), "");
}
#endif

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 4, 9));

}  // namespace
}  // namespace koe
