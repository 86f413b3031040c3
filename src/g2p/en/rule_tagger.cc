// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/rule_tagger.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "g2p/en/char_class.h"
#include "g2p/en/tagger_words.h"
#include "g2p/en/url.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

struct FixedTag {
  std::string_view text;
  Tag tag;
};
constexpr FixedTag kFixedTags[] = {
    {",", Tag::kComma},
    {".", Tag::kPeriod},
    {"!", Tag::kPeriod},
    {"?", Tag::kPeriod},
    {":", Tag::kColon},
    {";", Tag::kColon},
    {"\u2014", Tag::kColon},
    {"\u2013", Tag::kColon},
    {"--", Tag::kColon},
    {"---", Tag::kColon},
    {"...", Tag::kColon},
    {"..", Tag::kColon},
    {"\u2026", Tag::kColon},
    {"-", Tag::kHYPH},
    {"(", Tag::kLeftBracket},
    {")", Tag::kRightBracket},
    {"[", Tag::kLeftBracket},
    {"]", Tag::kRightBracket},
    {"{", Tag::kLeftBracket},
    {"}", Tag::kRightBracket},
    {"<", Tag::kLeftBracket},
    {">", Tag::kRightBracket},
    {"\u201C", Tag::kOpenQuote},
    {"\u201D", Tag::kCloseQuote},
    {"\u201E", Tag::kOpenQuote},
    {"\u2018", Tag::kOpenQuote},
    {"``", Tag::kOpenQuote},
    {"''", Tag::kCloseQuote},
    {"$", Tag::kDollar},
    {"\u00A3", Tag::kDollar},
    {"\u20AC", Tag::kDollar},
    {"\u00A5", Tag::kDollar},
    {"\u20B9", Tag::kDollar},
    {"/", Tag::kSYM},
    {"%", Tag::kNN},
    {"#", Tag::kNN},
    {"=", Tag::kSYM},
    {"+", Tag::kSYM},
    {"\u00D7", Tag::kSYM},
    {"\u00B1", Tag::kSYM},
    {"\u00A7", Tag::kSYM},
    {"\u2192", Tag::kSYM},
    {"\u2190", Tag::kSYM},
    {"&", Tag::kCC},
    {"@", Tag::kIN},
};

bool IsWordTag(Tag tag) { return tag >= Tag::kCC && tag <= Tag::kWRB; }

class Sentence {
 public:
  explicit Sentence(std::span<Token> tokens) : tokens_(tokens), lower_(tokens.size()) {
    for (size_t i = 0; i < tokens.size(); ++i) lower_[i] = text::ToLower(tokens[i].text);
  }

  void TagAll() {
    bool inside_quote = false;
    for (size_t i = 0; i < tokens_.size(); ++i) tokens_[i].tag = TagByShape(tokens_, i, &inside_quote);
    for (size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].tag == Tag::kNone) tokens_[i].tag = TagWord(i);
    }
  }

 private:
  std::string_view Lower(size_t i) const { return i < lower_.size() ? std::string_view(lower_[i]) : ""; }
  Tag At(size_t i) const { return i < tokens_.size() ? tokens_[i].tag : Tag::kPeriod; }
  // The tag of the word before, whatever stands between it and i but punctuation that ends a phrase.
  Tag Before(size_t i, bool skip_adverbs = false) const {
    while (i-- > 0) {
      const Tag tag = tokens_[i].tag;
      if (tag == Tag::kOpenQuote || tag == Tag::kCloseQuote || tag == Tag::kSP) continue;
      if (skip_adverbs && IsAdverb(tag)) continue;
      return tag;
    }
    return Tag::kPeriod;
  }
  std::string_view WordBefore(size_t i, bool skip_adverbs = false) const {
    while (i-- > 0) {
      const Tag tag = tokens_[i].tag;
      if (tag == Tag::kOpenQuote || tag == Tag::kCloseQuote || tag == Tag::kSP) continue;
      if (skip_adverbs && IsAdverb(tag)) continue;
      return lower_[i];
    }
    return "";
  }
  bool IsPhraseStart(size_t i) const { return !IsWordTag(Before(i)) && Before(i) != Tag::kHYPH; }
  bool IsCapitalised(size_t i) const {
    size_t position = 0;
    return text::IsUpper(DecodeUtf8(tokens_[i].text, &position).value_or(0));
  }
  bool IsAllCaps(size_t i) const {
    return tokens_[i].text.size() > 1 && tokens_[i].text != lower_[i] &&
           text::ToUpper(tokens_[i].text) == tokens_[i].text;
  }
  // A guess at the class of a word that has not been tagged yet.
  Tag Ahead(size_t i) const {
    if (i >= tokens_.size()) return Tag::kPeriod;
    if (tokens_[i].tag != Tag::kNone) return tokens_[i].tag;
    const Tag closed = ClosedClassTag(lower_[i]);
    if (closed != Tag::kNone) return closed;
    if (IsCapitalised(i)) return Tag::kNNP;
    if (IsIrregularPast(lower_[i])) return Tag::kVBD;
    if (IsCommonAdjective(lower_[i])) return Tag::kJJ;
    if (IsCommonVerb(lower_[i])) return Tag::kVB;
    return ByEnding(lower_[i]);
  }

  static Tag ByEnding(std::string_view w) {
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

  static bool IsHaveForm(std::string_view w) {
    return w == "have" || w == "has" || w == "had" || w == "'ve" || w == "\u2019ve" || w == "having";
  }
  static bool IsBeForm(std::string_view w) {
    return w == "is" || w == "are" || w == "was" || w == "were" || w == "be" || w == "been" || w == "being" ||
           w == "am" || w == "'re" || w == "'m" || w == "\u2019re" || w == "\u2019m" || w == "'s" || w == "get" ||
           w == "gets" || w == "got";
  }
  static bool IsDoForm(std::string_view w) { return w == "do" || w == "does" || w == "did"; }

  // Whether a clause in front of i has its auxiliary before its subject: "did you ...", "will she ...".
  bool IsInverted(size_t i) const {
    size_t subject = i;
    while (subject-- > 0 && IsAdverb(tokens_[subject].tag)) {
    }
    if (subject == static_cast<size_t>(-1) || subject == 0) return false;
    if (tokens_[subject].tag != Tag::kPRP && !IsNoun(tokens_[subject].tag)) return false;
    size_t before = subject - 1;
    while (before > 0 && (tokens_[before].tag == Tag::kDT || tokens_[before].tag == Tag::kPRPS ||
                          IsAdjective(tokens_[before].tag) || Lower(before) == "n't" || Lower(before) == "n\u2019t")) {
      --before;
    }
    return IsDoForm(Lower(before)) || tokens_[before].tag == Tag::kMD;
  }

  // Whether what stands before i asks for a base form.
  bool WantsBaseForm(size_t i) const {
    const Tag before = Before(i, true);
    const std::string_view word = WordBefore(i, true);
    if (before == Tag::kTO || before == Tag::kMD || word == "'ll" || word == "\u2019ll") return true;
    if (IsDoForm(word) || word == "let" || word == "'d" || word == "please" || word == "'s") return word != "'s";
    if ((word == "us" || word == "him" || word == "them" || word == "me" || word == "her") && i >= 2) {
      const std::string_view verb = Lower(i - 2);
      if (verb == "let" || verb == "make" || verb == "made" || verb == "help" || verb == "helped" || verb == "saw" ||
          verb == "watched" || verb == "heard") {
        return true;
      }
    }
    return IsInverted(i);
  }

  bool OpensNounPhrase(Tag tag) const {
    return tag == Tag::kDT || tag == Tag::kPRPS || tag == Tag::kPRP || tag == Tag::kWDT;
  }

  Tag TagThat(size_t i) const {
    const Tag next = Ahead(i + 1), before = Before(i);
    const std::string_view word = WordBefore(i), next_word = Lower(i + 1);
    const bool next_is_verb = IsVerb(next) || next == Tag::kMD;
    const bool next_opens_clause = next == Tag::kPRP || next == Tag::kDT || next == Tag::kPRPS || next == Tag::kNNP ||
                                   next == Tag::kNNPS || next == Tag::kEX || next_word == "there" ||
                                   next == Tag::kNNS || next == Tag::kWP || next == Tag::kWRB || next == Tag::kIN ||
                                   next == Tag::kCD;
    if (!IsWordTag(next) && next != Tag::kOpenQuote) return Tag::kDT;
    if (IsPhraseStart(i) && before != Tag::kComma) return next == Tag::kPRP ? Tag::kIN : Tag::kDT;
    if (next == Tag::kCC || next == Tag::kTO) return Tag::kDT;
    if (before == Tag::kIN || before == Tag::kTO || before == Tag::kRP) {
      return next == Tag::kPRP && word != "of" && word != "like" ? Tag::kIN : Tag::kDT;
    }
    if (word == "so" || word == "such" || word == "now") return Tag::kIN;
    if (IsNoun(before) || before == Tag::kCD || word == "all" || word == "those") {
      if (next_is_verb && !next_opens_clause) return Tag::kWDT;
      return Tag::kIN;
    }
    if (IsClauseVerb(word)) {
      if (next_opens_clause) return Tag::kIN;
      if (next_is_verb) return Tag::kDT;
      // "said that dinner was ready" against "saw that film": a verb right after the noun.
      const Tag after = Ahead(i + 2);
      return IsVerb(after) || after == Tag::kMD ? Tag::kIN : Tag::kDT;
    }
    if (IsAdjective(before)) return next_is_verb ? Tag::kDT : Tag::kIN;
    if (next == Tag::kPRP) return Tag::kIN;
    return Tag::kDT;
  }

  Tag TagRead(size_t i) const {
    const std::string_view helper = WordBefore(i, true);
    if (IsHaveForm(helper)) return Tag::kVBN;
    if (IsBeForm(helper)) return Tag::kVBN;
    if (WantsBaseForm(i)) return Tag::kVB;
    const Tag before = Before(i, true);
    if (before == Tag::kDT || IsAdjective(before)) return Tag::kNN;
    if (IsPhraseStart(i)) return Tag::kVB;
    if (helper == "he" || helper == "she" || helper == "it") return Tag::kVBD;
    if (IsNoun(before) && before != Tag::kNNS) return Tag::kVBD;
    return IsPastClause(i) ? Tag::kVBD : Tag::kVBP;
  }

  // Whether the sentence speaks of the past: another past form or a word such as yesterday.
  bool IsPastClause(size_t i) const {
    for (size_t j = 0; j < tokens_.size(); ++j) {
      const std::string_view w = lower_[j];
      if (j != i && (w == "yesterday" || w == "ago" || w == "last" || w == "once" || w == "was" || w == "were" ||
                     w == "did" || w == "had" || IsIrregularPast(w))) {
        return true;
      }
      if (j != i && w.size() > 4 && w.ends_with("ed")) return true;
    }
    return false;
  }

  Tag TagWord(size_t i) const {
    const std::string_view w = lower_[i];
    const Tag before = Before(i);
    if (w == "that") return TagThat(i);
    if (w == "read" || w == "reread") return TagRead(i);
    if (w == "a" && tokens_[i].text == "A" && !IsPhraseStart(i) && !IsWordTag(Ahead(i + 1))) return Tag::kNN;
    if (w == "a" && (Ahead(i + 1) == Tag::kHYPH || (!IsWordTag(Ahead(i + 1)) && Ahead(i + 1) != Tag::kOpenQuote))) {
      return Tag::kNN;
    }
    if (w == "i" && tokens_[i].text == "I" && IsRomanOne(i)) return Tag::kCD;
    if (w == "there") {
      const std::string_view next = Lower(i + 1);
      return IsBeForm(next) || Ahead(i + 1) == Tag::kMD || next == "seems" ? Tag::kEX : Tag::kRB;
    }
    if (w == "her" || w == "his") {
      const Tag next = Ahead(i + 1);
      return IsNoun(next) || IsAdjective(next) || next == Tag::kVBG || next == Tag::kVBN || next == Tag::kVB ||
                     next == Tag::kCD || next == Tag::kVBD || next == Tag::kRB
                 ? Tag::kPRPS
                 : Tag::kPRP;
    }
    if (w == "'s" || w == "\u2019s") return TagApostropheS(i);
    if (w == "'d" || w == "\u2019d") return IsParticiple(Lower(i + 1)) ? Tag::kVBD : Tag::kMD;
    if (w == "have" || w == "do") return WantsBaseForm(i) || (w == "do" && IsPhraseStart(i)) ? Tag::kVB : Tag::kVBP;
    if (w == "had" && IsHaveForm(WordBefore(i, true))) return Tag::kVBN;
    if (w == "by" && (!IsWordTag(Ahead(i + 1)) || Ahead(i + 1) == Tag::kCC))
      return IsVerb(before) ? Tag::kRB : Tag::kIN;
    if (w == "in") return TagIn(i);
    if (w == "used") return Lower(i + 1) == "to" && IsBeForm(WordBefore(i, true)) ? Tag::kJJ : VerbPast(i);
    if (w == "close" || w == "live" || w == "present" || w == "perfect") return TagAdjectiveOrVerb(i);
    if (w == "inside" || w == "nearby" || w == "overall" || w == "downstairs" || w == "outright" || w == "uphill" ||
        w == "underground" || w == "downhill") {
      const bool modifies = before == Tag::kDT || before == Tag::kPRPS || before == Tag::kIN;
      if (modifies && IsNoun(Ahead(i + 1))) return Tag::kJJ;
      if (w == "inside") return IsWordTag(Ahead(i + 1)) && !IsAdverb(Ahead(i + 1)) ? Tag::kIN : Tag::kRB;
      return Tag::kRB;
    }
    if (IsAllCaps(i)) return TagAllCaps(i);
    const Tag closed = ClosedClassTag(w);
    if (closed != Tag::kNone) return closed;
    if (HasDigit(tokens_[i].text)) return TagWithDigit(i);
    if (IsCapitalised(i) && !IsSentenceStart(i)) return w.ends_with("ese") || w.ends_with("ish") ? Tag::kJJ : Tag::kNNP;
    if (tokens_[i].text.find('.') != std::string_view::npos && IsUrl(tokens_[i].text)) return Tag::kADD;
    return TagOpen(i);
  }

  bool IsSentenceStart(size_t i) const {
    const Tag before = Before(i);
    return before == Tag::kPeriod || before == Tag::kColon || i == 0 || At(i - 1) == Tag::kOpenQuote;
  }

  // "World War I", "Part I.": after a capitalised word and not before a verb.
  bool IsRomanOne(size_t i) const {
    if (i == 0 || IsPhraseStart(i) || !IsCapitalised(i - 1) || Lower(i - 1) == "and") return false;
    const Tag next = Ahead(i + 1);
    return !IsVerb(next) && next != Tag::kMD && !IsAdverb(next);
  }

  Tag TagApostropheS(size_t i) const {
    if (i == 0) return Tag::kPOS;
    const Tag before = At(i - 1);
    if (before == Tag::kPRP || before == Tag::kEX || before == Tag::kWP || before == Tag::kWRB || before == Tag::kRB ||
        before == Tag::kDT || before == Tag::kWDT) {
      return Lower(i - 1) == "let" ? Tag::kPRP : Tag::kVBZ;
    }
    if (Lower(i - 1) == "let") return Tag::kPRP;
    const Tag next = Ahead(i + 1);
    return next == Tag::kDT || next == Tag::kVBG || next == Tag::kIN || next == Tag::kPRPS || next == Tag::kRB
               ? Tag::kVBZ
               : Tag::kPOS;
  }

  static bool IsParticiple(std::string_view w) {
    return IsIrregularParticiple(w) || (w.size() > 4 && w.ends_with("ed"));
  }

  Tag TagIn(size_t i) const {
    const Tag next = Ahead(i + 1);
    if (!IsWordTag(next) && next != Tag::kOpenQuote && next != Tag::kDollar && next != Tag::kSYM &&
        next != Tag::kLeftBracket) {
      return IsVerb(Before(i)) || Before(i) == Tag::kPRP ? Tag::kRP : Tag::kIN;
    }
    return Tag::kIN;
  }

  Tag VerbPast(size_t i) const {
    const std::string_view helper = WordBefore(i, true);
    if (IsHaveForm(helper) || IsBeForm(helper)) return Tag::kVBN;
    const Tag before = Before(i, true);
    if ((before == Tag::kDT || before == Tag::kPRPS || IsAdjective(before)) && IsNoun(Ahead(i + 1))) return Tag::kVBN;
    if (WantsBaseForm(i) && helper != "'d") return Tag::kVB;
    return Tag::kVBD;
  }

  Tag TagAdjectiveOrVerb(size_t i) const {
    const Tag before = Before(i, true), next = Ahead(i + 1);
    const std::string_view w = lower_[i], word = WordBefore(i, true);
    const bool is_phrase_end = !IsWordTag(next);
    if (WantsBaseForm(i)) return Tag::kVB;
    if (before == Tag::kDT || before == Tag::kPRPS || before == Tag::kPOS || IsAdjective(before)) {
      if (is_phrase_end || next == Tag::kIN || IsVerb(next) || next == Tag::kMD) {
        return w == "perfect" || w == "live" ? Tag::kJJ : Tag::kNN;
      }
      return Tag::kJJ;
    }
    if (IsBeForm(word)) return Tag::kJJ;
    if (before == Tag::kIN) return w == "present" ? Tag::kNN : Tag::kJJ;
    if (IsPhraseStart(i)) {
      if (w == "close" && (next == Tag::kTO || next == Tag::kIN)) return Tag::kRB;
      if (OpensNounPhrase(next) || next == Tag::kIN || next == Tag::kRP || is_phrase_end) return Tag::kVB;
      return IsNoun(next) ? Tag::kJJ : Tag::kVB;
    }
    if (before == Tag::kPRP || before == Tag::kNNS || before == Tag::kNNPS || before == Tag::kWP ||
        before == Tag::kWDT || before == Tag::kCC) {
      return w == "close" && next == Tag::kTO ? Tag::kRB : Tag::kVBP;
    }
    if (IsVerb(before)) return w == "present" ? Tag::kJJ : (w == "close" ? Tag::kRB : Tag::kRB);
    return IsNoun(before) && OpensNounPhrase(next) ? Tag::kVBP : Tag::kJJ;
  }

  Tag TagAllCaps(size_t i) const {
    const std::string_view w = lower_[i];
    // A sentence in capitals is an ordinary sentence.
    const bool all_caps_around = (i == 0 || IsAllCaps(i - 1) || tokens_[i - 1].text.size() < 2) &&
                                 (i + 1 >= tokens_.size() || IsAllCaps(i + 1) || tokens_[i + 1].text.size() < 2) &&
                                 tokens_.size() > 2;
    if (all_caps_around) {
      const Tag closed = ClosedClassTag(w);
      if (closed != Tag::kNone) return closed;
    }
    if (HasDigit(tokens_[i].text)) return TagWithDigit(i);
    return Tag::kNNP;
  }

  static bool HasDigit(std::string_view s) {
    return std::any_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  }

  Tag TagWithDigit(size_t i) const {
    const std::string_view w = lower_[i];
    if (IsUrl(tokens_[i].text)) return Tag::kADD;
    const size_t digits =
        static_cast<size_t>(std::count_if(w.begin(), w.end(), [](char c) { return c >= '0' && c <= '9'; }));
    for (const std::string_view suffix : {"st", "nd", "rd", "th"}) {
      if (w.ends_with(suffix) && digits + 2 >= w.size()) return IsNoun(Ahead(i + 1)) ? Tag::kJJ : Tag::kNN;
    }
    if (w.ends_with('s') && digits + 2 >= w.size() && digits >= 2) return Tag::kNNS;
    const bool is_plain = std::all_of(w.begin(), w.end(), [](char c) {
      return (c >= '0' && c <= '9') || c == ',' || c == '.' || c == ':' || c == '-' || c == '/';
    });
    if (is_plain || !text::IsAscii(w)) return Tag::kCD;
    return IsCapitalised(i) ? Tag::kNNP : Tag::kCD;
  }

  Tag TagOpen(size_t i) const {
    const std::string_view w = lower_[i];
    const Tag before = Before(i, true), next = Ahead(i + 1);
    const std::string_view helper = WordBefore(i, true);
    const Tag ending = ByEnding(w);
    if (ending == Tag::kRB) return Tag::kRB;
    if (IsHaveForm(helper) && IsParticiple(w)) return Tag::kVBN;
    if (IsBeForm(helper) && (IsParticiple(w))) return Tag::kVBN;
    const bool inside_noun_phrase = before == Tag::kDT || before == Tag::kPRPS || before == Tag::kPOS ||
                                    IsAdjective(before) || before == Tag::kCD || before == Tag::kPDT;
    if (inside_noun_phrase) {
      if (IsCommonAdjective(w) || ending == Tag::kJJ)
        return IsNoun(next) || IsAdjective(next) ? Tag::kJJ : (ending == Tag::kJJ ? Tag::kJJ : Tag::kNN);
      if (ending == Tag::kVBD && IsNoun(next)) return Tag::kVBN;
      if (ending == Tag::kVBG) return Tag::kNN;
      if (ending == Tag::kNNS) return Tag::kNNS;
      if (IsAteAdjective(w) && IsNoun(next)) return Tag::kJJ;
      return Tag::kNN;
    }
    if (WantsBaseForm(i)) {
      if (before == Tag::kTO && ending == Tag::kNNS) return Tag::kNNS;
      if (before == Tag::kTO && ending == Tag::kVBG) return Tag::kVBG;
      return Tag::kVB;
    }
    if (IsIrregularPast(w)) return Tag::kVBD;
    if (ending == Tag::kVBG || ending == Tag::kVBD) return ending;
    if (IsCommonAdjective(w) || ending == Tag::kJJ) return Tag::kJJ;
    if (IsBeForm(helper) || before == Tag::kJJR) {
      if (IsAteAdjective(w)) return Tag::kJJ;
      return ending;
    }
    if (before == Tag::kPRP || before == Tag::kWP || before == Tag::kWDT || helper == "who" || helper == "that") {
      return ending == Tag::kNNS && helper != "i" && helper != "you" && helper != "we" && helper != "they" ? Tag::kVBZ
             : IsObject(i)                                                                                 ? ending
                                                                                                           : Tag::kVBP;
    }
    if (IsPhraseStart(i) && before != Tag::kComma && before != Tag::kRightBracket) {
      if (ending == Tag::kNN && (OpensNounPhrase(next) || IsCommonVerb(w))) return Tag::kVB;
      return ending;
    }
    if ((before == Tag::kNNS || before == Tag::kNNPS) && ending == Tag::kNN &&
        (OpensNounPhrase(next) || next == Tag::kIN || next == Tag::kNNS || IsAdverb(next) || next == Tag::kJJ ||
         !IsWordTag(next) || next == Tag::kTO)) {
      return Tag::kVBP;
    }
    if ((before == Tag::kNN || before == Tag::kNNP) && ending == Tag::kNNS &&
        (OpensNounPhrase(next) || next == Tag::kTO || (IsAdverb(next) && Lower(i + 1) != "ago"))) {
      return Tag::kVBZ;
    }
    if (before == Tag::kCC && ending == Tag::kNN && (next == Tag::kDT || next == Tag::kPRPS || next == Tag::kPRP)) {
      return Tag::kVB;
    }
    if (IsCommonVerb(w) && before == Tag::kRB) return Tag::kVBP;
    return ending;
  }

  static bool IsAteAdjective(std::string_view w) { return w.size() > 5 && w.ends_with("ate"); }
  // A pronoun before i is an object, so what follows is no verb: "gave him record deals".
  bool IsObject(size_t i) const {
    const std::string_view w = WordBefore(i);
    return w == "him" || w == "me" || w == "them" || w == "us";
  }

  std::span<Token> tokens_;
  std::vector<std::string> lower_;
};

}  // namespace

Tag TagByShape(std::span<const Token> tokens, size_t i, bool* inside_quote) {
  const std::string_view text = tokens[i].text;
  bool has_alphanumeric = false, all_space = true, has_symbol = false;
  for (size_t position = 0; const auto c = DecodeUtf8(text, &position);) {
    has_alphanumeric = has_alphanumeric || text::IsLetter(*c) || text::DigitValue(*c) >= 0;
    all_space = all_space && text::IsSpace(*c);
    has_symbol = has_symbol || (CharFlags(*c) & kSymbolFlag) != 0;
  }
  if (has_alphanumeric) return Tag::kNone;
  if (all_space) return Tag::kSP;
  const bool glued_left = i > 0 && !tokens[i - 1].space_after;
  const bool glued_right = !tokens[i].space_after && i + 1 < tokens.size();
  if (text == "\"") {
    const bool opens = !glued_left ? (glued_right || !*inside_quote) : (glued_right && !*inside_quote);
    *inside_quote = opens;
    return opens ? Tag::kOpenQuote : Tag::kCloseQuote;
  }
  if (text == "'" || text == "\u2019") {
    if (!glued_left && glued_right) return Tag::kOpenQuote;
    const bool after_s = i > 0 && (tokens[i - 1].text.ends_with('s') || tokens[i - 1].text.ends_with('S'));
    return glued_left && tokens[i].space_after && after_s ? Tag::kPOS : Tag::kCloseQuote;
  }
  for (const FixedTag& fixed : kFixedTags) {
    if (fixed.text == text) {
      if (text == "-" && !glued_left && !glued_right) return Tag::kColon;
      return fixed.tag;
    }
  }
  if (text.find_first_not_of('.') == std::string_view::npos) return Tag::kColon;
  return Tag::kNFP;
}

void RuleTagger::TagTokens(std::span<Token> tokens) const { Sentence(tokens).TagAll(); }

}  // namespace koe::g2p::en
