// SPDX-License-Identifier: Apache-2.0
#include "nn/lstm.h"

#include <vector>

namespace koe::nn {

BiLstm::BiLstm(const kernels::KernelSet& kernels, const LstmDirectionWeights& forward,
               const LstmDirectionWeights& backward, size_t in, size_t hidden)
    : hidden_(hidden) {
  for (size_t d = 0; d < 2; ++d) {
    const LstmDirectionWeights& weights = d == 0 ? forward : backward;
    std::vector<float> bias(4 * hidden);
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = weights.bias_ih[i] + weights.bias_hh[i];
    directions_[d].input = Linear(kernels, weights.weight_ih, bias, in, 4 * hidden);
    directions_[d].w_hh = AlignedBuffer<float>(kernels::PackedSize(1, hidden, 4 * hidden));
    kernels.gemm.pack(weights.weight_hh.data(), 1, hidden, 4 * hidden, 0, 1, hidden, directions_[d].w_hh.data());
  }
}

void BiLstm::Run(const Exec& exec, ConstMatrix x, Matrix y) const {
  const Arena::Scope scope(*exec.arena);
  Matrix gates[2];
  float* scratch[2];
  for (size_t d = 0; d < 2; ++d) {
    gates[d] = exec.arena->AllocateMatrix(x.rows, 4 * hidden_);
    scratch[d] = exec.arena->Allocate<float>(kernels::LstmScratchSize(hidden_)).data();
  }
  const auto run = [&](size_t d) {
    directions_[d].input.Run(exec, x, gates[d]);
    kernels::LstmArgs args;
    args.gates = gates[d].data;
    args.gates_stride = gates[d].stride;
    args.w_hh = directions_[d].w_hh.data();
    args.dst = y.data + d * hidden_;
    args.dst_stride = y.stride;
    args.steps = x.rows;
    args.hidden = hidden_;
    args.reverse = d == 1;
    args.scratch = scratch[d];
    exec.kernels->lstm.lstm(args);
  };
  exec.pool->RunAll({[&] { run(0); }, [&] { run(1); }});
}

}  // namespace koe::nn
