// SPDX-License-Identifier: Apache-2.0
// The recurrent half of one LSTM direction (torch.nn.LSTM: gates i, f, g, o); the input projections come as a GEMM.
#ifndef KOE_KERNELS_LSTM_LSTM_H_
#define KOE_KERNELS_LSTM_LSTM_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

struct LstmArgs {
  const float* gates = nullptr;  // [steps][4*hidden]: x W_ih + b_ih + b_hh, gate blocks i, f, g, o
  size_t gates_stride = 0;
  const float* w_hh = nullptr;  // GemmOps::pack of [hidden][4*hidden]
  float* dst = nullptr;  // [steps][hidden], row stride dst_stride: h of every step at its own time index; no overlap
  size_t dst_stride = 0;
  size_t steps = 0, hidden = 0;  // hidden is a multiple of 8
  bool reverse = false;          // from the last step to the first
  float* scratch = nullptr;      // [LstmScratchSize(hidden)], 64-byte aligned
};
inline constexpr size_t LstmScratchSize(size_t hidden) { return 6 * hidden; }  // gates (4h), h, c

struct LstmOps {
  // h and c start at 0. c = sigmoid(f) c + sigmoid(i) tanh(g); h = sigmoid(o) tanh(c). Every step is GemmOps::gemv of
  // h, started from the step's row of gates, and then cell, bit for bit.
  void (*lstm)(const LstmArgs& args);
  // One cell update: gates [4*hidden] complete; c [hidden] updated in place; h [hidden] written.
  // Errors of the activations as in kernels/math/math.h.
  void (*cell)(const float* gates, float* c, float* h, size_t hidden);
};

const LstmOps* FindLstmOps(Target target);

namespace scalar {
extern const LstmOps kLstmOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_LSTM_LSTM_H_
