// SPDX-License-Identifier: Apache-2.0
// weight.bin of an ML Program package, "blob v2": a header of 64 bytes, then for each blob a record of 64 bytes and its
// data, both at multiples of 64. Little-endian.
#ifndef KOE_EXPORT_BLOB_FILE_H_
#define KOE_EXPORT_BLOB_FILE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "export/graph.h"

namespace koe::exporter {

class BlobFile {
 public:
  // The offset of the record that holds these bytes of this type: of an earlier one where they are equal. `bytes` is
  // kept.
  uint64_t Add(Type type, SharedBytes bytes);
  size_t num_blobs() const { return blobs_.size(); }
  // Calls sink with consecutive parts of the file.
  Result<void> Write(const std::function<Result<void>(std::span<const std::byte>)>& sink) const;

 private:
  struct Blob {
    Type type;
    SharedBytes bytes;
    uint64_t offset;
  };
  std::vector<Blob> blobs_;
  std::unordered_multimap<size_t, size_t> by_hash_;
  uint64_t end_ = 64;
};

}  // namespace koe::exporter

#endif  // KOE_EXPORT_BLOB_FILE_H_
