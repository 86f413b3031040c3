// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BASE_MAPPED_FILE_H_
#define KOE_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "koe/result.h"

namespace koe {

// A regular file mapped read-only, or bytes in memory that stand for one; they live as long as the object. An empty
// file gives an empty span. The file must not be truncated while it is mapped (bundles are replaced by rename, never in
// place).
class MappedFile {
 public:
  // kNotFound, kIo (not a regular file, cannot be opened or mapped), kOutOfMemory.
  static Result<MappedFile> Open(const std::string& path);
  // `owner` keeps `bytes`, whose first is 64-byte aligned, alive.
  static MappedFile OfMemory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})), owner_(std::move(other.owner_)) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(owner_, other.owner_);
    return *this;
  }
  ~MappedFile();
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;  // null: mapped by this object
};

}  // namespace koe

#endif  // KOE_BASE_MAPPED_FILE_H_
