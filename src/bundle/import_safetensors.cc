// SPDX-License-Identifier: Apache-2.0
#include "bundle/import.h"
#include "bundle/safetensors.h"
#include "bundle/state_dict.h"

namespace koe::bundle {

Result<std::vector<ImportedTensor>> ImportSafetensors(Bytes file, const Architecture& architecture) {
  KOE_TRY(std::vector<SafetensorsEntry> entries, ReadSafetensors(file));
  std::vector<NamedTensor> tensors;
  for (SafetensorsEntry& entry : entries) {
    // A type of unknown width has a size that nothing has checked.
    if (SafetensorsElementBytes(entry.dtype) == 0) continue;
    tensors.push_back({std::move(entry.name), std::move(entry.dtype), std::move(entry.shape), entry.data});
  }
  return ImportStateDict(tensors, architecture);
}

}  // namespace koe::bundle
