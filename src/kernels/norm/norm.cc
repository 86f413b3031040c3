// SPDX-License-Identifier: Apache-2.0
#include "kernels/norm/norm.h"

namespace koe::kernels {

const NormOps* FindNormOps(Target /*target*/) { return &scalar::kNormOps; }

}  // namespace koe::kernels
