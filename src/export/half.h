// SPDX-License-Identifier: Apache-2.0
// float32 -> float16, to nearest, ties to even, as the hardware does it.
#ifndef KOE_EXPORT_HALF_H_
#define KOE_EXPORT_HALF_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace koe::exporter {

uint16_t FloatToHalf(float value);

// The values' bytes, little-endian, as float16 or float32.
std::shared_ptr<const std::vector<std::byte>> PackFloats(bool half, std::span<const float> values);

}  // namespace koe::exporter

#endif  // KOE_EXPORT_HALF_H_
