// SPDX-License-Identifier: Apache-2.0
// The order of the rules is misaki's (en.py, class Lexicon, 0.9.4; Apache-2.0).
#include "g2p/en/pronouncer.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

using text::IsAscii;
using text::IsAsciiDigit;
using text::IsAsciiLetter;
using text::IsAsciiLower;
using text::IsAsciiUpper;

constexpr size_t kSureAcronymLetters = 7;  // a longer capitalised proper noun is read as a word

unsigned char Byte(char c) { return static_cast<unsigned char>(c); }
// "21ST" -> "21st"; empty for anything else.
std::string LowerOrdinal(std::string_view word) {
  if (word.size() < 3 || !IsAsciiDigit(Byte(word[word.size() - 3]))) return "";
  const std::string ending = text::ToLower(word.substr(word.size() - 2));
  if (word.ends_with(ending) || (ending != "st" && ending != "nd" && ending != "rd" && ending != "th")) return "";
  const std::string lower = std::string(word.substr(0, word.size() - 2)) + ending;
  return IsNumber(lower, true) ? lower : "";
}
bool AllLetters(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return IsAsciiLetter(Byte(c)); });
}
bool EqualsLower(std::string_view word) {
  return std::none_of(word.begin(), word.end(), [](char c) { return IsAsciiUpper(Byte(c)); });
}
bool EqualsUpper(std::string_view word) {
  return std::none_of(word.begin(), word.end(), [](char c) { return IsAsciiLower(Byte(c)); });
}
bool IsAnyCaseOf(std::string_view word, std::string_view lower) {
  return word.size() == lower.size() && std::equal(word.begin(), word.end(), lower.begin(), [](char a, char b) {
           return text::ToLower(static_cast<char32_t>(Byte(a))) == static_cast<char32_t>(Byte(b));
         });
}
// "in", "In" or, where `all_caps`, "IN".
bool IsWord(std::string_view word, std::string_view lower, bool all_caps) {
  if (!IsAnyCaseOf(word, lower)) return false;
  return EqualsLower(word.substr(1)) || (all_caps && EqualsUpper(word));
}

std::string_view VariantClass(Tag tag) {
  if (IsVerb(tag)) return "VERB";
  if (IsNoun(tag)) return "NOUN";
  if (IsAdverb(tag)) return "ADV";
  if (IsAdjective(tag)) return "ADJ";
  return TagName(tag);
}

// "U.S.", "a.m": letters in groups of at most two with a dot inside.
bool IsDottedAbbreviation(std::string_view word) {
  const size_t first = word.find_first_not_of('.');
  if (first == std::string_view::npos) return false;
  const std::string_view inner = word.substr(first, word.find_last_not_of('.') - first + 1);
  if (inner.find('.') == std::string_view::npos) return false;
  size_t group = 0;
  for (const char c : word) {
    if (c == '.') {
      group = 0;
    } else if (!IsAsciiLetter(Byte(c)) || ++group > 2) {
      return false;
    }
  }
  return true;
}

char32_t CodePointFromEnd(std::string_view s, size_t back) {
  while (!s.empty()) {
    size_t begin = s.size() - 1;
    while (begin > 0 && (Byte(s[begin]) & 0xC0) == 0x80) --begin;
    if (back-- == 0) return DecodeUtf8(s, &begin).value_or(0);
    s = s.substr(0, begin);
  }
  return 0;
}

bool EndsInOneOf(std::string_view s, std::u32string_view set, size_t back = 0) {
  const char32_t c = CodePointFromEnd(s, back);
  return c != 0 && set.find(c) != std::u32string_view::npos;
}

// After these an American t between vowels is a tap.
constexpr std::u32string_view kTapVowels = U"AIOWYiuæɑəɛɪɹʊʌ";

}  // namespace

struct Pronouncer::Query {
  Tag tag = Tag::kNone;
  std::optional<double> stress;
  const Context* context = nullptr;
};

bool Pronouncer::IsKnown(std::string_view word, std::optional<Lexicon::Entry>* entry) const {
  if (word.empty()) return false;
  *entry = lexicon_.FindGrown(word);
  return *entry || IsKnownWithoutEntry(word);
}

// What the dictionaries need not have: symbols, single letters, acronyms.
bool Pronouncer::IsKnownWithoutEntry(std::string_view word) const {
  if (word == "%" || word == "&" || word == "+" || word == "@") return true;
  if (!AllLetters(word)) return false;
  if (word.size() == 1 || EqualsUpper(word.substr(1))) return true;
  return EqualsUpper(word) && lexicon_.FindGold(text::ToLower(word));
}

Pronouncer::Found Pronouncer::SpellLetters(std::string_view word) const {
  std::string phonemes;
  for (const char c : word) {
    if (Byte(c) >= 0x80) return std::nullopt;
    if (!IsAsciiLetter(Byte(c))) continue;
    const char upper = static_cast<char>(c & ~0x20);
    const auto entry = lexicon_.FindGold({&upper, 1});
    if (!entry) return std::nullopt;
    phonemes += lexicon_.Phonemes(*entry);
  }
  phonemes = ApplyStress(std::move(phonemes), 0);
  const size_t last = phonemes.rfind(kSecondaryStress);
  if (last != std::string::npos) phonemes.replace(last, kSecondaryStress.size(), kPrimaryStress);
  return Pronunciation{std::move(phonemes), Source::kLetters};
}

Pronouncer::Found Pronouncer::Lookup(std::string_view word, std::optional<Lexicon::Entry> entry,
                                     const Query& query) const {
  std::string lower;
  bool is_acronym = false;
  if (EqualsUpper(word) && !(entry && entry->tier == Lexicon::Tier::kGold)) {
    lower = text::ToLower(word);
    word = lower;
    is_acronym = query.tag == Tag::kNNP;
    entry = lexicon_.FindGrown(word);
  }
  if (is_acronym && entry && entry->tier != Lexicon::Tier::kGold) entry.reset();
  std::optional<std::string> phonemes;
  if (entry) {
    auto codes = std::optional(entry->codes);
    if (entry->has_variants) {
      std::optional<Lexicon::Variant> variant;
      if (query.context != nullptr && query.context->next == Context::Next::kNothing) {
        variant = lexicon_.FindVariant(*entry, "None");
      }
      if (!variant && query.tag != Tag::kNone) {
        variant = lexicon_.FindVariant(*entry, TagName(query.tag));
        if (!variant) variant = lexicon_.FindVariant(*entry, VariantClass(query.tag));
      }
      if (variant) codes = variant->is_null ? std::nullopt : std::optional(variant->codes);
    }
    if (codes) phonemes = lexicon_.Decode(*codes);
  }
  if (!phonemes || (is_acronym && !HasPrimaryStress(*phonemes))) {
    if (auto letters = SpellLetters(word)) return letters;
    if (!phonemes) return std::nullopt;
  }
  if (query.stress) phonemes = ApplyStress(std::move(*phonemes), *query.stress);
  return Pronunciation{std::move(*phonemes), entry->tier == Lexicon::Tier::kGold ? Source::kGold : Source::kSilver};
}

Pronouncer::Found Pronouncer::LookupPlain(std::string_view word, std::optional<double> stress) const {
  return Lookup(word, lexicon_.FindGrown(word), {Tag::kNone, stress, nullptr});
}

Pronouncer::Found Pronouncer::SpecialWord(std::string_view word, const Query& query) const {
  const Tag tag = query.tag;
  const auto fixed = [](std::string_view phonemes) { return Pronunciation{std::string(phonemes), Source::kGold}; };
  if (tag == Tag::kADD && word == ".") return LookupPlain("dot", -0.5);
  if (tag == Tag::kADD && word == "/") return LookupPlain("slash", -0.5);
  if (word == "%") return LookupPlain("percent");
  if (word == "&") return LookupPlain("and");
  if (word == "+") return LookupPlain("plus");
  if (word == "@") return LookupPlain("at");
  if (IsDottedAbbreviation(word)) return SpellLetters(word);
  if (word.size() > 4) return std::nullopt;  // nothing below is longer
  if (word == "a" || word == "A") return fixed(tag == Tag::kDT ? "ɐ" : "ˈA");
  if (IsWord(word, "am", true)) {
    if (IsNoun(tag)) return SpellLetters(word);
    if (query.context->next == Context::Next::kNothing || word != "am") {
      const auto entry = lexicon_.FindGold("am");
      return entry ? Found(fixed(lexicon_.Phonemes(*entry))) : std::nullopt;
    }
    return fixed("ɐm");
  }
  if (IsWord(word, "an", true)) return word == "AN" && IsNoun(tag) ? SpellLetters(word) : Found(fixed("ɐn"));
  if (word == "I" && tag == Tag::kPRP) return fixed("ˌI");
  if (IsWord(word, "by", true) && IsAdverb(tag)) return fixed("bˈI");
  if (IsWord(word, "to", tag == Tag::kTO || tag == Tag::kIN)) {
    if (query.context->next == Context::Next::kVowel) return fixed("tʊ");
    if (query.context->next == Context::Next::kConsonant) return fixed("tə");
    const auto entry = lexicon_.FindGold("to");
    return entry ? Found(fixed(lexicon_.Phonemes(*entry))) : std::nullopt;
  }
  if (IsWord(word, "in", tag != Tag::kNNP)) {
    return fixed(query.context->next == Context::Next::kNothing || tag != Tag::kIN ? "ˈɪn" : "ɪn");
  }
  if (IsWord(word, "the", tag == Tag::kDT)) {
    return fixed(query.context->next == Context::Next::kVowel ? "ði" : "ðə");
  }
  if (tag == Tag::kIN && (IsAnyCaseOf(word, "vs") || IsAnyCaseOf(word, "vs."))) return LookupPlain("versus");
  if (IsWord(word, "used", true)) {
    const auto entry = lexicon_.FindGold("used");
    if (!entry) return std::nullopt;
    const auto past = lexicon_.FindVariant(*entry, "VBD");
    if ((tag == Tag::kVBD || tag == Tag::kJJ) && query.context->next_is_to && past && !past->is_null) {
      return fixed(lexicon_.Decode(past->codes));
    }
    return fixed(lexicon_.Phonemes(*entry));
  }
  return std::nullopt;
}

std::string_view Pronouncer::PluralEnding(std::string_view phonemes) const {
  if (EndsInOneOf(phonemes, U"ptkfθ")) return "s";
  if (EndsInOneOf(phonemes, U"szʃʒʧʤ")) return british_ ? "ɪz" : "ᵻz";
  return "z";
}

std::string Pronouncer::AddEd(std::string stem) const {
  if (EndsInOneOf(stem, U"pkfθʃsʧ")) return stem + "t";
  if (stem.ends_with('d')) return stem + (british_ ? "ɪd" : "ᵻd");
  if (!stem.ends_with('t')) return stem + "d";
  if (british_ || stem.size() < 2) return stem + "ɪd";
  if (EndsInOneOf(stem, kTapVowels, 1)) {
    stem.pop_back();
    return stem + "ɾᵻd";
  }
  return stem + "ᵻd";
}

// Empty: British stems in a schwa or a long vowel are left to the fallback (the r between is not in the dictionary).
std::string Pronouncer::AddIng(std::string stem) const {
  if (british_) {
    if (EndsInOneOf(stem, U"əː")) return "";
  } else if (stem.ends_with('t') && EndsInOneOf(stem, kTapVowels, 1)) {
    stem.pop_back();
    return stem + "ɾɪŋ";
  }
  return stem + "ɪŋ";
}

Pronouncer::Found Pronouncer::StemS(std::string_view word, const Query& query) const {
  if (word.size() < 3 || !word.ends_with('s')) return std::nullopt;
  std::optional<Lexicon::Entry> entry;
  std::string stem(word.substr(0, word.size() - 1));
  if (word.ends_with("ss") || !IsKnown(stem, &entry)) {
    stem = word.substr(0, word.size() - 2);
    const bool takes_two = word.ends_with("'s") || (word.size() > 4 && word.ends_with("es") && !word.ends_with("ies"));
    if (!takes_two || !IsKnown(stem, &entry)) {
      if (word.size() <= 4 || !word.ends_with("ies")) return std::nullopt;
      stem = std::string(word.substr(0, word.size() - 3)) + "y";
      if (!IsKnown(stem, &entry)) return std::nullopt;
    }
  }
  const auto found = Lookup(stem, entry, query);
  if (!found || found->phonemes.empty()) return std::nullopt;
  return Pronunciation{AddS(found->phonemes), Source::kStem};
}

Pronouncer::Found Pronouncer::StemEd(std::string_view word, const Query& query) const {
  if (word.size() < 4 || !word.ends_with('d')) return std::nullopt;
  std::optional<Lexicon::Entry> entry;
  std::string_view stem = word.substr(0, word.size() - 1);
  if (word.ends_with("dd") || !IsKnown(stem, &entry)) {
    stem = word.substr(0, word.size() - 2);
    if (word.size() <= 4 || !word.ends_with("ed") || word.ends_with("eed") || !IsKnown(stem, &entry))
      return std::nullopt;
  }
  const auto found = Lookup(stem, entry, query);
  if (!found || found->phonemes.empty()) return std::nullopt;
  return Pronunciation{AddEd(found->phonemes), Source::kStem};
}

Pronouncer::Found Pronouncer::StemIng(std::string_view word, const Query& query) const {
  if (word.size() < 5 || !word.ends_with("ing")) return std::nullopt;
  std::optional<Lexicon::Entry> entry;
  std::string stem(word.substr(0, word.size() - 3));
  if (word.size() <= 5 || !IsKnown(stem, &entry)) {
    const bool is_doubled =
        word.size() > 5 &&
        (word.ends_with("cking") || (stem.back() == stem[stem.size() - 2] &&
                                     std::string_view("bcdgklmnprstvxz").find(stem.back()) != std::string_view::npos));
    const std::string with_e = stem + "e";
    if (IsKnown(with_e, &entry)) {
      stem = with_e;
    } else {
      stem.pop_back();
      if (!is_doubled || !IsKnown(stem, &entry)) return std::nullopt;
    }
  }
  const auto found = Lookup(stem, entry, query);
  if (!found || found->phonemes.empty()) return std::nullopt;
  std::string phonemes = AddIng(found->phonemes);
  if (phonemes.empty()) return std::nullopt;
  return Pronunciation{std::move(phonemes), Source::kStem};
}

Pronouncer::Found Pronouncer::Word(std::string_view word, const Query& query) const {
  if (auto special = SpecialWord(word, query)) return special;
  auto entry = lexicon_.FindGrown(word);
  std::string lower;
  const auto letters_only = [](std::string_view w) {
    bool any = false;
    for (const char c : w) {
      if (c == '\'') continue;
      if (!IsAsciiLetter(Byte(c))) return false;
      any = true;
    }
    return any;
  };
  Query ing_query = query;
  if (!ing_query.stress) ing_query.stress = 0.5;
  if (word.size() > 1 && !EqualsLower(word) && letters_only(word) &&
      (query.tag != Tag::kNNP || word.size() > kSureAcronymLetters) &&
      (EqualsUpper(word) || EqualsLower(word.substr(1))) && !entry) {
    lower = text::ToLower(word);
    entry = lexicon_.FindGrown(lower);
    if (entry || StemS(lower, query) || StemEd(lower, query) || StemIng(lower, query)) word = lower;
  }
  if (entry || IsKnownWithoutEntry(word)) return Lookup(word, entry, query);
  if (word.ends_with("s'")) {
    const std::string possessive = std::string(word.substr(0, word.size() - 2)) + "'s";
    if (IsKnown(possessive, &entry)) return Lookup(possessive, entry, query);
  }
  if (word.ends_with('\'') && IsKnown(word.substr(0, word.size() - 1), &entry)) {
    return Lookup(word.substr(0, word.size() - 1), entry, query);
  }
  if (auto found = StemS(word, query)) return found;
  if (auto found = StemEd(word, query)) return found;
  return StemIng(word, ing_query);
}

Pronouncer::Found Pronouncer::Plural(std::string_view unit) const {
  return StemS(std::string(unit) + "s", {Tag::kNone, std::nullopt, nullptr});
}

std::optional<Pronunciation> Pronouncer::Pronounce(const WordRequest& request, const Context& context) const {
  std::string normalized;
  std::string_view word = request.text;
  if (!IsAscii(word)) {
    normalized = std::string(word);
    ReplaceAll("\u2018", "'", &normalized);
    ReplaceAll("\u2019", "'", &normalized);
    const std::string nfkc = text::ToNfkc(normalized);
    normalized.clear();
    for (size_t position = 0; const auto c = DecodeUtf8(nfkc, &position);) {
      const int digit = text::DigitValue(*c);
      if (digit >= 0) {
        normalized += std::to_string(digit);
      } else {
        AppendUtf8(*c, &normalized);
      }
    }
    word = normalized;
    if (!IsAscii(word)) return std::nullopt;  // the dictionaries and rules below are ASCII
  }
  if (word.empty()) return std::nullopt;
  Query query{request.tag, std::nullopt, &context};
  if (!EqualsLower(word)) query.stress = EqualsUpper(word) ? 2 : 0.5;
  Found found;
  // No key, ending or special word is longer than a key and what an ending adds; acronyms are.
  if (auto spoken = Word(word, query)) {
    static constexpr std::array<const char*, 4> kUnits = {"", "dollar", "pound", "euro"};
    if (request.currency != Currency::kNone) {
      const auto unit = Plural(kUnits[static_cast<size_t>(request.currency)]);
      if (unit) spoken->phonemes += " " + unit->phonemes;
    }
    found = std::move(spoken);
  } else if (const std::string ordinal = misaki_quirks_ ? "" : LowerOrdinal(word); !ordinal.empty()) {
    found = Number(ordinal, request);
  } else if (IsNumber(word, request.is_head)) {
    found = Number(word, request);
  }
  if (found && request.stress) found->phonemes = ApplyStress(std::move(found->phonemes), *request.stress);
  return found;
}

}  // namespace koe::g2p::en
