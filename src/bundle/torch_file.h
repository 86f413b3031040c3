// SPDX-License-Identifier: Apache-2.0
// Files of torch.save since 1.6: a zip archive of a pickle and one record a storage. Nothing in it is executed: the
// pickle is walked symbolically with a short list of opcodes and three known callables.
#ifndef KOE_BUNDLE_TORCH_FILE_H_
#define KOE_BUNDLE_TORCH_FILE_H_

#include <vector>

#include "bundle/state_dict.h"
#include "koe/result.h"

namespace koe::bundle {

struct TorchFile {
  // In the order of the pickle. Keys of nested dictionaries are joined by '.'; a file that holds one bare tensor gives
  // one entry with an empty name.
  std::vector<NamedTensor> tensors;
};

// The tensors point into `file`. kCorruptBundle; kUnsupported for the older, zip-less form and big-endian files.
Result<TorchFile> ReadTorchFile(Bytes file);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_TORCH_FILE_H_
