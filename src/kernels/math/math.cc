// SPDX-License-Identifier: Apache-2.0
#include "kernels/math/math.h"

namespace koe::kernels {

const MathOps* FindMathOps(Target /*target*/) { return &scalar::kMathOps; }

}  // namespace koe::kernels
