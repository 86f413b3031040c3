// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BASE_MAPPED_FILE_H_
#define KOE_BASE_MAPPED_FILE_H_

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "koe/result.h"

namespace koe {

// A regular file mapped read-only; the bytes live as long as the object. An empty file gives an empty span.
// The file must not be truncated while it is mapped (bundles are replaced by rename, never in place).
class MappedFile {
 public:
  // kNotFound, kIo (not a regular file, cannot be opened or mapped).
  static Result<MappedFile> Open(const std::string& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile();
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace koe

#endif  // KOE_BASE_MAPPED_FILE_H_
