// SPDX-License-Identifier: Apache-2.0
// Character classes and special cases of spaCy's English tokeniser.
#ifndef KOE_G2P_EN_CHAR_CLASS_H_
#define KOE_G2P_EN_CHAR_CLASS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace koe::g2p::en {

// Lower and upper both hold the letters of scripts without case.
enum CharFlag : unsigned {
  kLowerFlag = 1,
  kUpperFlag = 2,
  kAlphaFlag = 4,
  kSymbolFlag = 8,         // category So
  kPrefixFlag = 16,        // may be cut off the front of a run
  kSuffixFlag = 32,        // may be cut off its end
  kLowerOrQuoteFlag = 64,  // what a full stop inside a run may follow
  kBeforePeriodFlag = 128  // a full stop after it may be cut off the end
};
unsigned CharFlags(char32_t c);

// The longest currency or unit that may be cut off after a digit at the end of `text`, in bytes; 0: none.
size_t SuffixAfterDigit(std::string_view text);

// The lengths in bytes of the tokens that a special case is cut into; empty where text is none.
std::span<const uint8_t> FindSpecialCase(std::string_view text);
// All special cases, sorted.
struct SpecialCase {
  std::string_view text;
  uint8_t lengths[4];
  std::span<const uint8_t> parts() const {
    size_t count = 0;
    while (count < 4 && lengths[count] != 0) ++count;
    return {lengths, count};
  }
};
std::span<const SpecialCase> SpecialCases();

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_CHAR_CLASS_H_
