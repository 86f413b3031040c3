// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_AUDIO_PCM16_H_
#define KOE_AUDIO_PCM16_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace koe {

// round(32768 x), halves to even, clipped to [-32768, 32767]; no dither, no normalisation. Readers divide by 32768, so
// what they get is within 2^-16 of x for x in [-1, 1 - 2^-15], and +1.0 becomes 32767/32768. x must not be NaN.
int16_t Pcm16FromFloat(float x);

// Index of the first sample that is NaN or infinite.
std::optional<size_t> FindNonFinite(std::span<const float> samples);

}  // namespace koe

#endif  // KOE_AUDIO_PCM16_H_
