// SPDX-License-Identifier: Apache-2.0
// Weights in panels of outputs, kept in the type the bundle stores them in and made float32 panel by panel where they
// are used: an int8 weight takes one byte in memory, not four.
#ifndef KOE_NN_PACKED_WEIGHTS_H_
#define KOE_NN_PACKED_WEIGHTS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.h"
#include "kernels/kernel_set.h"

namespace koe::nn {

// A tensor as it is stored, row-major. kI8 and kU8: value = (q - zero_point) * scale, rounded once, with one scale and
// zero point for all of it or one for each equal part, in order. Points into memory of others.
struct WeightView {
  enum class Type : uint8_t { kF32, kF16, kI8, kU8 };

  WeightView() = default;
  WeightView(std::span<const float> values)  // NOLINT(google-explicit-constructor)
      : data(values.data()), size(values.size()) {}
  WeightView(const std::vector<float>& values)  // NOLINT(google-explicit-constructor)
      : data(values.data()), size(values.size()) {}

  bool is_quantised() const { return type == Type::kI8 || type == Type::kU8; }
  // dst [size] = the values.
  void ToFloats(const kernels::KernelSet& kernels, float* dst) const;
  // The values where they lie, if they are float32, else in *converted.
  const float* Floats(const kernels::KernelSet& kernels, AlignedBuffer<float>* converted) const;

  const void* data = nullptr;
  Type type = Type::kF32;
  size_t size = 0;
  std::span<const float> scales;
  std::span<const int32_t> zero_points;
};

enum class WeightStorage : uint8_t {
  kFloat,     // float32: nothing to do where they are used
  kAsStored,  // the tensor's own type, where its scales belong to outputs; else float32
};

// [ceil(n / kPanelWidth)][taps][k][kPanelWidth] as GemmOps::pack lays it out. Immutable and thread-safe.
class PackedWeights {
 public:
  // Which element of the tensor is the weight of (tap, i, output): the sum of each index times its stride.
  struct Shape {
    size_t taps = 1, k = 0, n = 0;
    size_t tap_stride = 0, k_stride = 0, n_stride = 0;
  };
  PackedWeights() = default;
  PackedWeights(const kernels::KernelSet& kernels, const WeightView& weight, const Shape& shape, WeightStorage storage);

  bool is_float() const { return quantised_.empty() && halves_.empty(); }
  size_t num_panels() const { return panel_size_ == 0 ? 0 : size_ / panel_size_; }
  // Floats of one panel, and of all.
  size_t panel_size() const { return panel_size_; }
  size_t size() const { return size_; }
  // Memory held.
  size_t bytes() const;

  // Panels [first, first + count) as float32: where they lie, or in scratch (count * panel_size() floats, 64-byte
  // aligned; unused and may be null if is_float()). The values are those of WeightView::ToFloats, to the bit.
  const float* Panels(const kernels::KernelSet& kernels, size_t first, size_t count, float* scratch) const;

 private:
  AlignedBuffer<float> floats_;
  AlignedBuffer<uint16_t> halves_;
  AlignedBuffer<int8_t> quantised_;  // kU8 less 128, and so are its zero points
  AlignedBuffer<float> scales_;      // of every output, rounded up to whole panels
  AlignedBuffer<int32_t> zero_points_;
  size_t panel_size_ = 0, size_ = 0;
};

}  // namespace koe::nn

#endif  // KOE_NN_PACKED_WEIGHTS_H_
