// SPDX-License-Identifier: Apache-2.0
// "af_heart:0.7+bm_george:0.3": voices and their weights, and the row they give for a chunk.
#ifndef KOE_API_VOICE_MIX_H_
#define KOE_API_VOICE_MIX_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/bundle.h"
#include "koe/result.h"
#include "koe/speech.h"

namespace koe::api {

// Immutable; the tables are the bundle's and live as long as it.
class VoiceMix {
 public:
  // At most 16 voices. kInvalidArgument: syntax, a weight that is negative or too large, weights that sum to 0, a voice
  // the bundle lacks; kCorruptBundle.
  static Result<VoiceMix> Open(const bundle::Bundle& bundle, std::string_view text, VoiceBlend blend);
  const std::string& first_id() const { return parts_.front().id; }
  // Of a chunk of num_symbols phonemes, in [1, 510]: acoustic style, prosody style. One voice alone: its own row.
  std::vector<float> Row(size_t num_symbols) const;

 private:
  struct Part {
    std::string id;
    double weight;                 // they sum to 1
    std::span<const float> table;  // [510][256]
  };
  std::vector<Part> parts_;
  VoiceBlend blend_ = VoiceBlend::kLinear;
};

// Of the two vectors, of the same size: along the great circle from a's direction to b's, t in [0, 1] of the angle,
// with the length between theirs. Directions within 1e-4 of each other or of opposite: the straight line. Appends to
// *out.
void AppendSpherical(std::span<const double> a, std::span<const double> b, double t, std::vector<double>* out);

}  // namespace koe::api

#endif  // KOE_API_VOICE_MIX_H_
