// SPDX-License-Identifier: Apache-2.0
// Words whose class hardly depends on where they stand, and verbs that the rules need to recognise.
#ifndef KOE_G2P_EN_TAGGER_WORDS_H_
#define KOE_G2P_EN_TAGGER_WORDS_H_

#include <string_view>

#include "g2p/tagger.h"

namespace koe::g2p::en {

// Tag of a closed-class or irregular word in lower case; kNone for any other.
Tag ClosedClassTag(std::string_view lower);
// Common verbs in their base form (not those that are as often nouns).
bool IsCommonVerb(std::string_view lower);
// say, think, know ... after which "that" opens a clause; any form.
bool IsClauseVerb(std::string_view lower);
// Irregular forms that are both past tense and participle, or either.
bool IsIrregularPast(std::string_view lower);
bool IsIrregularParticiple(std::string_view lower);
// Adjectives without a telling ending.
bool IsCommonAdjective(std::string_view lower);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_TAGGER_WORDS_H_
