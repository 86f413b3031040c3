// SPDX-License-Identifier: Apache-2.0
// misaki's markup: [text](feature). Features: a stress level ([really](2), [not](-1), 0.5), phonemes
// ([Kokoro](/kˈOkəɹO/)), or number flags ([105](#&#): & speaks "and", n weakens it to "ən", a turns a leading "one"
// into "a"). Any other target is dropped and the text stays.
#ifndef KOE_G2P_EN_MARKUP_H_
#define KOE_G2P_EN_MARKUP_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalize.h"

namespace koe::g2p::en {

struct Feature {
  enum class Kind { kStress, kPhonemes, kNumberFlags };
  Kind kind;
  double stress = 0;
  std::string value;  // phonemes or flags
};

struct Markup {
  text::MappedText text;  // without the link syntax, leading white space removed
  // The words of the text split at white space, where a link's text is one word whatever it holds.
  struct Word {
    size_t begin;  // bytes into text
    size_t end;
    std::optional<Feature> feature;
  };
  std::vector<Word> words;  // empty where there is no feature at all
};

// Whether (target) is a feature.
bool IsFeature(std::string_view target);

// source[begin, end). Linear.
Markup ReadMarkup(const text::MappedText& source, size_t begin, size_t end);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_MARKUP_H_
