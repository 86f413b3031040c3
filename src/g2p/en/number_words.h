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
// A number with a decimal point, without the zeros at its end: "2.50" -> two point five, "10.0" -> ten.
Words DecimalWords(std::string_view number);
// The same as num2words reads it, by way of a double: what lies beyond 15 to 17 digits is made up or lost.
Words DoubleWords(std::string_view number);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_NUMBER_WORDS_H_
