// SPDX-License-Identifier: Apache-2.0
#include "nn/packed_weights.h"

#include <algorithm>

namespace koe::nn {
namespace {

using kernels::kPanelWidth;

constexpr int kUnsignedOffset = 128;

// dst in the layout of GemmOps::pack; `convert` makes an element of it from one of the tensor; outputs past n are
// `pad`.
template <typename From, typename To, typename Convert>
void PackAs(const From* w, const PackedWeights::Shape& s, To pad, Convert convert, To* dst) {
  for (size_t first = 0; first < s.n; first += kPanelWidth) {
    const size_t count = std::min(kPanelWidth, s.n - first);
    for (size_t tap = 0; tap < s.taps; ++tap) {
      for (size_t i = 0; i < s.k; ++i, dst += kPanelWidth) {
        const From* from = w + tap * s.tap_stride + i * s.k_stride + first * s.n_stride;
        for (size_t lane = 0; lane < count; ++lane) dst[lane] = convert(from[lane * s.n_stride]);
        std::fill(dst + count, dst + kPanelWidth, pad);
      }
    }
  }
}

// Whether every output has one scale.
bool ScalesBelongToOutputs(const WeightView& weight, const PackedWeights::Shape& s) {
  if (weight.scales.size() == 1) return true;
  return weight.scales.size() == s.n && s.n_stride * s.n == weight.size;
}

}  // namespace

void WeightView::ToFloats(const kernels::KernelSet& kernels, float* dst) const {
  const auto& ops = kernels.elementwise;
  switch (type) {
    case Type::kF32:
      std::copy_n(static_cast<const float*>(data), size, dst);
      return;
    case Type::kF16:
      ops.f16_to_f32(static_cast<const uint16_t*>(data), size, dst);
      return;
    case Type::kI8:
    case Type::kU8:
      break;
  }
  const size_t part = scales.empty() ? 0 : size / scales.size();
  for (size_t g = 0; g < scales.size(); ++g) {
    const size_t first = g * part;
    if (type == Type::kI8) {
      ops.dequantize_i8(static_cast<const int8_t*>(data) + first, zero_points[g], scales[g], part, dst + first);
    } else {
      ops.dequantize_u8(static_cast<const uint8_t*>(data) + first, zero_points[g], scales[g], part, dst + first);
    }
  }
}

const float* WeightView::Floats(const kernels::KernelSet& kernels, AlignedBuffer<float>* converted) const {
  if (type == Type::kF32) return static_cast<const float*>(data);
  *converted = AlignedBuffer<float>(size);
  ToFloats(kernels, converted->data());
  return converted->data();
}

PackedWeights::PackedWeights(const kernels::KernelSet& kernels, const WeightView& weight, const Shape& shape,
                             WeightStorage storage)
    : panel_size_(shape.taps * shape.k * kPanelWidth), size_(kernels::PackedSize(shape.taps, shape.k, shape.n)) {
  using Type = WeightView::Type;
  if (storage == WeightStorage::kAsStored && weight.type == Type::kF16) {
    halves_ = AlignedBuffer<uint16_t>(size_);
    PackAs(
        static_cast<const uint16_t*>(weight.data), shape, uint16_t{0}, [](uint16_t w) { return w; }, halves_.data());
    return;
  }
  if (storage == WeightStorage::kAsStored && weight.is_quantised() && ScalesBelongToOutputs(weight, shape)) {
    const bool is_unsigned = weight.type == Type::kU8;
    quantised_ = AlignedBuffer<int8_t>(size_);
    if (is_unsigned) {
      const auto convert = [](uint8_t w) { return static_cast<int8_t>(static_cast<int>(w) - kUnsignedOffset); };
      PackAs(static_cast<const uint8_t*>(weight.data), shape, int8_t{0}, convert, quantised_.data());
    } else {
      PackAs(
          static_cast<const int8_t*>(weight.data), shape, int8_t{0}, [](int8_t w) { return w; }, quantised_.data());
    }
    const size_t outputs = RoundUp(shape.n, kPanelWidth);
    scales_ = AlignedBuffer<float>(outputs);
    zero_points_ = AlignedBuffer<int32_t>(outputs);
    for (size_t i = 0; i < outputs; ++i) {
      const size_t group = weight.scales.size() == 1 ? 0 : i;
      const bool exists = i < shape.n;  // the others are (0 - 0) * 0
      scales_[i] = exists ? weight.scales[group] : 0.0f;
      zero_points_[i] = exists ? weight.zero_points[group] - (is_unsigned ? kUnsignedOffset : 0) : 0;
    }
    return;
  }
  floats_ = AlignedBuffer<float>(size_);
  AlignedBuffer<float> converted;
  const float* values = weight.Floats(kernels, &converted);
  kernels.gemm.pack(values, shape.taps, shape.k, shape.n, shape.tap_stride, shape.k_stride, shape.n_stride,
                    floats_.data());
}

size_t PackedWeights::bytes() const {
  return floats_.size() * sizeof(float) + halves_.size() * sizeof(uint16_t) + quantised_.size() +
         scales_.size() * (sizeof(float) + sizeof(int32_t));
}

const float* PackedWeights::Panels(const kernels::KernelSet& kernels, size_t first, size_t count,
                                   float* scratch) const {
  const size_t begin = first * panel_size_;
  if (!halves_.empty()) {
    kernels.elementwise.f16_to_f32(halves_.data() + begin, count * panel_size_, scratch);
    return scratch;
  }
  if (!quantised_.empty()) {
    for (size_t p = 0; p < count; ++p) {
      const size_t output = (first + p) * kPanelWidth;
      kernels.elementwise.dequantize_rows(quantised_.data() + begin + p * panel_size_, zero_points_.data() + output,
                                          scales_.data() + output, panel_size_ / kPanelWidth, kPanelWidth,
                                          scratch + p * panel_size_);
    }
    return scratch;
  }
  return floats_.data() + begin;
}

}  // namespace koe::nn
