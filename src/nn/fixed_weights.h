// SPDX-License-Identifier: Apache-2.0
// 8-bit weights as kernels/fixed_gemm wants them, and inputs quantised for it.
#ifndef KOE_NN_FIXED_WEIGHTS_H_
#define KOE_NN_FIXED_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/array.h"
#include "nn/exec.h"
#include "nn/packed_weights.h"

namespace koe::nn {

// x [M][k] quantised, in the exec's arena.
class FixedInput {
 public:
  FixedInput(const Exec& exec, ConstMatrix x);
  const std::byte* Row(size_t row) const { return bytes_.data() + row * kernels::FixedRowBytes(k_); }

 private:
  std::span<std::byte> bytes_;
  size_t k_;
};

// Immutable and thread-safe.
class FixedWeights {
 public:
  FixedWeights() = default;
  // weight [n][k] row-major, for which Suits is true.
  FixedWeights(const WeightView& weight, size_t k, size_t n);
  // Whether this target multiplies such weights faster as they are stored than as float32.
  static bool Suits(const kernels::KernelSet& kernels, const WeightView& weight, size_t k, size_t n);

  bool empty() const { return packed_.empty(); }
  size_t num_panels() const { return n_ == 0 ? 0 : CeilDiv(n_, kernels::kPanelWidth); }
  size_t bytes() const { return packed_.size() + scales_.size() * (sizeof(float) + sizeof(int32_t)); }

  // y [rows][n] = bias (or null) + x W^T in `num_panels` panels from `panel`, which start at y. x: quantised rows.
  void Multiply(const kernels::KernelSet& kernels, const std::byte* x, size_t panel, size_t num_panels,
                const float* bias, Matrix y) const;

 private:
  AlignedBuffer<uint8_t> packed_;
  AlignedBuffer<float> scales_;
  AlignedBuffer<int32_t> zero_points_;
  size_t k_ = 0, n_ = 0;
};

}  // namespace koe::nn

#endif  // KOE_NN_FIXED_WEIGHTS_H_
