// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/homograph_rules.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "g2p/en/tagger_words.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

// Adverbs that before a noun, after an article, are adjectives with another stress, and without a noun after them
// nouns.
constexpr std::array<std::string_view, 9> kPlaceWords = {"inside", "nearby",      "overall",  "downstairs", "outright",
                                                         "uphill", "underground", "downhill", "overhead"};

bool OpensClause(Tag tag, std::string_view word) {
  switch (tag) {
    case Tag::kPRP:
    case Tag::kDT:
    case Tag::kPRPS:
    case Tag::kNNP:
    case Tag::kNNPS:
    case Tag::kNNS:
    case Tag::kEX:
    case Tag::kWP:
    case Tag::kWRB:
    case Tag::kIN:
    case Tag::kCD:
      return true;
    default:
      return word == "there";
  }
}

Tag TagThat(const TaggedSentence& s, size_t i) {
  const Tag next = s.Ahead(i + 1), before = s.Before(i), after = s.Ahead(i + 2);
  const std::string_view word = s.WordBefore(i), next_word = s.Lower(i + 1);
  const bool next_is_verb = IsVerb(next) || next == Tag::kMD;
  const bool verb_follows = IsVerb(after) || after == Tag::kMD;
  const bool opens_clause = OpensClause(next, next_word);
  if (!IsWordTag(next) && next != Tag::kOpenQuote) return Tag::kDT;
  if (s.IsPhraseStart(i) && before != Tag::kComma) return next == Tag::kPRP ? Tag::kIN : Tag::kDT;
  if (next == Tag::kCC || next == Tag::kTO) return Tag::kDT;
  if (before == Tag::kIN || before == Tag::kTO || before == Tag::kRP) {
    return next == Tag::kPRP && word != "of" && word != "like" ? Tag::kIN : Tag::kDT;
  }
  if (word == "so" || word == "such" || word == "now") return Tag::kIN;
  if ((IsAdverb(before) || IsAdjective(before)) && i >= 2 && (s.Lower(i - 2) == "so" || s.Lower(i - 2) == "such")) {
    return Tag::kIN;
  }
  if (IsNoun(before) || before == Tag::kCD || word == "all" || word == "those" || word == "something" ||
      word == "everything" || word == "nothing" || word == "anything") {
    if (next_is_verb && !opens_clause) return Tag::kWDT;
    // "the third time that week, ...": nothing follows that could be its verb.
    if (next == Tag::kNN && !IsWordTag(after)) return Tag::kDT;
    return Tag::kIN;
  }
  const bool told_someone = before == Tag::kPRP && i >= 2 && IsClauseVerb(s.Lower(i - 2));
  if (IsClauseVerb(word) || told_someone) {
    if (opens_clause) return Tag::kIN;
    if (next_is_verb) return Tag::kDT;
    // "said that dinner was ready" against "saw that film": a verb right after the noun.
    return verb_follows ? Tag::kIN : Tag::kDT;
  }
  if (IsAdjective(before)) return next_is_verb ? Tag::kDT : Tag::kIN;
  if (before == Tag::kVBG && (next_is_verb || next == Tag::kNNS)) return Tag::kWDT;
  return next == Tag::kPRP ? Tag::kIN : Tag::kDT;
}

Tag TagRead(const TaggedSentence& s, size_t i) {
  const std::string_view helper = s.WordBefore(i, true);
  if (IsHaveForm(helper) || IsBeForm(helper)) return Tag::kVBN;
  if (s.WantsBaseForm(i)) return Tag::kVB;
  const Tag before = s.Before(i, true);
  if (before == Tag::kDT || IsAdjective(before)) return Tag::kNN;
  if (s.IsPhraseStart(i)) return Tag::kVB;
  if (helper == "he" || helper == "she" || helper == "it") return Tag::kVBD;
  if (IsNoun(before) && before != Tag::kNNS) return Tag::kVBD;
  return s.IsPastClause(i) ? Tag::kVBD : Tag::kVBP;
}

Tag TagIn(const TaggedSentence& s, size_t i) {
  const Tag next = s.Ahead(i + 1), before = s.Before(i);
  const bool after_verb = IsVerb(before) || before == Tag::kPRP;
  const bool has_object = IsWordTag(next) || next == Tag::kOpenQuote || next == Tag::kDollar || next == Tag::kSYM ||
                          next == Tag::kLeftBracket;
  if (!has_object || next == Tag::kCC) return after_verb ? Tag::kRP : Tag::kIN;
  return next == Tag::kIN && IsVerb(before) ? Tag::kRP : Tag::kIN;
}

// Past tense or participle of a regular verb.
Tag TagUsed(const TaggedSentence& s, size_t i) {
  const std::string_view helper = s.WordBefore(i, true);
  const bool before_to = s.Lower(i + 1) == "to";
  if (before_to && IsBeForm(helper)) return Tag::kVBN;
  if (IsHaveForm(helper) || IsBeForm(helper)) return Tag::kVBN;
  const Tag before = s.Before(i, true);
  if ((before == Tag::kDT || before == Tag::kPRPS || IsAdjective(before)) && IsNoun(s.Ahead(i + 1))) return Tag::kVBN;
  return Tag::kVBD;
}

// close, live, present, perfect: an adjective of one sound and a verb of another.
Tag TagAdjectiveOrVerb(const TaggedSentence& s, size_t i) {
  const Tag before = s.Before(i, true), next = s.Ahead(i + 1);
  const std::string_view w = s.Lower(i);
  const bool is_phrase_end = !IsWordTag(next);
  if (s.WantsBaseForm(i)) return Tag::kVB;
  if (before == Tag::kDT || before == Tag::kPRPS || before == Tag::kPOS || IsAdjective(before)) {
    if (is_phrase_end || next == Tag::kIN || IsVerb(next) || next == Tag::kMD) {
      return w == "perfect" || w == "live" ? Tag::kJJ : Tag::kNN;
    }
    return Tag::kJJ;
  }
  if (IsBeForm(s.WordBefore(i, true))) return Tag::kJJ;
  if (before == Tag::kIN) return w == "present" ? Tag::kNN : Tag::kJJ;
  if (s.IsPhraseStart(i)) {
    if (w == "close" && (next == Tag::kTO || next == Tag::kIN)) return Tag::kRB;
    return IsNoun(next) ? Tag::kJJ : Tag::kVB;
  }
  switch (before) {
    case Tag::kNNP:
      if (w != "live") break;
      [[fallthrough]];
    case Tag::kPRP:
    case Tag::kNNS:
    case Tag::kNNPS:
    case Tag::kWP:
    case Tag::kWDT:
    case Tag::kCC:
      return w == "close" && next == Tag::kTO ? Tag::kRB : Tag::kVBP;
    default:
      break;
  }
  if (IsVerb(before)) return w == "present" ? Tag::kJJ : Tag::kRB;
  return IsNoun(before) && OpensNounPhrase(next) ? Tag::kVBP : Tag::kJJ;
}

Tag TagPlaceWord(const TaggedSentence& s, size_t i) {
  const Tag before = s.Before(i), next = s.Ahead(i + 1);
  if (before == Tag::kDT || before == Tag::kPRPS || IsAdjective(before)) {
    return IsNoun(next) || IsAdjective(next) ? Tag::kJJ : Tag::kNN;
  }
  if (before == Tag::kIN && IsNoun(next)) return Tag::kJJ;
  if (s.Lower(i) == "inside") return IsWordTag(next) && !IsAdverb(next) ? Tag::kIN : Tag::kRB;
  return Tag::kRB;
}

// The article, or the letter: "Plan A", "from A to Z".
Tag TagA(const TaggedSentence& s, size_t i) {
  const Tag next = s.Ahead(i + 1);
  if (s.Before(i) == Tag::kHYPH) return Tag::kDT;
  if (next == Tag::kHYPH) return Tag::kNN;
  const bool opens_phrase = IsWordTag(next) || next == Tag::kOpenQuote || next == Tag::kDollar || next == Tag::kNFP;
  if (!opens_phrase) return Tag::kNN;
  if (s.Text(i) == "A" && !s.is_shouted() && !s.IsPhraseStart(i)) return Tag::kNN;
  return Tag::kDT;
}

}  // namespace

bool IsVerbalAte(std::string_view lower) { return lower.size() > 5 && lower.ends_with("ate"); }

bool IsNumberSymbol(std::string_view text) {
  size_t position = 0;
  const auto c = DecodeUtf8(text, &position);
  return c && position == text.size() && text::IsWordChar(*c) && !text::IsLetter(*c);
}

Tag TagHomograph(const TaggedSentence& s, size_t i) {
  const std::string_view w = s.Lower(i);
  if (w == "a") return TagA(s, i);
  if (w == "that") return TagThat(s, i);
  if (w == "in" && (s.Text(i) != "IN" || s.is_shouted())) return TagIn(s, i);
  if (w == "read" || w == "reread") return TagRead(s, i);
  if (w == "used") return TagUsed(s, i);
  if (w == "close" || w == "live" || w == "present" || w == "perfect") return TagAdjectiveOrVerb(s, i);
  if (w == "there") {
    const bool exists =
        IsBeForm(s.Lower(i + 1)) || s.Ahead(i + 1) == Tag::kMD || s.Lower(i + 1) == "seems" || s.Lower(i + 1) == "used";
    return exists ? Tag::kEX : Tag::kRB;
  }
  if (w == "her" || w == "his") {
    const Tag next = s.Ahead(i + 1);
    const bool possesses = IsNoun(next) || IsAdjective(next) || IsVerb(next) || next == Tag::kCD || next == Tag::kRB;
    return possesses ? Tag::kPRPS : Tag::kPRP;
  }
  if (w == "by") {
    const Tag next = s.Ahead(i + 1);
    return (!IsWordTag(next) || next == Tag::kCC) && IsVerb(s.Before(i)) ? Tag::kRB : Tag::kIN;
  }
  if (std::find(kPlaceWords.begin(), kPlaceWords.end(), w) != kPlaceWords.end()) return TagPlaceWord(s, i);
  return Tag::kNone;
}

}  // namespace koe::g2p::en
