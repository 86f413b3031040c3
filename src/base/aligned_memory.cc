// SPDX-License-Identifier: Apache-2.0
#include "base/aligned_memory.h"

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace koe {
namespace {

// Under AddressSanitizer everything comes from its allocator, which sees what is written past the end.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kMapsLargeBlocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kMapsLargeBlocks = false;
#else
constexpr bool kMapsLargeBlocks = true;
#endif
#else
constexpr bool kMapsLargeBlocks = true;
#endif

bool IsMapped(size_t bytes) { return kMapsLargeBlocks && bytes >= kLargePageBytes; }
size_t MappedBytes(size_t bytes) { return (bytes + kLargePageBytes - 1) / kLargePageBytes * kLargePageBytes; }

}  // namespace

void* AllocateAligned(size_t bytes) {
  if (bytes > ~size_t{0} - 2 * kLargePageBytes) return nullptr;
  if (!IsMapped(bytes)) {
    return std::aligned_alloc(kCacheLineBytes, (bytes + kCacheLineBytes - 1) / kCacheLineBytes * kCacheLineBytes);
  }
  // One large page more than wanted, cut off again before and after. What is never touched takes no memory.
  const size_t size = MappedBytes(bytes);
  void* mapped = mmap(nullptr, size + kLargePageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* begin = static_cast<std::byte*>(mapped);
  const size_t before = (kLargePageBytes - reinterpret_cast<uintptr_t>(begin) % kLargePageBytes) % kLargePageBytes;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + size, kLargePageBytes - before);
#if defined(MADV_HUGEPAGE)
  // The last, partial large page stays small pages: it would take memory that nobody uses.
  madvise(begin + before, bytes / kLargePageBytes * kLargePageBytes, MADV_HUGEPAGE);  // a wish: may fail
#endif
  return begin + before;
}

void FreeAligned(void* p, size_t bytes) {
  if (p == nullptr) return;
  if (IsMapped(bytes)) {
    munmap(p, MappedBytes(bytes));
  } else {
    std::free(p);
  }
}

}  // namespace koe
