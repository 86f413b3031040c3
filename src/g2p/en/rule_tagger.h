// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_G2P_EN_RULE_TAGGER_H_
#define KOE_G2P_EN_RULE_TAGGER_H_

#include <span>

#include "g2p/tagger.h"

namespace koe::g2p::en {

// Tags by closed word classes, word shape, endings and the neighbours: the default where no trained tagger is there.
// What pronunciation depends on (that, read, use, close, record ...) gets rules of its own.
class RuleTagger : public Tagger {
 public:
  void TagTokens(std::span<Token> tokens) const override;
};

// What the shape of a token alone decides, whoever tags: punctuation, symbols, quotation marks by their spacing. A
// token with a letter or digit never gets a punctuation tag. kNone: shape does not decide. `inside_quote` toggles at
// straight quotation marks.
Tag TagByShape(std::span<const Token> tokens, size_t i, bool* inside_quote);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_RULE_TAGGER_H_
