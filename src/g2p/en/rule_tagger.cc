// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/rule_tagger.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "g2p/en/homograph_rules.h"
#include "g2p/en/tagged_sentence.h"
#include "g2p/en/tagger_words.h"
#include "g2p/en/url.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

constexpr std::array<std::string_view, 9> kAdjectivesInEd = {"crooked", "ragged", "jagged",  "dogged", "naked",
                                                             "wicked",  "rugged", "learned", "sacred"};

bool HasDigit(std::string_view s) {
  return std::any_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Tag TagWithDigit(const TaggedSentence& s, size_t i) {
  const std::string_view w = s.Lower(i);
  if (IsUrl(s.Text(i))) return Tag::kADD;
  const auto digits =
      static_cast<size_t>(std::count_if(w.begin(), w.end(), [](char c) { return c >= '0' && c <= '9'; }));
  for (const std::string_view suffix : {"st", "nd", "rd", "th"}) {
    if (w.ends_with(suffix) && digits + 2 >= w.size()) return IsNoun(s.Ahead(i + 1)) ? Tag::kJJ : Tag::kNN;
  }
  if (w.ends_with('s') && digits + 2 >= w.size() && digits >= 2) return Tag::kNNS;
  const bool has_letter =
      std::any_of(w.begin(), w.end(), [](char c) { return text::IsAsciiLetter(static_cast<unsigned char>(c)); });
  return has_letter && w != s.Text(i) ? Tag::kNNP : Tag::kCD;
}

Tag TagApostropheS(const TaggedSentence& s, size_t i) {
  if (i == 0) return Tag::kPOS;
  if (s.Lower(i - 1) == "let") return Tag::kPRP;
  switch (s.At(i - 1)) {
    case Tag::kPRP:
    case Tag::kEX:
    case Tag::kWP:
    case Tag::kWRB:
    case Tag::kRB:
    case Tag::kDT:
    case Tag::kWDT:
      return Tag::kVBZ;
    default:
      break;
  }
  const Tag next = s.Ahead(i + 1);
  return next == Tag::kDT || next == Tag::kVBG || next == Tag::kIN || next == Tag::kPRPS || next == Tag::kRB
             ? Tag::kVBZ
             : Tag::kPOS;
}

// Inside a noun phrase: after an article, possessive, adjective or number.
Tag TagInNounPhrase(const TaggedSentence& s, size_t i) {
  const std::string_view w = s.Lower(i);
  const Tag next = s.Ahead(i + 1), ending = TagByEnding(w);
  const bool has_noun_after = IsNoun(next) || IsAdjective(next);
  if (std::find(kAdjectivesInEd.begin(), kAdjectivesInEd.end(), w) != kAdjectivesInEd.end()) return Tag::kJJ;
  if (ending == Tag::kJJ) return Tag::kJJ;
  if (IsCommonAdjective(w)) return has_noun_after ? Tag::kJJ : Tag::kNN;
  if (ending == Tag::kVBD) return IsNoun(next) ? Tag::kVBN : Tag::kVBD;
  if (ending == Tag::kNNS) return Tag::kNNS;
  if (IsVerbalAte(w) && IsNoun(next)) return Tag::kJJ;
  return Tag::kNN;
}

bool IsSubjectPronoun(std::string_view w) { return w == "i" || w == "we" || w == "they" || w == "he" || w == "she"; }
bool IsObjectPronoun(std::string_view w) { return w == "him" || w == "me" || w == "them" || w == "us"; }

Tag TagAfterNoun(const TaggedSentence& s, size_t i) {
  const std::string_view w = s.Lower(i);
  const Tag before = s.Before(i, true), next = s.Ahead(i + 1), ending = TagByEnding(w);
  const bool has_object = OpensNounPhrase(next) || next == Tag::kTO;
  if (before == Tag::kNNS || before == Tag::kNNPS) {
    if (ending == Tag::kNN && (has_object || next == Tag::kIN || next == Tag::kRP || IsAdverb(next) ||
                               next == Tag::kJJ || !IsWordTag(next))) {
      return Tag::kVBP;
    }
    return ending;
  }
  if (ending == Tag::kNNS) {
    if (has_object || next == Tag::kRP || (IsAdverb(next) && s.Lower(i + 1) != "ago")) return Tag::kVBZ;
    if (before == Tag::kNNP && (next == Tag::kIN || next == Tag::kJJ)) return Tag::kVBZ;
  }
  // "you and I use", "the iPad use iOS".
  if (ending == Tag::kNN && IsCommonVerb(w) && (has_object || (before == Tag::kNNP && IsNoun(next)))) return Tag::kVBP;
  return ending;
}

Tag TagOpenClass(const TaggedSentence& s, size_t i) {
  const std::string_view w = s.Lower(i);
  const Tag before = s.Before(i, true), next = s.Ahead(i + 1), ending = TagByEnding(w);
  const std::string_view helper = s.WordBefore(i, true);
  if (ending == Tag::kRB) return Tag::kRB;
  if ((IsHaveForm(helper) || IsBeForm(helper)) && IsParticiple(w)) return Tag::kVBN;
  if (before == Tag::kDT || before == Tag::kPRPS || before == Tag::kPOS || IsAdjective(before) || before == Tag::kCD) {
    return TagInNounPhrase(s, i);
  }
  if (s.WantsBaseForm(i)) {
    return before == Tag::kTO && (ending == Tag::kNNS || ending == Tag::kVBG) ? ending : Tag::kVB;
  }
  if (IsIrregularPast(w)) return Tag::kVBD;
  if (ending == Tag::kVBG || ending == Tag::kVBD) return ending;
  if (IsSubjectPronoun(helper) && ending == Tag::kNN && w != "own") return Tag::kVBP;
  if (IsCommonAdjective(w) || ending == Tag::kJJ) return Tag::kJJ;
  if (IsBeForm(helper) || before == Tag::kJJR) return IsVerbalAte(w) ? Tag::kJJ : ending;
  if (before == Tag::kPRP || before == Tag::kWP || before == Tag::kWDT || helper == "who" || helper == "that") {
    if (IsObjectPronoun(helper)) return ending;
    const bool is_plural_subject = helper == "i" || helper == "you" || helper == "we" || helper == "they";
    return ending == Tag::kNNS ? (is_plural_subject ? Tag::kNNS : Tag::kVBZ) : Tag::kVBP;
  }
  if (s.IsPhraseStart(i) && before != Tag::kComma && before != Tag::kRightBracket) {
    return ending == Tag::kNN && (OpensNounPhrase(next) || IsCommonVerb(w)) ? Tag::kVB : ending;
  }
  if (IsNoun(before)) return TagAfterNoun(s, i);
  if (before == Tag::kCC && ending == Tag::kNN && (next == Tag::kDT || next == Tag::kPRPS || next == Tag::kPRP)) {
    return Tag::kVB;
  }
  return IsCommonVerb(w) && s.Before(i) == Tag::kRB ? Tag::kVBP : ending;
}

Tag TagWord(const TaggedSentence& s, size_t i) {
  const std::string_view w = s.Lower(i);
  if (const Tag homograph = TagHomograph(s, i); homograph != Tag::kNone) return homograph;
  const std::string_view helper = s.WordBefore(i, true);
  if (w == "'s" || w == "\u2019s") return TagApostropheS(s, i);
  if (w == "'d" || w == "\u2019d") return IsParticiple(s.Lower(i + 1)) ? Tag::kVBD : Tag::kMD;
  if (w == "have" || w == "do") {
    return s.WantsBaseForm(i) || (w == "do" && s.IsPhraseStart(i)) ? Tag::kVB : Tag::kVBP;
  }
  if (w == "had" && IsHaveForm(helper)) return Tag::kVBN;
  if ((w == "am" || w == "pm") && (s.Before(i) == Tag::kCD || s.Text(i) == "PM")) return Tag::kNN;
  // Letters that stand for a unit right behind an amount of money: $5m.
  if (i > 1 && w.size() == 1 && s.At(i - 1) == Tag::kCD && s.At(i - 2) == Tag::kDollar &&
      s.Text(i - 1).data() + s.Text(i - 1).size() == s.Text(i).data()) {
    return Tag::kCD;
  }
  const Tag closed = ClosedClassTag(w);
  if (s.IsAllCaps(i) && !s.is_shouted()) {
    if (HasDigit(w)) return TagWithDigit(s, i);
    // Emphasis, unless it may be a name: NOT, VERY, THE END.
    if (closed != Tag::kNone && (w.size() > 2 || s.IsAllCaps(i + 1)) && w != "us" && w != "who") return closed;
    if (w.size() > 3 && (s.Before(i) == Tag::kDT || s.Before(i) == Tag::kIN) && TagByEnding(w) == Tag::kNNS) {
      return Tag::kNNS;
    }
    return Tag::kNNP;
  }
  if (closed != Tag::kNone) return closed;
  if (HasDigit(s.Text(i))) return TagWithDigit(s, i);
  if (s.IsCapitalised(i) && !s.IsSentenceStart(i) && !s.is_shouted()) {
    return w.ends_with("ese") || w.ends_with("ish") ? Tag::kJJ : Tag::kNNP;
  }
  if (s.Text(i).find('.') != std::string_view::npos && IsUrl(s.Text(i))) return Tag::kADD;
  if (s.Text(i).size() > 1 && static_cast<unsigned char>(s.Text(i)[0]) >= 0x80 && !s.IsCapitalised(i) &&
      IsNumberSymbol(s.Text(i))) {
    return Tag::kCD;
  }
  return TagOpenClass(s, i);
}

}  // namespace

void RuleTagger::TagTokens(std::span<Token> tokens) const {
  bool inside_quote = false;
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i].tag = TagByShape(tokens, i, &inside_quote);
  const TaggedSentence sentence(tokens);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].tag == Tag::kNone) tokens[i].tag = TagWord(sentence, i);
  }
}

}  // namespace koe::g2p::en
