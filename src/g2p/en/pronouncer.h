// SPDX-License-Identifier: Apache-2.0
// One English word to phonemes: special words, dictionary, acronyms, endings, numbers (misaki's Lexicon class).
#ifndef KOE_G2P_EN_PRONOUNCER_H_
#define KOE_G2P_EN_PRONOUNCER_H_

#include <optional>
#include <string>
#include <string_view>

#include "g2p/lexicon.h"
#include "g2p/pronunciation.h"
#include "g2p/tagger.h"
#include "koe/koe.h"

namespace koe::g2p::en {

// What follows the word, seen from the right.
struct Context {
  enum class Next : uint8_t { kNothing, kVowel, kConsonant };
  Next next = Next::kNothing;  // nothing: the end or punctuation
  bool next_is_to = false;
};

enum class Currency : uint8_t { kNone, kDollar, kPound, kEuro };  // in the order of the signs' code points

struct WordRequest {
  std::string_view text;
  Tag tag = Tag::kNone;
  std::optional<double> stress;  // asked for in markup
  Currency currency = Currency::kNone;
  std::string_view number_flags;  // of & a n
  bool is_head = true;            // false: glued to what stands before it
};

// Immutable and thread-safe. Holds a view of the lexicon's bytes.
class Pronouncer {
 public:
  // misaki_quirks: "$1.5" is a dollar and five cents; else fifty.
  Pronouncer(Lexicon lexicon, Language language, bool misaki_quirks)
      : lexicon_(std::move(lexicon)), british_(language == Language::kBritishEnglish), misaki_quirks_(misaki_quirks) {}

  // nullopt: no rule and no dictionary has the word.
  std::optional<Pronunciation> Pronounce(const WordRequest& request, const Context& context) const;
  // Letter names run together, the last one with the main stress; nullopt where a letter has no name.
  std::optional<Pronunciation> SpellLetters(std::string_view word) const;
  const Lexicon& lexicon() const { return lexicon_; }
  bool is_british() const { return british_; }
  bool misaki_quirks() const { return misaki_quirks_; }
  // s, z or a syllable, by the last sound.
  std::string_view PluralEnding(std::string_view phonemes) const;
  // The sounds of a stem with -s, -ed, -ing. AddIng: empty for British stems in a schwa or a long vowel.
  std::string AddS(const std::string& stem) const { return stem + std::string(PluralEnding(stem)); }
  std::string AddEd(std::string stem) const;
  std::string AddIng(std::string stem) const;

 private:
  struct Query;
  using Found = std::optional<Pronunciation>;
  // *entry: what the dictionaries have, which may be nothing.
  bool IsKnown(std::string_view word, std::optional<Lexicon::Entry>* entry) const;
  bool IsKnownWithoutEntry(std::string_view word) const;
  // entry: what the dictionaries have under word.
  Found Lookup(std::string_view word, std::optional<Lexicon::Entry> entry, const Query& query) const;
  Found LookupPlain(std::string_view word, std::optional<double> stress = std::nullopt) const;
  Found SpecialWord(std::string_view word, const Query& query) const;
  Found Word(std::string_view word, const Query& query) const;
  Found StemS(std::string_view word, const Query& query) const;
  Found StemEd(std::string_view word, const Query& query) const;
  Found StemIng(std::string_view word, const Query& query) const;
  Found Number(std::string_view word, const WordRequest& request) const;
  Found Plural(std::string_view unit) const;

  Lexicon lexicon_;
  bool british_;
  bool misaki_quirks_;
};

// Whether misaki's number rules take the word: digits with , and . between them, one suffix (st 's ed ...) and, at the
// head of a token, a minus.
bool IsNumber(std::string_view word, bool is_head);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_PRONOUNCER_H_
