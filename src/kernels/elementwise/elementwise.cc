// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/elementwise.h"

namespace koe::kernels {

const ElementwiseOps* FindElementwiseOps(Target /*target*/) { return &scalar::kElementwiseOps; }

}  // namespace koe::kernels
