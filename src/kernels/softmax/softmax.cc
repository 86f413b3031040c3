// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax/softmax.h"

namespace koe::kernels {

const SoftmaxOps* FindSoftmaxOps(Target /*target*/) { return &scalar::kSoftmaxOps; }

}  // namespace koe::kernels
