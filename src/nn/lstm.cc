// SPDX-License-Identifier: Apache-2.0
#include "nn/lstm.h"

#include <algorithm>
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
    if (FixedWeights::Suits(kernels, weights.weight_hh, hidden, 4 * hidden)) {
      directions_[d].fixed_w_hh = FixedWeights(weights.weight_hh, hidden, 4 * hidden);
    } else {
      directions_[d].w_hh = PackedWeights(kernels, weights.weight_hh,
                                          {.k = hidden, .n = 4 * hidden, .k_stride = 1, .n_stride = hidden}, storage);
    }
  }
}

size_t BiLstm::WeightBytes() const {
  size_t bytes = 0;
  for (const Direction& direction : directions_) {
    bytes += direction.input.WeightBytes() + direction.w_hh.bytes() + direction.fixed_w_hh.bytes();
  }
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
    const Arena::Scope direction_scope(*execs[d].arena);
    directions_[d].input.Run(execs[d], x, gates[d]);
    if (!directions_[d].fixed_w_hh.empty()) {
      return RunFixed(execs[d], directions_[d], gates[d], d == 1, y.Cols(d * hidden_, hidden_));
    }
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

// A step's state is 0.25 MiB of weights away from the next: they stay in L2.
void BiLstm::RunFixed(const Exec& exec, const Direction& direction, ConstMatrix gates, bool reverse, Matrix y) const {
  const Matrix sums = exec.arena->AllocateMatrix(1, 4 * hidden_);
  const std::span<float> cell = exec.arena->Allocate<float>(hidden_);
  const std::span<float> zeros = exec.arena->Allocate<float>(hidden_);
  const std::span<std::byte> input = exec.arena->Allocate<std::byte>(kernels::FixedRowBytes(hidden_));
  if (exec.CountsOnly()) return;
  const kernels::KernelSet& kernels = *exec.kernels;
  std::fill(cell.begin(), cell.end(), 0.0f);
  std::fill(zeros.begin(), zeros.end(), 0.0f);
  const float* hidden = zeros.data();
  for (size_t step = 0; step < gates.rows; ++step) {
    const size_t t = reverse ? gates.rows - 1 - step : step;
    kernels.fixed_gemm->quantise(hidden, hidden_, 1, hidden_, input.data());
    direction.fixed_w_hh.Multiply(kernels, input.data(), 0, direction.fixed_w_hh.num_panels(), gates.Row(t), sums);
    kernels.lstm.cell(sums.data, cell.data(), y.Row(t), hidden_);
    hidden = y.Row(t);
  }
}

}  // namespace koe::nn
