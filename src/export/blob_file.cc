// SPDX-License-Identifier: Apache-2.0
#include "export/blob_file.h"

#include <array>
#include <cstring>

namespace koe::exporter {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint32_t kVersion = 2, kSentinel = 0xDEADBEEF;

uint64_t Align(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

using Block = std::array<std::byte, kAlignment>;

template <typename T>
void Put(Block* block, size_t offset, T value) {
  std::memcpy(block->data() + offset, &value, sizeof(value));
}

}  // namespace

uint64_t BlobFile::Add(Type type, SharedBytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  const size_t hash = std::hash<std::string_view>()(text);
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const Blob& blob = blobs_[it->second];
    if (blob.type == type && (blob.bytes == bytes || *blob.bytes == *bytes)) return blob.offset;
  }
  const uint64_t offset = Align(end_);
  end_ = offset + kAlignment + bytes->size();
  by_hash_.emplace(hash, blobs_.size());
  blobs_.push_back({type, std::move(bytes), offset});
  return offset;
}

Result<void> BlobFile::Write(const std::function<Result<void>(std::span<const std::byte>)>& sink) const {
  Block header{};
  Put(&header, 0, static_cast<uint32_t>(blobs_.size()));
  Put(&header, 4, kVersion);
  KOE_CHECK_OK(sink(header));
  uint64_t end = kAlignment;
  for (const Blob& blob : blobs_) {
    const Block zeros{};
    KOE_CHECK_OK(sink(std::span(zeros).first(blob.offset - end)));
    Block record{};
    Put(&record, 0, kSentinel);
    Put(&record, 4, uint32_t{blob.type == Type::kF16 ? 1u : blob.type == Type::kF32 ? 2u : 14u});
    Put(&record, 8, uint64_t{blob.bytes->size()});
    Put(&record, 16, blob.offset + kAlignment);
    KOE_CHECK_OK(sink(record));
    KOE_CHECK_OK(sink(*blob.bytes));
    end = blob.offset + kAlignment + blob.bytes->size();
  }
  return {};
}

}  // namespace koe::exporter
