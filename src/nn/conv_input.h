// SPDX-License-Identifier: Apache-2.0
// The input side of the convolutions: activation and padding while rows are copied to where they are used. Private to
// conv1d.
#ifndef KOE_NN_CONV_INPUT_H_
#define KOE_NN_CONV_INPUT_H_

#include <cstddef>

#include "nn/conv1d.h"

namespace koe::nn {

// tile[i] = activated x[first + i], zero where that is outside x.
void FillConvInput(const kernels::KernelSet& kernels, const ConvPrologue& prologue, ConstMatrix x, ptrdiff_t first,
                   Matrix tile);

}  // namespace koe::nn

#endif  // KOE_NN_CONV_INPUT_H_
