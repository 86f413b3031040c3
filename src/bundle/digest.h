// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BUNDLE_DIGEST_H_
#define KOE_BUNDLE_DIGEST_H_

#include <cstdint>
#include <memory>
#include <string>

#include "base/mapped_file.h"
#include "bundle/byte_reader.h"
#include "koe/result.h"

namespace koe::bundle {

// SHA-256 of bytes that come in parts.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void Update(Bytes bytes);
  // 64 lower-case hexadecimal digits, or "" where the library failed (no digest ever equals that). Ends the object.
  std::string FinishHex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Hex(Bytes bytes);
bool IsSha256Hex(const std::string& text);

// Maps `path` (not through a symbolic link in its last component) and compares size and SHA-256.
// With `remember` a digest is computed once in a process for the same path, size, modification time and inode
// (concurrent first calls for one file may both compute it). kNotFound, kIo, kCorruptBundle ("<name>: SHA-256 is ...,
// expected ...").
Result<MappedFile> OpenVerified(const std::string& path, const std::string& name, uint64_t size,
                                const std::string& sha256, bool remember);

// For tests and reports: files whose bytes were really hashed by OpenVerified, in this process.
uint64_t NumFilesHashed();

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_DIGEST_H_
