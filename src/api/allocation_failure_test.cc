// SPDX-License-Identifier: Apache-2.0
// Memory that runs out: each allocation of a short synthesis fails once; the call gives an error or the right samples,
// nothing leaks, and the next call is right. Replaces operator new, so not with sanitizers.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <optional>

#include "koe/koe.h"
#include "support/model.h"

namespace {

std::atomic<int64_t> until_failure{-1};  // allocations that succeed before one fails; negative: none fails
std::atomic<int64_t> num_allocations{0}, live_blocks{0};

void* Allocate(size_t size, size_t alignment) {
  num_allocations.fetch_add(1, std::memory_order_relaxed);
  if (until_failure.load(std::memory_order_relaxed) >= 0 && until_failure.fetch_sub(1) == 0) throw std::bad_alloc();
  void* block = alignment <= alignof(std::max_align_t)
                    ? std::malloc(size > 0 ? size : 1)
                    : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (block == nullptr) throw std::bad_alloc();
  live_blocks.fetch_add(1, std::memory_order_relaxed);
  return block;
}
void Free(void* block) {
  if (block == nullptr) return;
  live_blocks.fetch_sub(1, std::memory_order_relaxed);
  std::free(block);
}

}  // namespace

void* operator new(size_t size) { return Allocate(size, 1); }
void* operator new(size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* block) noexcept { Free(block); }
void operator delete(void* block, size_t) noexcept { Free(block); }
void operator delete(void* block, std::align_val_t) noexcept { Free(block); }
void operator delete(void* block, size_t, std::align_val_t) noexcept { Free(block); }

namespace koe {
namespace {

class AllocationFailureTest : public testing::Test {
 protected:
  void SetUp() override {
    EngineOptions options;
    options.num_threads = 2;
    auto engine = Engine::Open(test_support::BundlePath(), options);
    if (!engine) GTEST_SKIP() << "no bundle at " << test_support::BundlePath();
    engine_.emplace(std::move(*engine));
    speech_.speed = 4;
  }

  // call() is run with the k-th allocation failing, for k = 0, step, ... until it is not reached.
  template <typename Call>
  void FailEach(Call call, int64_t step) {
    int64_t failures = 0;
    for (int64_t k = 0;; k += step) {
      const int64_t live_before = live_blocks;
      until_failure = k;
      {
        const auto result = call();
        const bool was_reached = until_failure.exchange(-1) < 0;
        if (!result.has_value()) {
          ++failures;
          ASSERT_EQ(result.error().code(), ErrorCode::kOutOfMemory) << k << ": " << result.error().message();
        }
        if (!was_reached) break;
      }
      // What stays is what an engine keeps: workspaces, words it has looked up. It does not grow with the failures.
      ASSERT_LE(live_blocks - live_before, 64) << k;
    }
    EXPECT_GT(failures, 0);
  }
  static bool IsLong() { return std::getenv("KOE_LONG_TESTS") != nullptr; }
  std::optional<Engine> engine_;
  SynthesisOptions speech_;
};

TEST_F(AllocationFailureTest, InTextPreparation) {
  const auto expected = engine_->Prepare("Go on, [pause:1s]do.", speech_);
  ASSERT_TRUE(expected.has_value());
  FailEach([&] { return engine_->Prepare("Go on, [pause:1s]do.", speech_); }, IsLong() ? 1 : 7);
  const auto again = engine_->Prepare("Go on, [pause:1s]do.", speech_);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->chunks.back().token_ids, expected->chunks.back().token_ids);
}

TEST_F(AllocationFailureTest, InSynthesis) {
  const auto prepared = engine_->Prepare("Go.", speech_);
  ASSERT_TRUE(prepared.has_value());
  const auto expected = engine_->SynthesizePrepared(prepared->chunks);
  ASSERT_TRUE(expected.has_value());
  const int64_t before = num_allocations;
  ASSERT_TRUE(engine_->SynthesizePrepared(prepared->chunks).has_value());
  const int64_t in_one = num_allocations - before;
  FailEach(
      [&] {
        auto audio = engine_->SynthesizePrepared(prepared->chunks);
        if (audio) {
          EXPECT_EQ(audio->samples, expected->samples);
        }
        return audio;
      },
      IsLong() ? 1 : std::max<int64_t>(1, in_one / 15));
  const auto again = engine_->SynthesizePrepared(prepared->chunks);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->samples, expected->samples);
}

TEST_F(AllocationFailureTest, InStreams) {
  ASSERT_TRUE(engine_->Prewarm().has_value());
  const auto drain = [&]() -> Result<size_t> {
    KOE_TRY(Stream stream, engine_->OpenStream("Go. On.", speech_));
    size_t samples = 0;
    while (true) {
      KOE_TRY(const auto next, stream.Next());
      if (!next) return samples;
      samples += next->samples.size();
    }
  };
  const int64_t before = num_allocations;
  ASSERT_TRUE(drain().has_value());
  FailEach(drain, IsLong() ? 1 : std::max<int64_t>(1, (num_allocations - before) / 15));
  EXPECT_TRUE(drain().has_value());
}

}  // namespace
}  // namespace koe
