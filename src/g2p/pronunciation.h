// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_G2P_PRONUNCIATION_H_
#define KOE_G2P_PRONUNCIATION_H_

#include <cstdint>
#include <string>

namespace koe::g2p {

// Where a pronunciation comes from, surest first. kLexicon: the user's; kLetters: an acronym read letter by letter.
// From kNeural on nothing knows the word: a letter-to-sound model, espeak-ng, or the word taken apart.
enum class Source : uint8_t {
  kNone,
  kMarkup,
  kPunctuation,
  kLexicon,
  kGold,
  kSilver,
  kStem,
  kLetters,
  kNumber,
  kNeural,
  kEspeak,
  kSpelled
};
const char* SourceName(Source source);  // "gold", ...; "" for kNone
constexpr bool IsGuess(Source source) { return source >= Source::kNeural; }

struct Pronunciation {
  std::string phonemes;  // misaki's symbols
  Source source = Source::kNone;
  float confidence = 1;  // [0, 1]: the estimated probability that these phonemes are right
};

}  // namespace koe::g2p

#endif  // KOE_G2P_PRONUNCIATION_H_
