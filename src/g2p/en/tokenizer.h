// SPDX-License-Identifier: Apache-2.0
// Cuts English text into tokens as spaCy 3.8.18's rules do: "don't" -> do|n't, "$5.00" -> $|5.00, "well-known" -> 3.
#ifndef KOE_G2P_EN_TOKENIZER_H_
#define KOE_G2P_EN_TOKENIZER_H_

#include <string_view>
#include <vector>

#include "g2p/tagger.h"

namespace koe::g2p::en {

struct TokenizerOptions {
  // spaCy makes a token of every run of white space but for a single space, and the reference then loses the next
  // word. false: such runs only separate tokens.
  bool keep_whitespace_tokens = false;
};

// Tokens in order; they cover all of `text` but white space. text: well-formed UTF-8, and must outlive the tokens.
// Linear in its size.
std::vector<Token> Tokenize(std::string_view text, const TokenizerOptions& options);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_TOKENIZER_H_
