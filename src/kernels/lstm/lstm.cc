// SPDX-License-Identifier: Apache-2.0
#include "kernels/lstm/lstm.h"

namespace koe::kernels {

const LstmOps* FindLstmOps(Target) { return &scalar::kLstmOps; }

}  // namespace koe::kernels
