// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "kernels/gemm/gemm.h"
#include "kernels/lstm/lstm.h"

namespace koe::kernels::scalar {
namespace {

float Sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

void Cell(const float* gates, float* c, float* h, size_t hidden) {
  for (size_t i = 0; i < hidden; ++i) {
    const float in = Sigmoid(gates[i]);
    const float forget = Sigmoid(gates[hidden + i]);
    const float candidate = std::tanh(gates[2 * hidden + i]);
    const float out = Sigmoid(gates[3 * hidden + i]);
    c[i] = forget * c[i] + in * candidate;
    h[i] = out * std::tanh(c[i]);
  }
}

void Lstm(const LstmArgs& args) {
  const size_t hidden = args.hidden;
  float* gates = args.scratch;
  float* h = gates + 4 * hidden;
  float* c = h + hidden;
  std::fill(h, h + 2 * hidden, 0.0f);
  for (size_t step = 0; step < args.steps; ++step) {
    const size_t t = args.reverse ? args.steps - 1 - step : step;
    kGemmOps.gemv(h, args.w_hh, args.gates + t * args.gates_stride, gates, hidden, 4 * hidden);
    Cell(gates, c, h, hidden);
    std::copy_n(h, hidden, args.dst + t * args.dst_stride);
  }
}

}  // namespace

const LstmOps kLstmOps{Lstm, Cell};

}  // namespace koe::kernels::scalar
