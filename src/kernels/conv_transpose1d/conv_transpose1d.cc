// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_transpose1d/conv_transpose1d.h"

namespace koe::kernels {

const ConvTranspose1dOps* FindConvTranspose1dOps(Target) { return &scalar::kConvTranspose1dOps; }

}  // namespace koe::kernels
