// SPDX-License-Identifier: Apache-2.0
// One bidirectional LSTM layer (torch.nn.LSTM(bidirectional=True), batch 1, zero initial state).
#ifndef KOE_NN_LSTM_H_
#define KOE_NN_LSTM_H_

#include <cstddef>
#include <span>

#include "nn/linear.h"

namespace koe::nn {

// PyTorch's tensors of one direction: weight_ih [4H][in], weight_hh [4H][H], bias_ih and bias_hh [4H]; gates i, f, g,
// o.
struct LstmDirectionWeights {
  WeightView weight_ih, weight_hh;
  std::span<const float> bias_ih, bias_hh;
};

class BiLstm {
 public:
  BiLstm() = default;
  BiLstm(const kernels::KernelSet& kernels, const LstmDirectionWeights& forward, const LstmDirectionWeights& backward,
         size_t in, size_t hidden, WeightStorage storage = WeightStorage::kFloat);

  // x [T][in] -> y [T][2*hidden], forward half first. The two directions run side by side.
  void Run(const Exec& exec, ConstMatrix x, Matrix y) const;
  size_t hidden() const { return hidden_; }
  size_t WeightBytes() const;

 private:
  struct Direction {
    Linear input;        // x W_ih + b_ih + b_hh
    PackedWeights w_hh;  // this or fixed_w_hh
    FixedWeights fixed_w_hh;
  };
  // The steps of one direction, whose gates hold the products of the inputs; y [T][hidden]. Memory: exec's own arena.
  void RunFixed(const Exec& exec, const Direction& direction, ConstMatrix gates, bool reverse, Matrix y) const;

  Direction directions_[2];
  size_t hidden_ = 0;
};

}  // namespace koe::nn

#endif  // KOE_NN_LSTM_H_
