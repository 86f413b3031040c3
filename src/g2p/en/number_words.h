// SPDX-License-Identifier: Apache-2.0
// Numbers in English words, as num2words 0.5.14 gives them once its commas and hyphens are taken for spaces.
#ifndef KOE_G2P_EN_NUMBER_WORDS_H_
#define KOE_G2P_EN_NUMBER_WORDS_H_

#include <string>
#include <string_view>
#include <vector>

namespace koe::g2p::en {

using Words = std::vector<std::string>;

// Digits beyond this have no name (centillions end there).
inline constexpr size_t kMaxNamedDigits = 306;

// digits: ASCII digits, leading zeros allowed. "1024" -> one thousand and twenty four. More digits than are named: one
// word for each.
Words CardinalWords(std::string_view digits);
Words OrdinalWords(std::string_view digits);  // ... one thousand and twenty fourth
Words YearWords(std::string_view digits);  // at most 4 digits: nineteen oh five, eleven hundred, two thousand and one
// A number with a decimal point, read by the shortest digits that give the same double: "2.50" -> two point five.
Words DecimalWords(std::string_view number);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_NUMBER_WORDS_H_
