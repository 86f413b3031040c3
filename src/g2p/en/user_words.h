// SPDX-License-Identifier: Apache-2.0
// The user's own words, put into a line before the dictionaries are asked.
#ifndef KOE_G2P_EN_USER_WORDS_H_
#define KOE_G2P_EN_USER_WORDS_H_

#include <string_view>

#include "g2p/en/pronouncer.h"
#include "g2p/en/retokenize.h"
#include "g2p/user_lexicon.h"

namespace koe::g2p::en {

// Replaces every run of pieces that is a word of the user's (the longest, from the left) by one piece with its
// phonemes, which is a unit of its own. A run starts and ends at a word's boundary: not within letters and digits, nor
// at an apostrophe between letters, nor between initials (e.g.). Forms in -s, -'s, -ed, -ing, -'d, -'ll, -'ve and -'re
// of a user's word take its phonemes with the ending's sound, unless the dictionaries have the form and it is not their
// own word with that ending (star does not speak for staring). What markup gave phonemes stays.
void ApplyUserLexicon(const UserLexicon::Entries& lexicon, const Pronouncer& pronouncer, std::string_view line,
                      Units* units);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_USER_WORDS_H_
