// SPDX-License-Identifier: Apache-2.0
// Sums and products over contiguous arrays.
#ifndef KOE_KERNELS_ELEMENTWISE_ELEMENTWISE_H_
#define KOE_KERNELS_ELEMENTWISE_ELEMENTWISE_H_

#include <cstddef>
#include <cstdint>

#include "kernels/target.h"

namespace koe::kernels {

struct ElementwiseOps {
  // dst = (a + b) * scale; any of them may be the same array. One rounding each: bit-equal on every target.
  void (*add_scale)(const float* a, const float* b, float scale, size_t count, float* dst);
  // dst = (a + b + c) * scale, added left to right.
  void (*add3_scale)(const float* a, const float* b, const float* c, float scale, size_t count, float* dst);
  // dst = (q - zero_point) * scale in float32: exactly what PyTorch's dequantised reference weights are.
  void (*dequantize_i8)(const int8_t* q, int32_t zero_point, float scale, size_t count, float* dst);
  void (*dequantize_u8)(const uint8_t* q, int32_t zero_point, float scale, size_t count, float* dst);
  // The same for [rows][cols] with a zero point and a scale for each column.
  void (*dequantize_rows)(const int8_t* q, const int32_t* zero_points, const float* scales, size_t rows, size_t cols,
                          float* dst);
  // IEEE half to float, exact.
  void (*f16_to_f32)(const uint16_t* src, size_t count, float* dst);
  // True if every value is finite.
  bool (*all_finite)(const float* src, size_t count);
};

const ElementwiseOps* FindElementwiseOps(Target target);

namespace scalar {
extern const ElementwiseOps kElementwiseOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_ELEMENTWISE_ELEMENTWISE_H_
