// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/grammar_rules.h"

namespace koe::g2p::en {
namespace {

// What follows closes the phrase. A comma or dash need not: "so that, in the end, ...".
bool IsPhraseEnd(const TokenForm& after) {
  switch (after.fixed) {
    case Tag::kPeriod:
    case Tag::kRightBracket:
      return true;
    default:
      return after.word == HashWord(";") || after.word == kOutside.word;
  }
}

bool IsDigit(uint32_t byte) { return byte >= '0' && byte <= '9'; }
bool IsArticle(uint64_t word) { return word == HashWord("the") || word == HashWord("a") || word == HashWord("an"); }
bool OpensObject(uint64_t word) {
  return IsArticle(word) || word == HashWord("my") || word == HashWord("your") || word == HashWord("our") ||
         word == HashWord("their") || word == HashWord("his") || word == HashWord("her") || word == HashWord("this") ||
         word == HashWord("these") || word == HashWord("them") || word == HashWord("it");
}
bool IsBe(uint64_t word) {
  return word == HashWord("is") || word == HashWord("was") || word == HashWord("are") || word == HashWord("were") ||
         word == HashWord("be") || word == HashWord("been");
}
bool IsNegation(uint64_t word) { return word == HashWord("not") || word == HashWord("n't"); }
// A pronoun that cannot be an object.
bool IsSubject(uint64_t word) {
  return word == HashWord("i") || word == HashWord("we") || word == HashWord("they") || word == HashWord("he") ||
         word == HashWord("she");
}

Tag TagA(const FeatureWindow& window) {
  if (IsPhraseEnd(*window.after1)) return Tag::kNN;
  // "Plan A failed", "from A to Z"; in a title the next word is capitalised too.
  const bool after_word = window.tag1 >= Tag::kCC && window.tag1 <= Tag::kWRB;
  const bool is_name = window.at->casing == Casing::kCapitalised && !window.is_first && after_word &&
                       window.after1->casing == Casing::kLower && window.after1->fixed == Tag::kNone;
  return is_name ? Tag::kNN : Tag::kNone;
}

Tag TagAm(const FeatureWindow& window) {
  if (window.tag1 == Tag::kCD || window.before1->has_digit) return Tag::kNN;
  constexpr uint64_t kI = HashWord("i");
  return window.before1->word == kI || window.after1->word == kI ? Tag::kVBP : Tag::kNone;
}

Tag TagIn(const FeatureWindow& window) {
  const bool after_verb = IsVerb(window.tag1) || window.tag1 == Tag::kPRP;
  if (!after_verb) return Tag::kNone;
  return IsPhraseEnd(*window.after1) || window.after1->word == HashWord("and") ||
                 window.after1->word == HashWord("from")
             ? Tag::kRP
             : Tag::kNone;
}

Tag TagUsed(const FeatureWindow& window) {
  if (window.after1->word != HashWord("to")) return Tag::kNone;
  const Tag subject = window.tag1;
  const bool is_habit = subject == Tag::kPRP || subject == Tag::kEX || subject == Tag::kNNP || subject == Tag::kWP ||
                        (IsNoun(subject) && window.verb == Tag::kNone);
  return is_habit ? Tag::kVBD : Tag::kNone;
}

}  // namespace

Tag TagByGrammar(const FeatureWindow& window) {
  if (window.tag1 == Tag::kDollar && IsDigit(window.at->suffix & 0xFF)) return Tag::kCD;
  switch (window.at->word) {
    case HashWord("a"):
      return TagA(window);
    case HashWord("am"):
      return TagAm(window);
    case HashWord("close"):
      return IsBe(window.before1->word) ? Tag::kJJ : Tag::kNone;
    case HashWord("i"):
      return window.at->casing == Casing::kLower && window.after1->fixed == Tag::kNone &&
                     window.tag1 != Tag::kLeftBracket
                 ? Tag::kPRP
                 : Tag::kNone;
    case HashWord("in"):
      return TagIn(window);
    case HashWord("that"):
      return IsPhraseEnd(*window.after1) ? Tag::kDT : Tag::kNone;
    case HashWord("used"):
      return TagUsed(window);
    case HashWord("vs"):
    case HashWord("vs."):
      return Tag::kIN;
    default:
      return Tag::kNone;
  }
}

uint64_t ForbiddenTags(const FeatureWindow& window) {
  constexpr uint64_t kNotBase = TagBit(Tag::kNN) | TagBit(Tag::kJJ) | TagBit(Tag::kVBP);
  constexpr uint64_t kNominal = TagBit(Tag::kNN) | TagBit(Tag::kJJ) | TagBit(Tag::kNNS);
  constexpr uint64_t kFinite = TagBit(Tag::kVB) | TagBit(Tag::kVBP) | TagBit(Tag::kVBZ) | TagBit(Tag::kVBD);
  if (window.at->casing == Casing::kCapitalised && window.is_first && OpensObject(window.after1->word)) {
    return TagBit(Tag::kNN) | TagBit(Tag::kNNP);  // "Sow the seeds"
  }
  if (window.at->casing != Casing::kLower) return 0;
  if (IsDigit(window.at->prefix >> 16) && IsDigit(window.at->suffix & 0xFF)) return TagBit(Tag::kADD);  // 9/10
  switch (window.tag1) {
    case Tag::kTO:
      return kNotBase;
    case Tag::kPRPS:
      return kFinite;
    case Tag::kDT:
      return IsArticle(window.before1->word) ? kFinite : 0;
    case Tag::kPRP:
      return IsSubject(window.before1->word) ? kNominal : 0;
    case Tag::kMD: {
      const Tag subject = window.tag2;  // without one: a question, and the subject comes next
      const bool has_subject =
          IsNoun(subject) || subject == Tag::kPRP || subject == Tag::kWDT || subject == Tag::kWP || subject == Tag::kEX;
      return has_subject ? kNotBase : 0;
    }
    case Tag::kRB:
      if (window.tag2 == Tag::kMD && IsNegation(window.before1->word)) return kNotBase;
      return window.tag2 == Tag::kPRP && IsSubject(window.before2->word) ? kNominal : 0;
    default:
      return 0;
  }
}

}  // namespace koe::g2p::en
