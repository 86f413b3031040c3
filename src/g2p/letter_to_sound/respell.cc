// SPDX-License-Identifier: Apache-2.0
#include "g2p/letter_to_sound/respell.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"
#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe::g2p::letter_to_sound {
namespace {

struct Spelling {
  char32_t letter;  // lower case
  std::string_view plain, respelled;
};

// Letters that sound otherwise than their base letter would, and those without a decomposition.
constexpr Spelling kSpellings[] = {
    {U'\u00DF', "ss", "ss"}, {U'\u00E4', "a", "a"},  {U'\u00E5', "a", "o"},  {U'\u00E6', "ae", "ae"},
    {U'\u00E7', "c", "s"},   {U'\u00EF', "i", "ee"}, {U'\u00F0', "d", "th"}, {U'\u00F1', "n", "ny"},
    {U'\u00F6', "o", "u"},   {U'\u00F8', "o", "u"},  {U'\u00FC', "u", "ue"}, {U'\u00FE', "th", "th"},
    {U'\u0107', "c", "ch"},  {U'\u010D', "c", "ch"}, {U'\u0111', "d", "d"},  {U'\u0119', "e", "en"},
    {U'\u011B', "e", "ye"},  {U'\u011F', "g", ""},   {U'\u0131', "i", "i"},  {U'\u0142', "l", "w"},
    {U'\u0144', "n", "ny"},  {U'\u0148', "n", "ny"}, {U'\u0153', "oe", "u"}, {U'\u0159', "r", "rzh"},
    {U'\u015B', "s", "sh"},  {U'\u015F', "s", "sh"}, {U'\u0161', "s", "sh"}, {U'\u0219', "s", "sh"},
    {U'\u0163', "t", "ts"},  {U'\u021B', "t", "ts"}, {U'\u017A', "z", "zh"}, {U'\u017C', "z", "zh"},
    {U'\u017E', "z", "zh"},
};

struct Name {
  char32_t symbol;
  std::string_view words;
};

constexpr Name kNames[] = {
    {U'#', "hash"},
    {U'$', "dollars"},
    {U'%', "percent"},
    {U'&', "and"},
    {U'+', "plus"},
    {U'/', "slash"},
    {U'=', "equals"},
    {U'@', "at"},
    {U'\u00A2', "cents"},
    {U'\u00A3', "pounds"},
    {U'\u00A5', "yen"},
    {U'\u00A7', "section"},
    {U'\u00B0', "degrees"},
    {U'\u00B1', "plus or minus"},
    {U'\u00BC', "a quarter"},
    {U'\u00BD', "a half"},
    {U'\u00BE', "three quarters"},
    {U'\u00D7', "times"},
    {U'\u00F7', "divided by"},
    {U'\u2153', "a third"},
    {U'\u2154', "two thirds"},
    {U'\u2155', "a fifth"},
    {U'\u215B', "an eighth"},
    {U'\u215C', "three eighths"},
    {U'\u215D', "five eighths"},
    {U'\u215E', "seven eighths"},
    {U'\u20AC', "euros"},
    {U'\u20B9', "rupees"},
    {U'\u2190', "left arrow"},
    {U'\u2192', "right arrow"},
    {U'\u2248', "approximately"},
    {U'\u2264', "less or equal to"},
    {U'\u2265', "greater or equal to"},
};

// From U+03B1; the final sigma is the sigma.
constexpr std::string_view kGreek[] = {
    "alpha", "beta",    "gamma", "delta", "epsilon", "zeta",  "eta", "theta",   "iota", "kappa", "lambda", "mu",   "nu",
    "xi",    "omicron", "pi",    "rho",   "sigma",   "sigma", "tau", "upsilon", "phi",  "chi",   "psi",    "omega"};

std::string_view NameOf(char32_t c) {
  const auto* found = std::find_if(std::begin(kNames), std::end(kNames), [&](const Name& n) { return n.symbol == c; });
  if (found != std::end(kNames)) return found->words;
  if (c == U'\u2126') return "omega";
  const char32_t lower = text::ToLower(c);
  if (lower >= U'\u03B1' && lower <= U'\u03C9') return kGreek[lower - U'\u03B1'];
  return {};
}

// Appends the letter in both spellings; false where it has no Latin form.
bool AddLetter(char32_t c, Piece* word) {
  const char32_t lower = text::ToLower(c);
  const bool is_upper = lower != c;
  const auto add = [is_upper](std::string_view from, std::string* to) {
    for (size_t i = 0; i < from.size(); ++i) {
      const auto u = static_cast<unsigned char>(from[i]);
      to->push_back(is_upper && i == 0 && text::IsAsciiLower(u) ? static_cast<char>(u ^ 0x20) : from[i]);
    }
  };
  const auto* found =
      std::find_if(std::begin(kSpellings), std::end(kSpellings), [&](const Spelling& s) { return s.letter == lower; });
  if (found != std::end(kSpellings)) {
    add(found->plain, &word->text);
    add(found->respelled, &word->respelled);
    return true;
  }
  std::string utf8, letters;
  AppendUtf8(lower, &utf8);
  const std::string decomposed = text::ToNfkd(utf8);
  for (const char32_t d : text::CodePoints(decomposed)) {
    if (text::IsCombiningMark(d)) continue;
    const char32_t base = text::ToLower(d);
    if (!text::IsAsciiLower(base)) return false;
    letters.push_back(static_cast<char>(base));
  }
  if (letters.empty()) return false;
  add(letters, &word->text);
  add(letters, &word->respelled);
  return true;
}

}  // namespace

std::vector<Piece> SplitUnknown(std::string_view text) {
  std::vector<Piece> pieces;
  const auto open = [&pieces](Piece::Kind kind) -> Piece& {
    if (pieces.empty() || pieces.back().kind != kind || kind == Piece::Kind::kName || kind == Piece::Kind::kMark) {
      pieces.push_back({kind, "", ""});
    }
    return pieces.back();
  };
  bool joins = false;  // the last character was an apostrophe or, in a number, a comma or a dot
  char32_t joint = 0;
  const auto close_joint = [&] {
    if (joins && joint != U'\'') open(Piece::Kind::kMark).text.push_back(static_cast<char>(joint));
    joins = false;
  };
  for (size_t position = 0; position < text.size();) {
    char32_t c = DecodeUtf8(text, &position).value_or(0);
    if (c == 0) break;
    if (c == U'\u2018' || c == U'\u2019') c = U'\'';
    if (text::IsCombiningMark(c) || c == U'\u00AD') continue;  // a soft hyphen is not seen, so not heard
    const Piece::Kind last = pieces.empty() ? Piece::Kind::kGap : pieces.back().kind;
    if (!joins &&
        ((c == U'\'' && last == Piece::Kind::kWord) || ((c == U',' || c == U'.') && last == Piece::Kind::kNumber))) {
      joins = true;
      joint = c;
      continue;
    }
    const int digit = text::DigitValue(c);
    if (digit >= 0) {
      if (joins && joint != U'\'') {
        pieces.back().text.push_back(static_cast<char>(joint));
        joins = false;
      }
      close_joint();
      open(Piece::Kind::kNumber).text += std::to_string(digit);
      continue;
    }
    const bool joins_word = joins && joint == U'\'';
    Piece letter{Piece::Kind::kWord, "", ""};
    const std::string_view name = NameOf(c);
    if (name.empty() && text::IsLetter(c) && AddLetter(c, &letter)) {
      if (!joins_word) close_joint();
      joins = false;
      Piece& word = open(Piece::Kind::kWord);
      if (joins_word) {
        word.text.push_back('\'');
        word.respelled.push_back('\'');
        word.lower.push_back('\'');
      }
      word.text += letter.text;
      AppendUtf8(text::ToLower(c), &word.lower);
      if (word.ends_in_ay && c == U'e') continue;  // a final "ee" with an accent sounds as one
      if (word.ends_in_ay) word.respelled.pop_back();
      word.respelled += letter.respelled;
      word.ends_in_ay = text::ToLower(c) == U'\u00E9';
      if (word.ends_in_ay) word.respelled.push_back('e');
      continue;
    }
    close_joint();
    if (!name.empty()) {
      open(Piece::Kind::kName).text = name;
    } else if (IsPhraseMark(c)) {
      AppendUtf8(c, &open(Piece::Kind::kMark).text);
    } else {
      open(c == U'-' || c == U'\u2010' || c == U'\u2011' ? Piece::Kind::kHyphen : Piece::Kind::kGap);
    }
  }
  close_joint();
  return pieces;
}

std::vector<std::string_view> SplitCamelCase(std::string_view word) {
  std::vector<std::string_view> parts;
  const auto is_upper = [&](size_t i) { return text::IsAsciiUpper(static_cast<unsigned char>(word[i])); };
  const auto is_lower = [&](size_t i) { return text::IsAsciiLower(static_cast<unsigned char>(word[i])); };
  size_t begin = 0;
  for (size_t i = 1; i < word.size(); ++i) {
    const bool starts_part =
        is_upper(i) && (is_lower(i - 1) || (i + 1 < word.size() && is_upper(i - 1) && is_lower(i + 1)));
    if (!starts_part) continue;
    parts.push_back(word.substr(begin, i - begin));
    begin = i;
  }
  parts.push_back(word.substr(begin));
  return parts;
}

}  // namespace koe::g2p::letter_to_sound
