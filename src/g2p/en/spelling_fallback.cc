// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <string>

#include "base/utf8.h"
#include "g2p/en/phonemizer.h"
#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

constexpr size_t kLongestAbbreviation = 6;

enum class Kind { kLetters, kDigits, kOther };

Kind KindOf(char32_t c) {
  if (text::IsAsciiLetter(c)) return Kind::kLetters;
  return text::IsAsciiDigit(c) ? Kind::kDigits : Kind::kOther;
}

struct Expansion {
  std::string_view written;
  std::string_view spoken;
};

// Abbreviations the dictionaries lack, in lower case, without their full stop.
constexpr Expansion kAbbreviations[] = {
    {"approx", "approximately"},
    {"apr", "april"},
    {"assn", "association"},
    {"asst", "assistant"},
    {"aug", "august"},
    {"ave", "avenue"},
    {"blvd", "boulevard"},
    {"capt", "captain"},
    {"cm", "centimeters"},
    {"co", "company"},
    {"corp", "corporation"},
    {"dec", "december"},
    {"dept", "department"},
    {"feb", "february"},
    {"ft", "feet"},
    {"govt", "government"},
    {"hrs", "hours"},
    {"inc", "incorporated"},
    {"jan", "january"},
    {"jr", "junior"},
    {"kg", "kilograms"},
    {"km", "kilometers"},
    {"lb", "pound"},
    {"lbs", "pounds"},
    {"lt", "lieutenant"},
    {"ltd", "limited"},
    {"messrs", "messieurs"},
    {"mgr", "manager"},
    {"mins", "minutes"},
    {"mm", "millimeters"},
    {"mph", "miles per hour"},
    {"mt", "mount"},
    {"nov", "november"},
    {"oct", "october"},
    {"oz", "ounces"},
    {"rd", "road"},
    {"sept", "september"},
    {"sgt", "sergeant"},
    {"sr", "senior"},
    {"st", "saint"},
    {"tbsp", "tablespoons"},
    {"tsp", "teaspoons"},
    {"tues", "tuesday"},
    {"thurs", "thursday"},
    {"vol", "volume"},
    {"yrs", "years"},
};

constexpr Expansion kFractions[] = {
    {"\u00BD", "a half"},         {"\u2153", "a third"},       {"\u2154", "two thirds"}, {"\u00BC", "a quarter"},
    {"\u00BE", "three quarters"}, {"\u2155", "a fifth"},       {"\u215B", "an eighth"},  {"\u215C", "three eighths"},
    {"\u215D", "five eighths"},   {"\u215E", "seven eighths"},
};

// Letters of the Latin script without their accents, other digits as ASCII, fractions in words, curly apostrophes
// straight. What has no letter or digit left after that is not spoken.
std::string Fold(std::string_view text) {
  std::string folded;
  for (size_t position = 0; position < text.size();) {
    const size_t begin = position;
    text::NextCodePoint(text, &position);
    const std::string_view original = text.substr(begin, position - begin);
    const auto* fraction = std::find_if(std::begin(kFractions), std::end(kFractions),
                                        [&](const Expansion& e) { return e.written == original; });
    if (fraction != std::end(kFractions)) {
      if (!folded.empty()) folded += KindOf(static_cast<unsigned char>(folded.back())) == Kind::kDigits ? " and " : " ";
      folded += fraction->spoken;
      folded += ' ';
      continue;
    }
    const std::string decomposed = text::ToNfkd(original);
    for (const char32_t c : text::CodePoints(decomposed)) {
      const int digit = text::DigitValue(c);
      if (digit >= 0) {
        folded += std::to_string(digit);
      } else if (c == U'\u2018' || c == U'\u2019') {
        folded += '\'';
      } else if (!text::IsCombiningMark(c)) {
        AppendUtf8(c, &folded);
      }
    }
  }
  return folded;
}

// nullptr: not an abbreviation.
const Expansion* FindAbbreviation(std::string_view text) {
  const std::string_view stem = text.substr(0, text.size() - (text.ends_with('.') ? 1 : 0));
  if (stem.size() > kLongestAbbreviation) return nullptr;
  const std::string lower = text::ToLower(stem);
  const auto* found = std::find_if(std::begin(kAbbreviations), std::end(kAbbreviations),
                                   [&](const Expansion& e) { return e.written == lower; });
  return found == std::end(kAbbreviations) ? nullptr : found;
}

}  // namespace

bool IsAbbreviation(std::string_view text) { return FindAbbreviation(text) != nullptr; }

std::optional<Pronunciation> SpellingFallback::Pronounce(std::string_view text) const {
  std::string folded = text::IsAscii(text) ? std::string(text) : Fold(text);
  std::string spoken;
  if (const Expansion* abbreviation = FindAbbreviation(folded)) folded = abbreviation->spoken;
  const auto add = [&](const std::optional<Pronunciation>& part) {
    if (!part || part->phonemes.empty()) return;
    if (!spoken.empty()) spoken += ' ';
    spoken += part->phonemes;
  };
  WordRequest request;
  for (size_t begin = 0; begin < folded.size();) {
    const Kind kind = KindOf(static_cast<unsigned char>(folded[begin]));
    size_t end = begin + 1;
    while (end < folded.size() && KindOf(static_cast<unsigned char>(folded[end])) == kind) ++end;
    if (kind == Kind::kLetters && end + 1 < folded.size() && folded[end] == '\'' &&
        KindOf(static_cast<unsigned char>(folded[end + 1])) == Kind::kLetters) {
      // An apostrophe inside a word: look the whole up, so that "Zorb's" spells only Zorb.
      while (end < folded.size() &&
             (folded[end] == '\'' || KindOf(static_cast<unsigned char>(folded[end])) == Kind::kLetters)) {
        ++end;
      }
    }
    request.text = std::string_view(folded).substr(begin, end - begin);
    begin = end;
    if (kind == Kind::kOther) continue;
    if (kind == Kind::kDigits || request.text.size() > 1 || request.text == "a") {
      request.tag = request.text == "a" ? Tag::kDT : Tag::kNone;
      if (auto known = pronouncer_->Pronounce(request, Context{})) {
        add(known);
        continue;
      }
    }
    std::string_view letters = request.text;
    const bool has_possessive = letters.ends_with("'s") || letters.ends_with("'S");
    if (has_possessive) letters.remove_suffix(2);
    auto spelled = pronouncer_->SpellLetters(letters);
    if (spelled && has_possessive) spelled->phonemes += pronouncer_->PluralEnding(spelled->phonemes);
    add(spelled);
  }
  if (spoken.empty()) return std::nullopt;
  return Pronunciation{std::move(spoken), Source::kSpelled, 0};
}

}  // namespace koe::g2p::en
