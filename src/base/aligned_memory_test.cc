// SPDX-License-Identifier: Apache-2.0
#include "base/aligned_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/array.h"

namespace koe {
namespace {

TEST(AlignedMemoryTest, BlocksAreAlignedWritableAndDisjoint) {
  std::vector<std::pair<unsigned char*, size_t>> blocks;
  for (const size_t bytes : {size_t{1}, size_t{64}, size_t{100}, kLargePageBytes - 1, kLargePageBytes,
                             kLargePageBytes + 1, 3 * kLargePageBytes + 5}) {
    for (int copy = 0; copy < 3; ++copy) {
      auto* p = static_cast<unsigned char*>(AllocateAligned(bytes));
      ASSERT_NE(p, nullptr);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % kCacheLineBytes, 0u) << bytes;
      std::memset(p, static_cast<int>(blocks.size() + 1), bytes);
      blocks.emplace_back(p, bytes);
    }
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto [p, bytes] = blocks[i];
    for (const size_t at : {size_t{0}, bytes / 2, bytes - 1}) ASSERT_EQ(p[at], i + 1) << bytes;
    FreeAligned(p, bytes);
  }
  FreeAligned(nullptr, 5);
}

TEST(AlignedMemoryTest, WhatDoesNotFitIsNull) {
  EXPECT_EQ(AllocateAligned(~size_t{0}), nullptr);
  EXPECT_EQ(AllocateAligned(size_t{1} << 60), nullptr);
  EXPECT_THROW(AlignedBuffer<float>(size_t{1} << 58), std::bad_alloc);
}

TEST(AlignedMemoryTest, ABufferMovesWithItsSize) {
  AlignedBuffer<float> small(3), large(kLargePageBytes / 4 + 1);
  small[2] = 1;
  large[kLargePageBytes / 4] = 2;
  std::swap(small, large);
  EXPECT_EQ(small.size(), kLargePageBytes / 4 + 1);
  EXPECT_EQ(small[kLargePageBytes / 4], 2);
  large = std::move(small);  // the small block goes back as a small one
  EXPECT_EQ(large[kLargePageBytes / 4], 2);
}

}  // namespace
}  // namespace koe
