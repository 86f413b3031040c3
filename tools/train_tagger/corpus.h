// SPDX-License-Identifier: Apache-2.0
// Tagged sentences to learn from, cut into tokens as the front end cuts them.
#ifndef KOE_TOOLS_TRAIN_TAGGER_CORPUS_H_
#define KOE_TOOLS_TRAIN_TAGGER_CORPUS_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/tagger.h"
#include "koe/result.h"

namespace koe::g2p::training {

// Not copied or moved once filled: the tokens view the text.
struct Sentence {
  std::string text;
  std::vector<Token> tokens;  // tag: as annotated; kNone: nothing to learn here
};
using Corpus = std::deque<Sentence>;

// MASC: "token<TAB>tag" a line, an empty line between sentences. The tokens are put together to text and cut anew;
// where our tokeniser cuts otherwise, or the tag is missing or not one that a word can have, there is nothing to learn.
// Tags that the corpus lacks are filled in: ADD for addresses, AFX for prefixes, IN for "to" without a verb.
Result<Corpus> ReadTaggedLines(std::string_view file);

// The trace of the reference front end: a JSON object a line with "id" and "tokens", [text, tag, white space] each. Of
// two rows with the same tokens (the accents) one is taken.
Result<Corpus> ReadTrace(std::string_view file);

}  // namespace koe::g2p::training

#endif  // KOE_TOOLS_TRAIN_TAGGER_CORPUS_H_
