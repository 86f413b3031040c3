// SPDX-License-Identifier: Apache-2.0
// Kokoro's English phoneme symbols and what misaki does with their stress marks. Strings are UTF-8.
#ifndef KOE_G2P_PHONEMES_H_
#define KOE_G2P_PHONEMES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace koe::g2p {

inline constexpr std::string_view kPrimaryStress = "\u02C8";
inline constexpr std::string_view kSecondaryStress = "\u02CC";

// kPhraseMark: punctuation that ends a spoken phrase: ; : , . ! ? em dash, ellipsis.
enum class PhonemeClass : uint8_t { kOther, kVowel, kConsonant, kPhraseMark };
PhonemeClass ClassOf(char32_t c);
bool IsVowel(char32_t c);
bool IsConsonant(char32_t c);
bool IsPhraseMark(char32_t c);
// The same and quotation marks: what punctuation may reach the model.
bool IsMark(char32_t c);
bool HasPrimaryStress(std::string_view phonemes);

// misaki's levels: below -1 no stress at all; -1 demotes to secondary; -0.5 and 0 demote where there is a primary; 0,
// 0.5 and 1 give an unstressed word a secondary stress; 1 and above promote a secondary; above 1 an unstressed word
// gets a primary. Anything else leaves the phonemes alone.
std::string ApplyStress(std::string phonemes, double level);

// Length for stress resolution: diphthongs and affricates count twice.
size_t StressWeight(std::string_view phonemes);

void ReplaceAll(std::string_view from, std::string_view to, std::string* text);

}  // namespace koe::g2p

#endif  // KOE_G2P_PHONEMES_H_
