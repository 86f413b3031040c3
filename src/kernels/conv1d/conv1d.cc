// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv1d/conv1d.h"

namespace koe::kernels {

const Conv1dOps* FindConv1dOps(Target) { return &scalar::kConv1dOps; }

}  // namespace koe::kernels
