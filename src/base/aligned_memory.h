// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BASE_ALIGNED_MEMORY_H_
#define KOE_BASE_ALIGNED_MEMORY_H_

#include <cstddef>

namespace koe {

inline constexpr size_t kCacheLineBytes = 64;
// Where the system has pages of this size, larger blocks are made of them: weights and activations are streamed, and
// 4 KiB pages cost a fault each at the first touch (a third of the time to load a model) and translations ever after.
inline constexpr size_t kLargePageBytes = size_t{2} << 20;

// At least `bytes` (> 0) of uninitialised memory, 64-byte aligned; nullptr where there is none. Thread-safe.
void* AllocateAligned(size_t bytes);
// p from AllocateAligned(bytes), or nullptr.
void FreeAligned(void* p, size_t bytes);

}  // namespace koe

#endif  // KOE_BASE_ALIGNED_MEMORY_H_
