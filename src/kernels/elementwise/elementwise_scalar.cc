// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "kernels/elementwise/elementwise.h"

namespace koe::kernels::scalar {
namespace {

void AddScale(const float* a, const float* b, float scale, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = (a[i] + b[i]) * scale;
}

void Add3Scale(const float* a, const float* b, const float* c, float scale, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = (a[i] + b[i] + c[i]) * scale;
}

void DequantizeI8(const int8_t* q, int32_t zero_point, float scale, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = static_cast<float>(q[i] - zero_point) * scale;
}

void DequantizeU8(const uint8_t* q, int32_t zero_point, float scale, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) dst[i] = static_cast<float>(q[i] - zero_point) * scale;
}

void DequantizeRows(const int8_t* q, const int32_t* zero_points, const float* scales, size_t rows, size_t cols,
                    float* dst) {
  for (size_t r = 0; r < rows; ++r, q += cols, dst += cols) {
    for (size_t c = 0; c < cols; ++c) dst[c] = static_cast<float>(q[c] - zero_points[c]) * scales[c];
  }
}

void F16ToF32(const uint16_t* src, size_t count, float* dst) {
  for (size_t i = 0; i < count; ++i) {
    const uint32_t sign = uint32_t{src[i]} >> 15 << 31;
    const uint32_t exponent = src[i] >> 10 & 31;
    const uint32_t fraction = src[i] & 0x3ff;
    if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
      dst[i] = std::bit_cast<float>(std::bit_cast<uint32_t>(static_cast<float>(fraction) * 0x1p-24f) | sign);
    } else if (exponent < 31) {
      dst[i] = std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
    } else {  // infinity, or NaN made quiet as the hardware conversion does
      const uint32_t quiet = fraction == 0 ? 0 : 0x400000;
      dst[i] = std::bit_cast<float>(sign | 0x7f800000u | quiet | fraction << 13);
    }
  }
}

bool AllFinite(const float* src, size_t count) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t magnitude = std::bit_cast<uint32_t>(src[i]) & 0x7fffffffu;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest < 0x7f800000u;
}

}  // namespace

constinit const ElementwiseOps kElementwiseOps{AddScale,       Add3Scale, DequantizeI8, DequantizeU8,
                                               DequantizeRows, F16ToF32,  AllFinite};

}  // namespace koe::kernels::scalar
