// SPDX-License-Identifier: Apache-2.0
// A placed duration or prosody stage beside its native one, which gives the pitch. The harmonic source integrates the
// pitch over the whole utterance: what rounding differs between two float32 computations becomes a phase that drifts,
// 46 to 59 dB of the waveform where everything else stands at 85 and more (docs/export.md). So a placed stage gives
// durations, text features and energy; what leads to the pitch stays native unless it is placed by name.
#ifndef KOE_DEVICES_NATIVE_PITCH_H_
#define KOE_DEVICES_NATIVE_PITCH_H_

#include <memory>

#include "stages/duration/duration.h"
#include "stages/prosody/prosody.h"

namespace koe::devices {

// Durations and text features of `placed`, duration features of `native`. Errors of either, the first's first.
std::unique_ptr<stages::Duration> WithNativePitch(std::unique_ptr<stages::Duration> placed,
                                                  std::unique_ptr<stages::Duration> native);
// Energy of `placed`, F0 of `native`.
std::unique_ptr<stages::Prosody> WithNativePitch(std::unique_ptr<stages::Prosody> placed,
                                                 std::unique_ptr<stages::Prosody> native);

}  // namespace koe::devices

#endif  // KOE_DEVICES_NATIVE_PITCH_H_
