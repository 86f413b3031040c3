// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_NN_LINEAR_H_
#define KOE_NN_LINEAR_H_

#include <cstddef>
#include <span>

#include "base/array.h"
#include "nn/exec.h"
#include "nn/packed_weights.h"

namespace koe::nn {

// y = x W^T + b (torch.nn.Linear). Immutable after construction; holds the packed weights.
class Linear {
 public:
  Linear() = default;
  // weight [out][in] row-major; bias [out] or empty. The storage does not show in the results.
  Linear(const kernels::KernelSet& kernels, const WeightView& weight, std::span<const float> bias, size_t in,
         size_t out, WeightStorage storage = WeightStorage::kFloat);

  // x [M][in] -> y [M][out]; y must not overlap x.
  void Run(const Exec& exec, ConstMatrix x, Matrix y) const;
  // One row.
  void Run(const Exec& exec, std::span<const float> x, std::span<float> y) const;

  size_t in() const { return in_; }
  size_t out() const { return out_; }
  size_t WeightBytes() const { return packed_.bytes() + bias_.size() * sizeof(float); }

 private:
  void RunStored(const Exec& exec, ConstMatrix x, Matrix y) const;

  PackedWeights packed_;
  AlignedBuffer<float> bias_;
  size_t in_ = 0, out_ = 0;
};

}  // namespace koe::nn

#endif  // KOE_NN_LINEAR_H_
