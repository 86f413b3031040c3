// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace koe {
namespace {

TEST(ArenaTest, AllocationsAreAlignedAndDisjoint) {
  Arena arena;
  std::vector<std::span<char>> spans;
  for (size_t size : {1u, 63u, 64u, 65u, 3000000u, 7u}) {
    spans.push_back(arena.Allocate<char>(size));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(spans.back().data()) % kCacheLineBytes, 0u);
    std::memset(spans.back().data(), static_cast<int>(spans.size()), size);
  }
  for (size_t i = 0; i < spans.size(); ++i) {
    for (char c : spans[i]) ASSERT_EQ(c, static_cast<char>(i + 1));
  }
}

TEST(ArenaTest, ScopeGivesMemoryBack) {
  Arena arena;
  arena.Allocate<float>(100);
  float* first;
  {
    Arena::Scope scope(arena);
    first = arena.Allocate<float>(1000).data();
    arena.Allocate<float>(3 << 20);  // a second block
  }
  EXPECT_EQ(arena.Allocate<float>(1000).data(), first);
}

TEST(ArenaTest, SecondRunOfTheSameSizeDoesNotGrow) {
  Arena arena;
  const auto run = [&] {
    for (int i = 0; i < 20; ++i) arena.Allocate<float>(300000);
    arena.Child(1).Allocate<float>(500000);
  };
  run();
  arena.Reset();
  run();
  const size_t capacity = arena.CapacityBytes();
  for (int i = 0; i < 3; ++i) {
    arena.Reset();
    run();
  }
  EXPECT_EQ(arena.CapacityBytes(), capacity);
  EXPECT_GE(arena.PeakBytes(), 20u * 300000 * 4 + 500000 * 4);
  EXPECT_LE(arena.PeakBytes(), capacity);
}

// What counting says is what the same run takes, in one block, and a second run takes no more.
TEST(ArenaTest, ReservesWhatWasCounted) {
  const auto run = [](Arena& arena) {
    arena.Allocate<float>(1000);
    {
      const Arena::Scope scope(arena);
      arena.Allocate<float>(3 << 20);
    }
    arena.AllocateMatrix(700, 1000);
    arena.Child(1).Allocate<char>(100);
    const Arena::Scope scope(arena.Child(0));
    arena.Child(0).Child(2).Allocate<double>(5000);
  };
  Arena counter{Arena::CountOnly()};
  run(counter);
  EXPECT_TRUE(counter.Child(0).counts_only());
  EXPECT_EQ(counter.CapacityBytes(), 0u);
  EXPECT_EQ(counter.PeakBytes(), 4032u + (12u << 20) + 128u + 40000u);  // whole cache lines each
  Arena arena;
  for (int i = 0; i < 3; ++i) {
    arena.Reserve(counter);
    EXPECT_EQ(arena.CapacityBytes(), counter.PeakBytes());
    run(arena);
    EXPECT_EQ(arena.PeakBytes(), counter.PeakBytes());
    EXPECT_EQ(arena.CapacityBytes(), counter.PeakBytes());
  }
}

TEST(ArenaTest, ReleaseHoldsNothing) {
  Arena arena;
  arena.Allocate<float>(1 << 20);
  arena.Child(0).Allocate<float>(10);
  arena.Release();
  EXPECT_EQ(arena.CapacityBytes(), 0u);
  arena.Allocate<float>(10)[9] = 1;
  EXPECT_GT(arena.CapacityBytes(), 0u);
}

TEST(ArenaTest, RefusesSizesThatWrap) {
  Arena arena;
  EXPECT_THROW(arena.Allocate<double>(~size_t{0} / 4), std::bad_alloc);
  EXPECT_THROW(arena.AllocateMatrix(size_t{1} << 40, size_t{1} << 40), std::bad_alloc);
}

}  // namespace
}  // namespace koe
