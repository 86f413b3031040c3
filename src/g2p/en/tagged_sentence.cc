// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/tagged_sentence.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "g2p/en/tagger_words.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

template <size_t kSize>
bool IsOneOf(std::string_view word, const std::array<std::string_view, kSize>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Plurals without an s.
constexpr std::array<std::string_view, 8> kIrregularPlurals = {"people", "men",  "women", "children",
                                                               "police", "feet", "teeth", "mice"};
// Past forms that are as often nouns or adjectives.
constexpr std::array<std::string_view, 12> kNounLikePasts = {"wound", "set", "cut",   "hit",    "cost",   "bet",
                                                             "bit",   "saw", "split", "spread", "ground", "left"};

}  // namespace

bool IsHaveForm(std::string_view w) {
  return IsOneOf(w, std::array<std::string_view, 6>{"have", "has", "had", "'ve", "\u2019ve", "having"});
}
bool IsBeForm(std::string_view w) {
  return IsOneOf(w,
                 std::array<std::string_view, 17>{"is", "are", "was", "were", "be", "been", "being", "am", "'re", "'m",
                                                  "\u2019re", "\u2019m", "'s", "\u2019s", "get", "gets", "got"});
}
bool IsDoForm(std::string_view w) { return w == "do" || w == "does" || w == "did"; }
bool IsParticiple(std::string_view w) { return IsIrregularParticiple(w) || (w.size() > 4 && w.ends_with("ed")); }

Tag TagByEnding(std::string_view w) {
  if (IsOneOf(w, kIrregularPlurals)) return Tag::kNNS;
  if (w.size() > 4 && w.ends_with("ly")) return Tag::kRB;
  if (w.size() > 4 && w.ends_with("ing")) return Tag::kVBG;
  if (w.size() > 3 && w.ends_with("ed")) return Tag::kVBD;
  for (const std::string_view ending : {"ous", "ful", "ible", "able", "ical", "less", "ish", "ive", "ic", "ary"}) {
    if (w.size() > ending.size() + 2 && w.ends_with(ending)) return Tag::kJJ;
  }
  if (w.size() > 3 && w.ends_with('s') && !w.ends_with("ss") && !w.ends_with("us") && !w.ends_with("is")) {
    return Tag::kNNS;
  }
  return Tag::kNN;
}

TaggedSentence::TaggedSentence(std::span<Token> tokens) : tokens_(tokens), lower_(tokens.size()) {
  size_t num_caps = 0;
  bool has_small = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    lower_[i] = text::ToLower(tokens[i].text);
    if (tokens[i].text != lower_[i] && text::ToUpper(tokens[i].text) == tokens[i].text) {
      ++num_caps;
    } else if (text::ToUpper(tokens[i].text) != tokens[i].text) {
      has_small = true;
    }
  }
  is_shouted_ = num_caps >= 2 && !has_small;
}

size_t TaggedSentence::IndexBefore(size_t i, bool skip_adverbs) const {
  for (size_t looked = 0; i-- > 0 && looked < kMaxLook; ++looked) {
    const Tag tag = tokens_[i].tag;
    const bool is_skipped =
        tag == Tag::kOpenQuote || tag == Tag::kCloseQuote || tag == Tag::kSP || (skip_adverbs && IsAdverb(tag));
    if (!is_skipped) return i;
  }
  return tokens_.size();
}

Tag TaggedSentence::Before(size_t i, bool skip_adverbs) const { return At(IndexBefore(i, skip_adverbs)); }
std::string_view TaggedSentence::WordBefore(size_t i, bool skip_adverbs) const {
  return Lower(IndexBefore(i, skip_adverbs));
}

Tag TaggedSentence::Ahead(size_t i) const {
  if (i >= tokens_.size()) return Tag::kPeriod;
  if (tokens_[i].tag != Tag::kNone) return tokens_[i].tag;
  const Tag closed = ClosedClassTag(lower_[i]);
  if (closed != Tag::kNone) return closed;
  if (IsCapitalised(i) && !is_shouted_) return Tag::kNNP;
  if (IsIrregularPast(lower_[i]) && !IsOneOf(lower_[i], kNounLikePasts)) return Tag::kVBD;
  if (IsCommonAdjective(lower_[i])) return Tag::kJJ;
  if (IsCommonVerb(lower_[i])) return Tag::kVB;
  return TagByEnding(lower_[i]);
}

bool TaggedSentence::IsPhraseStart(size_t i) const { return !IsWordTag(Before(i)) && Before(i) != Tag::kHYPH; }

bool TaggedSentence::IsSentenceStart(size_t i) const {
  const Tag before = Before(i);
  return i == 0 || before == Tag::kPeriod || before == Tag::kColon || At(i - 1) == Tag::kOpenQuote;
}

bool TaggedSentence::IsCapitalised(size_t i) const {
  size_t position = 0;
  return text::IsUpper(text::NextCodePoint(Text(i), &position));
}

bool TaggedSentence::IsAllCaps(size_t i) const {
  return Text(i).size() > 1 && Text(i) != Lower(i) && text::ToUpper(Text(i)) == Text(i);
}

bool TaggedSentence::IsInverted(size_t i) const {
  size_t subject = IndexBefore(i, true);
  if (subject >= tokens_.size() || subject == 0) return false;
  if (At(subject) != Tag::kPRP && !IsNoun(At(subject))) return false;
  size_t before = subject - 1;
  for (size_t looked = 0; before > 0 && looked < kMaxLook; ++looked, --before) {
    const Tag tag = At(before);
    if (tag != Tag::kDT && tag != Tag::kPRPS && !IsAdjective(tag) && Lower(before) != "n't" &&
        Lower(before) != "n\u2019t") {
      break;
    }
  }
  return IsDoForm(Lower(before)) || At(before) == Tag::kMD;
}

bool TaggedSentence::WantsBaseForm(size_t i) const {
  const Tag before = Before(i, true);
  const std::string_view word = WordBefore(i, true);
  if (before == Tag::kTO || before == Tag::kMD || IsDoForm(word) || word == "let" || word == "please") return true;
  if (IsOneOf(word, std::array<std::string_view, 5>{"us", "him", "them", "me", "her"}) && i >= 2) {
    if (IsOneOf(Lower(i - 2),
                std::array<std::string_view, 8>{"let", "make", "made", "help", "helped", "saw", "watched", "heard"})) {
      return true;
    }
  }
  return IsInverted(i);
}

bool TaggedSentence::IsPastClause(size_t i) const {
  const size_t end = std::min(tokens_.size(), i + kMaxLook);
  for (size_t j = i > kMaxLook ? i - kMaxLook : 0; j < end; ++j) {
    const std::string_view w = lower_[j];
    if (j == i) continue;
    if (IsOneOf(w, std::array<std::string_view, 8>{"yesterday", "ago", "last", "once", "was", "were", "did", "had"}) ||
        IsIrregularPast(w) || (w.size() > 4 && w.ends_with("ed"))) {
      return true;
    }
  }
  return false;
}

}  // namespace koe::g2p::en
