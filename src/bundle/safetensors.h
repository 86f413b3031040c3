// SPDX-License-Identifier: Apache-2.0
// The safetensors container (huggingface/safetensors, README "Format"): 8 bytes of header length, a JSON header, data.
#ifndef KOE_BUNDLE_SAFETENSORS_H_
#define KOE_BUNDLE_SAFETENSORS_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "bundle/byte_reader.h"
#include "koe/result.h"

namespace koe::bundle {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;  // as the file spells it: F32, F16, BF16, I8, ...
  std::vector<size_t> shape;
  Bytes data;  // of exactly the shape's and type's size
};

// Entries in the order of their data. kCorruptBundle: anything the format forbids (a hole, an overlap, a name twice,
// sizes that disagree) or a limit of limits.h. Types of unknown width are accepted with any size.
Result<std::vector<SafetensorsEntry>> ReadSafetensors(Bytes file);

// What stands before the data of `entries`, which follows in their order without holes: the header's length and the
// header, padded with spaces so that the data starts at a multiple of `alignment`. Of an entry's data only the size is
// looked at. Names must be distinct, and none "__metadata__".
std::string WriteSafetensorsHeader(const std::vector<SafetensorsEntry>& entries, size_t alignment,
                                   const std::vector<std::pair<std::string, std::string>>& metadata = {});

// Bytes of one element; 0 for a type this reader does not know.
size_t SafetensorsElementBytes(const std::string& dtype);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_SAFETENSORS_H_
