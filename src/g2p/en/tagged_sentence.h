// SPDX-License-Identifier: Apache-2.0
// Tokens that are being tagged from left to right, and what the rules ask about them.
#ifndef KOE_G2P_EN_TAGGED_SENTENCE_H_
#define KOE_G2P_EN_TAGGED_SENTENCE_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/tagger.h"

namespace koe::g2p::en {

bool IsHaveForm(std::string_view lower);
bool IsBeForm(std::string_view lower);  // and get, got
bool IsDoForm(std::string_view lower);
bool IsParticiple(std::string_view lower);
// The likeliest tag of an open-class word by its ending; kNN where that says nothing.
Tag TagByEnding(std::string_view lower);
constexpr bool IsWordTag(Tag tag) { return tag >= Tag::kCC && tag <= Tag::kWRB; }
constexpr bool OpensNounPhrase(Tag tag) {
  return tag == Tag::kDT || tag == Tag::kPRPS || tag == Tag::kPRP || tag == Tag::kWDT;
}

// Every query looks at no more than kMaxLook tokens, so that tagging is linear.
class TaggedSentence {
 public:
  static constexpr size_t kMaxLook = 24;

  explicit TaggedSentence(std::span<Token> tokens);
  std::span<Token> tokens() { return tokens_; }
  size_t size() const { return tokens_.size(); }
  std::string_view Text(size_t i) const { return i < tokens_.size() ? tokens_[i].text : std::string_view(); }
  std::string_view Lower(size_t i) const { return i < lower_.size() ? std::string_view(lower_[i]) : ""; }
  Tag At(size_t i) const { return i < tokens_.size() ? tokens_[i].tag : Tag::kPeriod; }

  // Tag and text of the word before i; quotation marks are looked through, and adverbs where asked. At the start:
  // kPeriod and "".
  Tag Before(size_t i, bool skip_adverbs = false) const;
  std::string_view WordBefore(size_t i, bool skip_adverbs = false) const;
  // A guess at the class of a word that need not have been tagged yet. After the end: kPeriod.
  Tag Ahead(size_t i) const;

  bool IsPhraseStart(size_t i) const;    // after punctuation
  bool IsSentenceStart(size_t i) const;  // after a full stop, colon, dash or opening quote
  bool IsCapitalised(size_t i) const;
  bool IsAllCaps(size_t i) const;                  // two letters and more, none small
  bool is_shouted() const { return is_shouted_; }  // all words are in capitals
  // Whether the auxiliary stands before the subject in front of i: "did you ...", "will the new man ...".
  bool IsInverted(size_t i) const;
  // Whether what stands before i asks for a base form.
  bool WantsBaseForm(size_t i) const;
  // Whether the words around i speak of the past: yesterday, ago, another past form.
  bool IsPastClause(size_t i) const;

 private:
  size_t IndexBefore(size_t i, bool skip_adverbs) const;  // size() where there is none

  std::span<Token> tokens_;
  std::vector<std::string> lower_;
  bool is_shouted_ = false;
};

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_TAGGED_SENTENCE_H_
