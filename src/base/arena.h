// SPDX-License-Identifier: Apache-2.0
// Bump allocator for one run's activations and scratch. Not thread-safe: work that runs side by side takes Child(i).
#ifndef KOE_BASE_ARENA_H_
#define KOE_BASE_ARENA_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/array.h"

namespace koe {

// Memory is 64-byte aligned, uninitialised and valid until the Scope that encloses the allocation ends, or Reset.
// Without Reserve it grows by blocks as it goes; Reset merges those of the past run into one, so a second run of the
// same size does not allocate.
class Arena {
 public:
  // Counts what a run would take and gives addresses that are nobody's memory: touching one ends the process.
  struct CountOnly {};

  Arena() = default;
  explicit Arena(CountOnly) : counts_only_(true) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  template <typename T>
  std::span<T> Allocate(size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (count > (~size_t{0} / 2) / sizeof(T)) throw std::bad_alloc();
    return {reinterpret_cast<T*>(AllocateBytes(count * sizeof(T))), count};
  }
  // [rows][cols], rows contiguous.
  Matrix AllocateMatrix(size_t rows, size_t cols) {
    if (cols != 0 && rows > (~size_t{0} / 8) / cols) throw std::bad_alloc();
    return Matrix(Allocate<float>(rows * cols).data(), rows, cols);
  }

  // Independent arenas that live as long as this one and are reset with it. Those of one that counts count, too.
  Arena& Child(size_t index);

  bool counts_only() const { return counts_only_; }
  // Makes this arena and its children hold what `planned` counted, each in one block. Gives back everything first.
  void Reserve(const Arena& planned);

  // Gives back everything allocated here (children too). Views into it die.
  void Reset();
  // The same, and gives the memory back to the system (children too).
  void Release();
  // Bytes held in blocks, children included.
  size_t CapacityBytes() const;
  // The most bytes in use at once since construction, ends of full blocks and children (their own peaks) included.
  size_t PeakBytes() const;

  // Allocations made within a scope are given back when it ends. Children are not affected.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), block_(arena.current_), used_(arena.used_) {}
    ~Scope() { arena_.Rewind(block_, used_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    size_t block_, used_;
  };

 private:
  std::byte* AllocateBytes(size_t bytes);
  void Rewind(size_t block, size_t used);

  const bool counts_only_ = false;
  std::vector<AlignedBuffer<std::byte>> blocks_;
  size_t current_ = 0;       // block in use
  size_t used_ = 0;          // bytes of it
  size_t bytes_before_ = 0;  // sizes of the blocks before it
  size_t peak_ = 0;
  std::vector<std::unique_ptr<Arena>> children_;
};

}  // namespace koe

#endif  // KOE_BASE_ARENA_H_
