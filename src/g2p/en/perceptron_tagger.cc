// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/perceptron_tagger.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "g2p/en/grammar_rules.h"
#include "g2p/en/perceptron_format.h"

namespace koe::g2p::en {

namespace format = perceptron_format;

Result<std::unique_ptr<Tagger>> PerceptronTagger::Open(const TaggerFile& file) {
  KOE_TRY(TaggerDictionary dictionary, TaggerDictionary::Open(file));
  std::unique_ptr<PerceptronTagger> tagger(new PerceptronTagger(std::move(dictionary)));
  KOE_TRY(tagger->slots_, file.Array<uint32_t>(format::kSlots));
  if (!std::has_single_bit(tagger->slots_.size())) {
    return Error(ErrorCode::kCorruptBundle, "tagger: slots: not a power of two");
  }
  KOE_TRY(tagger->weights_, file.Array<uint8_t>(format::kWeights));
  return std::unique_ptr<Tagger>(std::move(tagger));
}

Tag PerceptronTagger::BestTag(const Features& features, uint64_t forbidden) const {
  const size_t mask = slots_.size() - 1, num_tags = dictionary_.tags().size();
  for (const uint64_t key : features) __builtin_prefetch(&slots_[key & mask]);
  std::array<uint32_t, kNumFeatures> offsets;
  std::array<uint8_t, kNumFeatures> checks;
  size_t num_found = 0;
  for (const uint64_t key : features) {
    for (size_t probe = 0; probe < format::kMaxProbes; ++probe) {
      const uint32_t slot = slots_[(key + probe) & mask];
      if (slot == format::kEmpty) break;
      if (slot >> format::kOffsetBits != format::SlotCheck(key)) continue;
      const uint32_t offset = 2 * (slot & ((1U << format::kOffsetBits) - 1));
      if (offset + 2 > weights_.size()) break;
      __builtin_prefetch(&weights_[offset]);
      offsets[num_found] = offset;
      checks[num_found++] = format::ListCheck(key);
      break;
    }
  }
  std::array<int32_t, 256> scores;  // as many as a damaged file has indices
  std::fill_n(scores.begin(), num_tags, 0);
  for (size_t f = 0; f < num_found; ++f) {
    const size_t count = weights_[offsets[f]];
    if (weights_[offsets[f] + 1] != checks[f] || 2 * count > weights_.size() - offsets[f] - 2) continue;
    const uint8_t* const list = weights_.data() + offsets[f] + 2;
    for (size_t k = 0; k < count; ++k) scores[list[2 * k]] += static_cast<int8_t>(list[2 * k + 1]);
  }
  size_t best = 0;
  bool any = false;  // a file may hold forbidden tags only
  for (size_t t = 0; t < num_tags; ++t) {
    if ((forbidden & TagBit(dictionary_.tags()[t])) != 0) continue;
    if (!any || scores[t] > scores[best]) best = t;
    any = true;
  }
  return dictionary_.tags()[best];
}

void PerceptronTagger::TagTokens(std::span<Token> tokens) const {
  TaggerDictionary::State state;
  Features features;
  TagLeftToRight(
      tokens.size(), [&](size_t i) { return dictionary_.Describe(tokens, i, &state); },
      [&](size_t, const FeatureWindow& window) {
        ExtractFeatures(window, &features);
        return BestTag(features, ForbiddenTags(window));
      },
      [&](size_t i, Tag tag) { tokens[i].tag = tag; });
}

}  // namespace koe::g2p::en
