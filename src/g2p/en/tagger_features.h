// SPDX-License-Identifier: Apache-2.0
// What the perceptron tagger knows of a token and its neighbours, as hashed features. The trainer and the tagger share
// this file: a change here makes every weight file worthless, so it must change kFeatureVersion.
#ifndef KOE_G2P_EN_TAGGER_FEATURES_H_
#define KOE_G2P_EN_TAGGER_FEATURES_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "g2p/tagger.h"

namespace koe::g2p::en {

inline constexpr uint32_t kFeatureVersion = 2;

// How a token is written. A word's dictionary key holds it too: "US" and "us" are two words.
enum class Casing : uint8_t { kLower, kCapitalised, kUpper, kMixed };

// Groups of words that take the same tags, learnt in training; above kFirstGuessedClass: guessed from the form.
using WordClass = uint16_t;
inline constexpr WordClass kFirstGuessedClass = 0xFF00;

inline constexpr uint64_t kUnknownWord = 1;
inline constexpr uint64_t kWordPrime = 0x100000001B3;  // FNV-1a's
inline constexpr uint64_t kWordBasis = 0xCBF29CE484222325;

struct TokenForm {
  uint64_t word = 0;    // hash of the text with ASCII letters in lower case; kUnknownWord: training hardly saw it
  uint32_t suffix = 0;  // its last four bytes, the last one lowest
  uint32_t prefix = 0;  // its first three bytes
  uint16_t shape = 0;   // which of digit, hyphen, full stop, apostrophe, other occur; length up to 3
  Casing casing = Casing::kLower;
  bool has_digit = false;
  WordClass word_class = kFirstGuessedClass;
  Tag fixed = Tag::kNone;  // what the token's shape decides (TagByShape), or the dictionary
};

// All fields but word_class and fixed. Linear in the text's size.
TokenForm DescribeToken(std::string_view text);
// Whether a sentence that starts at tokens[begin] is all in capitals: two words at least, and no small letter. *end:
// one past its last token.
bool IsShouted(std::span<const Token> tokens, size_t begin, size_t* end);
// The class of a word that the dictionary lacks.
WordClass GuessClass(const TokenForm& form);
// The class of punctuation and other tokens whose tag is fixed by their shape.
constexpr WordClass ClassOfShape(Tag tag) { return static_cast<WordClass>(0xFF80 + static_cast<unsigned>(tag)); }

// A bijection of 64 bits that spreads every bit.
constexpr uint64_t MixBits(uint64_t x) {
  x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93;
  return x ^ (x >> 32);
}
// TokenForm::word of a word in lower case.
constexpr uint64_t HashWord(std::string_view lower) {
  uint64_t hash = kWordBasis;
  for (const char c : lower) hash = (hash ^ static_cast<unsigned char>(c)) * kWordPrime;
  return MixBits(hash);
}
constexpr uint64_t DictionaryKey(uint64_t word, Casing casing) {
  return MixBits(word + (uint64_t{1} + static_cast<uint64_t>(casing)) * 0x9E3779B97F4A7C15);
}

// Around the token to tag; outside the text: kOutside.
struct FeatureWindow {
  const TokenForm* before2;
  const TokenForm* before1;
  const TokenForm* at;
  const TokenForm* after1;
  const TokenForm* after2;
  Tag tag1;       // of the token before
  Tag tag2;       // of the one before that
  Tag verb;       // last tag of a verb or modal since the sentence began; kNone: none yet
  bool is_first;  // in its sentence, quotation marks and brackets aside
};
extern const TokenForm kOutside;

inline constexpr size_t kNumFeatures = 48;
using Features = std::array<uint64_t, kNumFeatures>;
void ExtractFeatures(const FeatureWindow& window, Features* features);

// What tagging from left to right carries along.
struct TagHistory {
  Tag tag1 = Tag::kNone, tag2 = Tag::kNone, verb = Tag::kNone;
  bool is_first = true;
  void Push(Tag tag) {
    tag2 = tag1;
    tag1 = tag;
    if (tag == Tag::kPeriod || tag == Tag::kNone) {
      is_first = true;
      verb = Tag::kNone;
    } else if (tag != Tag::kOpenQuote && tag != Tag::kLeftBracket && tag != Tag::kCloseQuote) {
      is_first = false;
    }
    if (IsVerb(tag) || tag == Tag::kMD) verb = tag;
  }
};

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_TAGGER_FEATURES_H_
