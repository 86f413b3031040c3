// SPDX-License-Identifier: Apache-2.0
#include "kernels/stft/stft.h"

namespace koe::kernels {

const StftOps* FindStftOps(Target /*target*/) { return &scalar::kStftOps; }

}  // namespace koe::kernels
