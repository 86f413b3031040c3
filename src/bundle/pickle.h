// SPDX-License-Identifier: Apache-2.0
// A symbolic walk over the pickle of a torch.save file: no name is looked up, nothing is called or constructed.
#ifndef KOE_BUNDLE_PICKLE_H_
#define KOE_BUNDLE_PICKLE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/byte_reader.h"
#include "koe/result.h"

namespace koe::bundle {

// A view of a storage, as torch._utils._rebuild_tensor_v2 would make it. Nothing has been compared with the records.
struct PickledTensor {
  std::string name;               // keys from the root, joined by '.'; empty for a bare tensor
  std::string_view storage_type;  // FloatStorage, ...
  std::string_view storage_key;   // record data/<key>
  uint64_t storage_elements = 0;
  uint64_t offset = 0;  // elements
  std::vector<size_t> shape;
  std::vector<size_t> strides;  // as many
};

// The tensors of the root: one bare tensor, or dictionaries (plain or OrderedDict) with string keys, nested at most
// kMaxPickleDepth deep. Other values in a dictionary are skipped. The text of the result points into `pickle`.
// kCorruptBundle names the byte and the opcode or the callable; so a file that would run code is refused.
Result<std::vector<PickledTensor>> WalkPickle(Bytes pickle);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_PICKLE_H_
