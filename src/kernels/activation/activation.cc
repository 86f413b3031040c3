// SPDX-License-Identifier: Apache-2.0
#include "kernels/activation/activation.h"

namespace koe::kernels {

const ActivationOps* FindActivationOps(Target /*target*/) { return &scalar::kActivationOps; }

}  // namespace koe::kernels
