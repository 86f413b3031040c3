// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_G2P_EN_HOMOGRAPH_RULES_H_
#define KOE_G2P_EN_HOMOGRAPH_RULES_H_

#include <cstddef>
#include <string_view>

#include "g2p/en/tagged_sentence.h"

namespace koe::g2p::en {

// The tag of a word that sounds different by class and is common enough for rules of its own (that, read, close, in,
// a ...); kNone for every other word. Tokens before i are tagged.
Tag TagHomograph(const TaggedSentence& sentence, size_t i);

// separate, graduate, delegate ...: an adjective before a noun, else a verb or noun.
bool IsVerbalAte(std::string_view lower);
// A single character that is a number but no digit: fractions, Roman numerals as symbols.
bool IsNumberSymbol(std::string_view text);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_HOMOGRAPH_RULES_H_
