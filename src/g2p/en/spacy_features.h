// SPDX-License-Identifier: Apache-2.0
// What spaCy's network sees of a token: 64-bit identifiers of its normal form, first character, ending and shape
// (spaCy 3: strings.pyx, lex_attrs.py; thinc: numpy_ops.pyx).
#ifndef KOE_G2P_EN_SPACY_FEATURES_H_
#define KOE_G2P_EN_SPACY_FEATURES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/tagger.h"
#include "g2p/tagger_file.h"
#include "koe/result.h"

namespace koe::g2p::en {

// MurmurHash64A, seed 1: a string's identifier in spaCy, unless the name is reserved.
uint64_t HashString(std::string_view text);

// The four rows (before the modulo) that a hash embedding with this seed sums for an identifier: MurmurHash3 x64 128.
std::array<uint32_t, 4> HashIdentifier(uint64_t identifier, uint32_t seed);

// "Apple" -> "Xxxxx", "U.S." -> "X.X.", "2024" -> "dddd": at most four of a kind in a row; "LONG" from 100 characters.
std::string WordShape(std::string_view text);

// In the order of the file's `attributes` section.
enum class SpacyAttribute : uint32_t { kNorm, kPrefix, kSuffix, kShape, kSpaceAfter, kIsSpace };
inline constexpr uint32_t kNumSpacyAttributes = 6;

// The string tables of a converted model. Views the file's bytes; immutable, thread-safe.
class SpacyStrings {
 public:
  // Sections strings, norms, token_norms (docs/spacy_tagger.md). kCorruptBundle.
  static Result<SpacyStrings> Open(const TaggerFile& file);

  uint64_t Identifier(std::string_view text) const;
  // One identifier for each token, of its normal form: "n't" of "don't" -> not, "€" -> $, "Colour" -> colour.
  std::vector<uint64_t> Norms(std::span<const Token> tokens) const;

 private:
  // Ascending by key.
  struct Pair {
    uint64_t key;
    uint64_t value;
  };
  static Result<std::span<const Pair>> OpenPairs(const TaggerFile& file, std::string_view name);
  static const Pair* Find(std::span<const Pair> pairs, uint64_t key);

  std::span<const Pair> reserved_;  // HashString of a reserved name -> its identifier
  std::span<const Pair> norms_;     // identifier of a word -> of its normal form
  // A special case of spaCy's tokeniser with norms of its own. In the file: the number of tokens, with the highest bit
  // set where spaCy finds it only as a whole ("ma'am") and not among tokens that other rules cut ("x-let's"); the
  // tokens' identifiers; their norms' (0: none).
  struct Contraction {
    uint64_t first_token;
    bool is_only_alone;
    std::span<const uint64_t> tokens;
    std::span<const uint64_t> norms;
  };
  std::vector<Contraction> contractions_;  // by first token, more tokens first
};

// The attribute of a token; norm: its element of Norms().
uint64_t AttributeOf(SpacyAttribute attribute, const Token& token, uint64_t norm, const SpacyStrings& strings);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_SPACY_FEATURES_H_
