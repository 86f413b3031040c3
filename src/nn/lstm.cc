// SPDX-License-Identifier: Apache-2.0
#include "nn/lstm.h"

#include <vector>

namespace koe::nn {

BiLstm::BiLstm(const kernels::KernelSet& kernels, const LstmDirectionWeights& forward,
               const LstmDirectionWeights& backward, size_t in, size_t hidden, WeightStorage storage)
    : hidden_(hidden) {
  for (size_t d = 0; d < 2; ++d) {
    const LstmDirectionWeights& weights = d == 0 ? forward : backward;
    std::vector<float> bias(4 * hidden);
    for (size_t i = 0; i < bias.size(); ++i) bias[i] = weights.bias_ih[i] + weights.bias_hh[i];
    directions_[d].input = Linear(kernels, weights.weight_ih, bias, in, 4 * hidden, storage);
    directions_[d].w_hh = PackedWeights(kernels, weights.weight_hh,
                                        {.k = hidden, .n = 4 * hidden, .k_stride = 1, .n_stride = hidden}, storage);
  }
}

size_t BiLstm::WeightBytes() const {
  size_t bytes = 0;
  for (const Direction& direction : directions_) bytes += direction.input.WeightBytes() + direction.w_hh.bytes();
  return bytes;
}

void BiLstm::Run(const Exec& exec, ConstMatrix x, Matrix y) const {
  const Arena::Scope scope(*exec.arena);
  Matrix gates[2];
  float* scratch[2];
  float* w_hh[2] = {};  // made float32, where it is not stored so
  // The directions run side by side: what the second one's parts allocate is in an arena of its own.
  const Exec execs[2] = {exec, exec.Branch(0)};
  for (size_t d = 0; d < 2; ++d) {
    gates[d] = exec.arena->AllocateMatrix(x.rows, 4 * hidden_);
    scratch[d] = exec.arena->Allocate<float>(kernels::LstmScratchSize(hidden_)).data();
    const PackedWeights& weights = directions_[d].w_hh;
    if (!weights.is_float()) w_hh[d] = exec.arena->Allocate<float>(weights.size()).data();
  }
  const auto run = [&](size_t d) {
    directions_[d].input.Run(execs[d], x, gates[d]);
    if (exec.CountsOnly()) return;
    kernels::LstmArgs args;
    args.gates = gates[d].data;
    args.gates_stride = gates[d].stride;
    args.w_hh = directions_[d].w_hh.Panels(*exec.kernels, 0, directions_[d].w_hh.num_panels(), w_hh[d]);
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
