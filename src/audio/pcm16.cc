// SPDX-License-Identifier: Apache-2.0
#include "audio/pcm16.h"

#include <algorithm>
#include <cmath>

namespace koe {

int16_t Pcm16FromFloat(float x) {
  // Clipped before the conversion: a float beyond the range of long is undefined behaviour.
  return static_cast<int16_t>(std::lrint(std::clamp(x * 32768.0f, -32768.0f, 32767.0f)));
}

std::optional<size_t> FindNonFinite(std::span<const float> samples) {
  const auto bad = std::find_if(samples.begin(), samples.end(), [](float x) { return !std::isfinite(x); });
  if (bad == samples.end()) return std::nullopt;
  return static_cast<size_t>(bad - samples.begin());
}

}  // namespace koe
