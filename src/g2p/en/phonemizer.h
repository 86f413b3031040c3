// SPDX-License-Identifier: Apache-2.0
// Pieces to phonemes, from right to left: what follows a word decides "the", "to", "in" and phrase-final forms.
#ifndef KOE_G2P_EN_PHONEMIZER_H_
#define KOE_G2P_EN_PHONEMIZER_H_

#include <string>
#include <vector>

#include "g2p/en/pronouncer.h"
#include "g2p/en/retokenize.h"
#include "g2p/fallback.h"

namespace koe::g2p::en {

struct SpokenWord {
  size_t begin;  // bytes into the line
  size_t end;
  Tag tag;
  Source source;
  float confidence;  // of the least sure piece
  std::string phonemes;
  bool space_after;
};

// One word per unit, in order.
std::vector<SpokenWord> PronounceUnits(const Pronouncer& pronouncer, const Fallback& fallback, Units units);

// Whether the built-in fallback reads the text as the word it stands for ("approx", "Dept.").
bool IsAbbreviation(std::string_view text);

// Letter by letter, numbers as numbers, and the parts that the dictionary has as words. The built-in fallback.
class SpellingFallback : public Fallback {
 public:
  explicit SpellingFallback(const Pronouncer* pronouncer) : pronouncer_(pronouncer) {}
  std::optional<Pronunciation> Pronounce(std::string_view text) const override;

 private:
  const Pronouncer* pronouncer_;  // not owned
};

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_PHONEMIZER_H_
