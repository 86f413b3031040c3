// SPDX-License-Identifier: Apache-2.0
// Tensors under the official checkpoint's names, from whichever container, to the architecture's table.
#ifndef KOE_BUNDLE_STATE_DICT_H_
#define KOE_BUNDLE_STATE_DICT_H_

#include <string>
#include <vector>

#include "bundle/architecture.h"
#include "bundle/tensor_data.h"
#include "koe/result.h"

namespace koe::bundle {

// Points into the file.
struct NamedTensor {
  std::string name;  // as in the file, parts joined by '.'
  std::string type;  // as safetensors spells it: F32, F16, BF16, I64, ...
  std::vector<size_t> shape;
  Bytes data;  // row-major, exactly the shape's and type's size
};

// Accepts names with a "module." before or after the first part (left there by DataParallel), weight norm as
// weight_g/weight_v or parametrizations.weight.original0/original1 (folded in double), and bfloat16 (widened). Tensors
// that are not in the table are ignored, except an affine instance norm that is not the identity (kUnsupported): the
// model as published has none.
Result<std::vector<ImportedTensor>> ImportStateDict(const std::vector<NamedTensor>& tensors,
                                                    const Architecture& architecture);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_STATE_DICT_H_
