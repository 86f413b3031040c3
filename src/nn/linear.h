// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_NN_LINEAR_H_
#define KOE_NN_LINEAR_H_

#include <cstddef>
#include <span>

#include "base/array.h"
#include "nn/exec.h"
#include "nn/fixed_weights.h"
#include "nn/packed_weights.h"

namespace koe::nn {

// y = x W^T + b (torch.nn.Linear). Immutable after construction; holds the packed weights: as they are stored where the
// target multiplies those faster (kernels/fixed_gemm), else as `storage` says.
class Linear {
 public:
  Linear() = default;
  // weight [out][in] row-major; bias [out] or empty. `storage` does not show in the results.
  Linear(const kernels::KernelSet& kernels, const WeightView& weight, std::span<const float> bias, size_t in,
         size_t out, WeightStorage storage = WeightStorage::kFloat);

  // x [M][in] -> y [M][out]; y must not overlap x.
  void Run(const Exec& exec, ConstMatrix x, Matrix y) const;
  // One of several that read the same x: in one loop, so that threads wait for each other once.
  struct Job {
    const Linear* linear;
    Matrix y;
  };
  static void RunAll(const Exec& exec, ConstMatrix x, std::span<const Job> jobs);
  // One row.
  void Run(const Exec& exec, std::span<const float> x, std::span<float> y) const;

  size_t in() const { return in_; }
  size_t out() const { return out_; }
  size_t WeightBytes() const { return packed_.bytes() + fixed_.bytes() + bias_.size() * sizeof(float); }

 private:
  void RunStored(const Exec& exec, ConstMatrix x, Matrix y) const;

  // Panels of a task with `rows` rows.
  size_t PanelsPerTask(size_t rows) const;
  size_t NumTasks(size_t rows) const;
  void RunTask(const Exec& exec, ConstMatrix x, const FixedInput* fixed, size_t task, Matrix y) const;

  PackedWeights packed_;  // these or fixed_
  FixedWeights fixed_;
  AlignedBuffer<float> bias_;
  size_t in_ = 0, out_ = 0;
};

}  // namespace koe::nn

#endif  // KOE_NN_LINEAR_H_
