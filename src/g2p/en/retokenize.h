// SPDX-License-Identifier: Apache-2.0
// From tokens to the pieces that are pronounced: camel case, digits, hyphens and apostrophes apart, punctuation and
// currency resolved, pieces without white space between them grouped (misaki's retokenize).
#ifndef KOE_G2P_EN_RETOKENIZE_H_
#define KOE_G2P_EN_RETOKENIZE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/en/markup.h"
#include "g2p/en/pronouncer.h"
#include "g2p/tagger.h"

namespace koe::g2p::en {

struct Piece {
  std::string_view text;
  size_t begin = 0;  // bytes into the line
  size_t end = 0;
  Tag tag = Tag::kNone;
  bool space_after = false;
  bool is_head = true;
  bool is_separate = false;  // a space goes before it when its group is joined
  bool reads_as_to = false;  // the 2 of B2B
  bool has_phonemes = false;
  Source source = Source::kNone;
  float confidence = 1;
  Currency currency = Currency::kNone;
  std::optional<double> stress;
  std::string_view number_flags;
  std::string phonemes;
};

// Pieces [first, first + count) of one vector: a group that is looked up together, or a single piece.
struct Unit {
  size_t first;
  size_t count;
};

struct Units {
  std::vector<Piece> pieces;
  std::vector<Unit> units;  // in order, covering the pieces
};

// line: what the tokens view. markup.words may be empty; else it holds the features to attach. Without misaki_quirks a
// token with a letter or digit never is punctuation whatever its tag ("n't"), a mark ends what a money sign governs,
// and features stay on their own tokens.
Units Retokenize(std::string_view line, const std::vector<Token>& tokens, const Markup& markup, bool misaki_quirks);

// Replaces *parts by those of misaki's sub-token expression; what it does not match (an apostrophe between a digit and
// a letter) is left out.
void SplitToken(std::string_view token, std::vector<std::string_view>* parts);

// Tag of the part with the most letters, capitals counting twice; the first on ties. first < last.
Tag DominantTag(const Piece* first, const Piece* last);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_RETOKENIZE_H_
