// SPDX-License-Identifier: Apache-2.0
// What the harmonic source is made of: normal noise from counters, and sines whose phase runs evenly.
#ifndef KOE_KERNELS_EXCITATION_EXCITATION_H_
#define KOE_KERNELS_EXCITATION_EXCITATION_H_

#include <cstddef>
#include <cstdint>

#include "kernels/target.h"

namespace koe::kernels {

struct HarmonicArgs {
  double start = 0, step = 0;    // phase of the first sample and from one to the next, in cycles
  float sine_scale = 0;          // 0: no sine, whatever the phase
  const float* noise = nullptr;  // [count], or null: none
  float noise_scale = 0;
  size_t count = 0;
  float* dst = nullptr;  // [count], added to
};

struct ExcitationOps {
  // dst[i] = number first + i of the stream of base/rng.h's FillNormal, at most 1 ULP from it: both round doubles whose
  // last bits may differ.
  void (*normal)(uint64_t seed, uint32_t stream, uint64_t first, size_t count, float* dst);
  // dst[i] += sine_scale * sin(2 pi (start + i step)) + noise_scale * noise[i]. |phase| <= 2^40; the sine's absolute
  // error is 3e-7: 1.5 eps of the polynomial and its argument, float32's rounding.
  void (*add_harmonic)(const HarmonicArgs& args);
};

const ExcitationOps* FindExcitationOps(Target target);

namespace scalar {
extern const ExcitationOps kExcitationOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_EXCITATION_EXCITATION_H_
