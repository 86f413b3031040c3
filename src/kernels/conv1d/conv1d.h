// SPDX-License-Identifier: Apache-2.0
// Direct 1-d convolution over time-major rows: dilated and strided; a transposed convolution is one with two taps whose
// output channels are (phase, channel) pairs (see nn/conv_transpose1d.h).
#ifndef KOE_KERNELS_CONV1D_CONV1D_H_
#define KOE_KERNELS_CONV1D_CONV1D_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

// dst[t][co] = bias[co] + sum_k sum_ci src[t * time_stride + k * dilation][ci] * w[co][ci][k]  (+ residual[t][co])
// The caller provides every row that is read (padding included): (rows-1)*time_stride + (taps-1)*dilation + 1 of them.
struct Conv1dArgs {
  const float* src = nullptr;  // row stride src_stride
  size_t src_stride = 0;
  const float* weights = nullptr;   // GemmOps::pack layout: [ceil(c_out/32)][taps][c_in][32], 64-byte aligned
  const float* bias = nullptr;      // [c_out] or null
  const float* residual = nullptr;  // [rows][c_out] or null; may be dst itself
  size_t residual_stride = 0;
  float* dst = nullptr;  // [rows][c_out]; must not overlap src
  size_t dst_stride = 0;
  size_t rows = 0, c_in = 0, c_out = 0, taps = 1;
  size_t dilation = 1, time_stride = 1;  // in rows of src
};

struct Conv1dOps {
  // Order per output: total = bias; for every tap ascending, for every kSumBlock consecutive channels (the last fewer):
  // sum = 0, one FMA for each channel ascending, total += sum; at the end the residual is added. An output does not
  // depend on which rows are computed together. Error against exact arithmetic: at most
  // (min(c_in, kSumBlock) + blocks + 2) eps (|bias| + |residual| + sum |x||w|), blocks = taps * ceil(c_in / kSumBlock).
  // kSumBlock, FMAs, eps and the reason as in gemm.h.
  void (*conv1d)(const Conv1dArgs& args);
};

const Conv1dOps* FindConv1dOps(Target target);

namespace scalar {
extern const Conv1dOps kConv1dOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_CONV1D_CONV1D_H_
