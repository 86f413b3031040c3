// SPDX-License-Identifier: Apache-2.0
#include "nn/packed_weights.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "support/nn_test_fixture.h"

namespace koe::nn {
namespace {

using kernels::kPanelWidth;
using Type = WeightView::Type;

// A tensor [out][in][taps] in one of the forms that bundles have, and its values.
struct Stored {
  Stored(Type type, size_t size, size_t num_scales) {
    std::mt19937 rng(7);
    view.type = type;
    view.size = size;
    bytes.resize(size * (type == Type::kF32 ? 4 : type == Type::kF16 ? 2 : 1));
    if (type == Type::kF32 || type == Type::kF16) {
      // Small integers: exact in both.
      for (size_t i = 0; i < size; ++i) {
        const auto value = static_cast<float>(rng() % 16) + 16.0f;  // 16..31: exponent 4
        values.push_back(value);
        if (type == Type::kF32) {
          std::memcpy(bytes.data() + 4 * i, &value, 4);
        } else {
          const auto half = static_cast<uint16_t>((15 + 4) << 10 | (static_cast<unsigned>(value) - 16) << 6);
          std::memcpy(bytes.data() + 2 * i, &half, 2);
        }
      }
    } else {
      for (size_t g = 0; g < num_scales; ++g) {
        scales.push_back(0.01f * static_cast<float>(1 + g));
        zero_points.push_back(type == Type::kI8 ? static_cast<int32_t>(rng() % 256) - 128
                                                : static_cast<int32_t>(rng() % 256));
      }
      for (size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<uint8_t>(rng());
        const size_t g = i / (size / num_scales);
        const int q = type == Type::kI8 ? static_cast<int8_t>(bytes[i]) : static_cast<int>(bytes[i]);
        values.push_back(static_cast<float>(q - zero_points[g]) * scales[g]);
      }
    }
    view.data = bytes.data();
    view.scales = scales;
    view.zero_points = zero_points;
  }
  std::vector<uint8_t> bytes;
  std::vector<float> scales, values;
  std::vector<int32_t> zero_points;
  WeightView view;
};

class PackedWeightsTest : public test_support::NnTest {};
KOE_INSTANTIATE_NN_TARGETS(PackedWeightsTest);

// Whatever is stored and however it is kept, the panels are those of the float32 values, to the bit.
TEST_P(PackedWeightsTest, PanelsAreTheValues) {
  constexpr size_t kOut = 71, kIn = 5, kTaps = 3;
  const PackedWeights::Shape shape{
      .taps = kTaps, .k = kIn, .n = kOut, .tap_stride = 1, .k_stride = kTaps, .n_stride = kIn * kTaps};
  for (const Type type : {Type::kF32, Type::kF16, Type::kI8, Type::kU8}) {
    for (const size_t num_scales : {size_t{1}, kOut}) {
      const Stored stored(type, kOut * kIn * kTaps, num_scales);
      std::vector<float> floats(stored.view.size);
      stored.view.ToFloats(kernels(), floats.data());
      ASSERT_TRUE(test_support::SameBits(floats, stored.values));
      AlignedBuffer<float> want(kernels::PackedSize(kTaps, kIn, kOut));
      kernels().gemm.pack(floats.data(), kTaps, kIn, kOut, 1, kTaps, kIn * kTaps, want.data());
      for (const WeightStorage storage : {WeightStorage::kFloat, WeightStorage::kAsStored}) {
        const PackedWeights packed(kernels(), stored.view, shape, storage);
        ASSERT_EQ(packed.size(), want.size());
        ASSERT_EQ(packed.num_panels(), 3u);
        EXPECT_EQ(packed.is_float(), storage == WeightStorage::kFloat || type == Type::kF32);
        const size_t element = packed.is_float() ? 4 : type == Type::kF16 ? 2 : 1;
        EXPECT_LE(packed.bytes(), want.size() * element + 3 * kPanelWidth * 8);
        AlignedBuffer<float> scratch(packed.size());
        const float* all = packed.Panels(kernels(), 0, 3, scratch.data());
        EXPECT_TRUE(test_support::SameBits(std::span(all, want.size()), want.span()));
        AlignedBuffer<float> one(packed.panel_size());
        const float* last = packed.Panels(kernels(), 2, 1, one.data());
        EXPECT_TRUE(
            test_support::SameBits(std::span(last, packed.panel_size()), want.span().subspan(2 * packed.panel_size())));
      }
    }
  }
}

// Scales that run along another dimension than the outputs leave no way to keep the bytes.
TEST_P(PackedWeightsTest, ScalesOfInputsAreMadeFloat) {
  constexpr size_t kOut = 8, kIn = 6;
  const Stored stored(Type::kI8, kIn * kOut, kIn);  // [in][out]
  const PackedWeights packed(kernels(), stored.view, {.k = kIn, .n = kOut, .k_stride = kOut, .n_stride = 1},
                             WeightStorage::kAsStored);
  ASSERT_TRUE(packed.is_float());
  const float* panel = packed.Panels(kernels(), 0, 1, nullptr);
  for (size_t i = 0; i < kIn; ++i) {
    for (size_t o = 0; o < kOut; ++o) EXPECT_EQ(panel[i * kPanelWidth + o], stored.values[i * kOut + o]);
  }
}

}  // namespace
}  // namespace koe::nn
