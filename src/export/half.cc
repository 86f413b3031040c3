// SPDX-License-Identifier: Apache-2.0
#include "export/half.h"

#include <bit>
#include <cstring>

namespace koe::exporter {

uint16_t FloatToHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  const auto with_sign = [sign](uint32_t half) { return static_cast<uint16_t>(sign | half); };
  if (magnitude > 0x7F800000) return with_sign(0x7E00 | (magnitude >> 13 & 0x1FF));  // NaN stays one, quiet
  if (magnitude >= 0x477FF000) return with_sign(0x7C00);                             // from 65520: infinity
  uint32_t mantissa = magnitude, shift = 13, base = 0x38000000;                      // 2^-14 becomes 0x0400 - 0x0400
  if (magnitude < 0x38800000) {
    // Subnormal: an integer count of 2^-24. Below half of one nothing is left.
    if (magnitude < 0x33000000) return sign;
    shift = 126 - (magnitude >> 23);
    mantissa = (magnitude & 0x7FFFFF) | 0x800000;
    base = 0;
  }
  const uint32_t rounded = mantissa - base, quotient = rounded >> shift;
  const uint32_t rest = rounded & ((1u << shift) - 1), half = 1u << (shift - 1);
  // A carry out of the mantissa raises the exponent, as it must.
  return with_sign(quotient + (rest > half || (rest == half && (quotient & 1) != 0) ? 1 : 0));
}

std::shared_ptr<const std::vector<std::byte>> PackFloats(bool half, std::span<const float> values) {
  const size_t size = half ? sizeof(uint16_t) : sizeof(float);
  auto bytes = std::make_shared<std::vector<std::byte>>(values.size() * size);
  for (size_t i = 0; half && i < values.size(); ++i) {
    const uint16_t packed = FloatToHalf(values[i]);
    std::memcpy(bytes->data() + 2 * i, &packed, 2);
  }
  if (!half && !values.empty()) std::memcpy(bytes->data(), values.data(), bytes->size());
  return bytes;
}

}  // namespace koe::exporter
