// SPDX-License-Identifier: Apache-2.0
// Exact widening of 16-bit floats.
#ifndef KOE_BUNDLE_HALF_H_
#define KOE_BUNDLE_HALF_H_

#include <bit>
#include <cstdint>

namespace koe::bundle {

// IEEE 754 binary16.
inline float HalfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = (half >> 10) & 0x1F;
  const uint32_t mantissa = half & 0x3FF;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float value = static_cast<float>(mantissa) * 0x1p-24f;  // subnormal: exact
  return sign != 0 ? -value : value;
}

inline float BFloat16ToFloat(uint16_t half) { return std::bit_cast<float>(static_cast<uint32_t>(half) << 16); }

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_HALF_H_
