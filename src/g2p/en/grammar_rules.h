// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_G2P_EN_GRAMMAR_RULES_H_
#define KOE_G2P_EN_GRAMMAR_RULES_H_

#include <cstdint>

#include "g2p/en/tagger_features.h"
#include "g2p/tagger.h"

namespace koe::g2p::en {

// The tag of a common word that sounds by its tag, where its neighbours leave no choice: "that" before a full stop,
// "am" after a number, "used to" after a pronoun. These are too rare in running text to be learnt surely. kNone: no
// opinion.
Tag TagByGrammar(const FeatureWindow& window);

// What the tag of a small word cannot be, as bits of Tag: a noun behind "she will not", a finite verb behind "their".
constexpr uint64_t TagBit(Tag tag) { return uint64_t{1} << static_cast<unsigned>(tag); }
static_assert(static_cast<unsigned>(Tag::kGW) < 64);
uint64_t ForbiddenTags(const FeatureWindow& window);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_GRAMMAR_RULES_H_
