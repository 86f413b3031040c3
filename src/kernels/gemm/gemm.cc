// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm/gemm.h"

namespace koe::kernels {

const GemmOps* FindGemmOps(Target) { return &scalar::kGemmOps; }

}  // namespace koe::kernels
