// SPDX-License-Identifier: Apache-2.0
// Joins the audio of consecutive chunks into one signal: equal-power cross-fades, no silence inserted.
#ifndef KOE_AUDIO_JOIN_H_
#define KOE_AUDIO_JOIN_H_

#include <cstddef>
#include <span>
#include <vector>

namespace koe {

inline constexpr size_t kJoinSamples = 120;  // 5 ms at 24 kHz

// Joins segments as they arrive. With P the signal so far and N a segment, n = min(120, |P|, |N|) samples overlap:
// out[i] = P[|P|-n+i] cos(t pi/2) + N[i] sin(t pi/2), t = (i+1)/(n+1), computed in double and rounded once.
// Samples are emitted as soon as no later segment can change them, so the last 120 are held back until Finish.
// Empty segments are dropped. One object serves one signal; not thread-safe.
// Source: kokoro-coreml's segment join; the power of uncorrelated neighbours is constant over the overlap.
class Joiner {
 public:
  // Appends to *output what has become final. Returns where the segment's first sample lies in the joined signal (for
  // an empty segment, where the signal ends).
  size_t Push(std::span<const float> segment, std::vector<float>* output);
  // Appends the samples held back; the next Push starts a new signal.
  void Finish(std::vector<float>* output);

 private:
  std::vector<float> held_;  // the last min(120, length so far) samples
  size_t num_emitted_ = 0;
};

}  // namespace koe

#endif  // KOE_AUDIO_JOIN_H_
