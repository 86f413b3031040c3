// SPDX-License-Identifier: Apache-2.0
// Grouped (depthwise) transposed convolution, kernel 3, stride 2, padding 1, output padding 1: the "pool" of the
// upsampling residual blocks (Kokoro istftnet.py AdainResBlk1d).
#ifndef KOE_KERNELS_CONV_TRANSPOSE1D_CONV_TRANSPOSE1D_H_
#define KOE_KERNELS_CONV_TRANSPOSE1D_CONV_TRANSPOSE1D_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

struct ConvTranspose1dOps {
  // src [rows][channels], dst [2*rows][channels], w [3][channels], bias [channels]. No overlap.
  //   dst[2t]   = bias + w[1] src[t]
  //   dst[2t+1] = bias + w[2] src[t] + w[0] src[t+1]      (src[rows] = 0)
  // Each from the bias by FMAs in the order written: error 3 eps (|bias| + sum |x||w|). FMAs and eps as in gemm.h.
  // Rows [first, first + count) of src produce their two outputs each, so a long input may be cut anywhere; src and dst
  // point to row 0 and rows counts the whole input in every call.
  void (*depthwise_x2)(const float* src, size_t src_stride, size_t rows, size_t channels, const float* w,
                       const float* bias, size_t first, size_t count, float* dst, size_t dst_stride);
};

const ConvTranspose1dOps* FindConvTranspose1dOps(Target target);

namespace scalar {
extern const ConvTranspose1dOps kConvTranspose1dOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_CONV_TRANSPOSE1D_CONV_TRANSPOSE1D_H_
