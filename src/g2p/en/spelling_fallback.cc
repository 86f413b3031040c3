// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "base/utf8.h"
#include "g2p/en/phonemizer.h"
#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

enum class Kind { kLetters, kDigits, kOther };

Kind KindOf(char32_t c) {
  if (text::IsAsciiLetter(c)) return Kind::kLetters;
  return text::IsAsciiDigit(c) ? Kind::kDigits : Kind::kOther;
}

// Letters of the Latin script without their accents, other digits as ASCII, curly apostrophes straight: what has no
// letter name left after that is not spoken.
std::string Fold(std::string_view text) {
  std::string folded;
  const std::string decomposed = text::ToNfkd(text);
  for (size_t position = 0; const auto c = DecodeUtf8(decomposed, &position);) {
    const int digit = text::DigitValue(*c);
    if (digit >= 0) {
      folded += std::to_string(digit);
    } else if (*c == U'\u2018' || *c == U'\u2019') {
      folded += '\'';
    } else if (!text::IsCombiningMark(*c)) {
      AppendUtf8(*c, &folded);
    }
  }
  return folded;
}

}  // namespace

std::optional<std::string> SpellingFallback::Pronounce(std::string_view text) const {
  const std::string folded = text::IsAscii(text) ? std::string(text) : Fold(text);
  std::string spoken;
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
    if (request.text.size() > 1) {
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
  return spoken;
}

}  // namespace koe::g2p::en
