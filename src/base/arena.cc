// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <algorithm>
#include <cstdint>

namespace koe {
namespace {
constexpr size_t kMinBlockBytes = size_t{1} << 20;
// Where an arena that counts pretends to have its memory: no address of a process.
constexpr uintptr_t kNobodysMemory = uintptr_t{1} << 62;
}  // namespace

std::byte* Arena::AllocateBytes(size_t bytes) {
  bytes = RoundUp(bytes, kCacheLineBytes);
  if (counts_only_) {
    const uintptr_t address = kNobodysMemory + used_;
    used_ += bytes;
    peak_ = std::max(peak_, used_);
    return reinterpret_cast<std::byte*>(address);
  }
  while (current_ < blocks_.size() && used_ + bytes > blocks_[current_].size()) {
    bytes_before_ += blocks_[current_].size();
    ++current_;
    used_ = 0;
  }
  if (current_ == blocks_.size()) {
    // Growing by half of what is held keeps the number of blocks of a first run small.
    blocks_.emplace_back(RoundUp(std::max({bytes, kMinBlockBytes, bytes_before_ / 2}), kCacheLineBytes));
    used_ = 0;
  }
  std::byte* result = blocks_[current_].data() + used_;
  used_ += bytes;
  peak_ = std::max(peak_, bytes_before_ + used_);
  return result;
}

void Arena::Rewind(size_t block, size_t used) {
  while (current_ > block) bytes_before_ -= blocks_[--current_].size();
  used_ = used;
}

Arena& Arena::Child(size_t index) {
  while (children_.size() <= index) {
    children_.push_back(counts_only_ ? std::make_unique<Arena>(CountOnly()) : std::make_unique<Arena>());
  }
  return *children_[index];
}

void Arena::Reset() {
  current_ = used_ = bytes_before_ = 0;
  for (auto& child : children_) child->Reset();
  if (blocks_.size() > 1) {
    size_t total = 0;
    for (const auto& block : blocks_) total += block.size();
    blocks_.clear();
    blocks_.emplace_back(total);
  }
}

void Arena::Release() {
  current_ = used_ = bytes_before_ = 0;
  blocks_.clear();
  for (auto& child : children_) child->Release();
}

void Arena::Reserve(const Arena& planned) {
  Reset();
  const size_t held = blocks_.empty() ? 0 : blocks_.front().size();
  if (held < planned.peak_) {
    blocks_.clear();  // before the new one is there
    blocks_.emplace_back(planned.peak_);
  }
  peak_ = 0;
  for (size_t i = 0; i < planned.children_.size(); ++i) Child(i).Reserve(*planned.children_[i]);
}

size_t Arena::CapacityBytes() const {
  size_t total = 0;
  for (const auto& block : blocks_) total += block.size();
  for (const auto& child : children_) total += child->CapacityBytes();
  return total;
}

size_t Arena::PeakBytes() const {
  size_t total = peak_;
  for (const auto& child : children_) total += child->PeakBytes();
  return total;
}

}  // namespace koe
