// SPDX-License-Identifier: Apache-2.0
#include "g2p/phonemes.h"

#include <array>
#include <optional>

#include "base/utf8.h"
#include "text/unicode.h"

namespace koe::g2p {
namespace {

constexpr std::u32string_view kVowels = U"AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ";
constexpr std::u32string_view kConsonants = U"bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ";
constexpr std::u32string_view kPhraseMarks = U";:,.!?—…";
constexpr std::u32string_view kDouble = U"AIOQWYʤʧ";

bool Contains(std::u32string_view set, char32_t c) { return set.find(c) != std::u32string_view::npos; }

std::optional<size_t> FirstVowel(std::string_view phonemes) {
  for (size_t position = 0; position < phonemes.size();) {
    const size_t begin = position;
    const auto c = DecodeUtf8(phonemes, &position);
    if (!c) return std::nullopt;
    if (IsVowel(*c)) return begin;
  }
  return std::nullopt;
}

}  // namespace

PhonemeClass ClassOf(char32_t c) {
  static constexpr auto kClasses = [] {
    std::array<PhonemeClass, 0x300> classes{};
    for (const char32_t vowel : kVowels) {
      if (vowel < classes.size()) classes[vowel] = PhonemeClass::kVowel;
    }
    for (const char32_t consonant : kConsonants) {
      if (consonant < classes.size()) classes[consonant] = PhonemeClass::kConsonant;
    }
    for (const char32_t mark : kPhraseMarks) {
      if (mark < classes.size()) classes[mark] = PhonemeClass::kPhraseMark;
    }
    return classes;
  }();
  if (c < kClasses.size()) return kClasses[c];
  if (Contains(kVowels, c)) return PhonemeClass::kVowel;
  if (Contains(kConsonants, c)) return PhonemeClass::kConsonant;
  return Contains(kPhraseMarks, c) ? PhonemeClass::kPhraseMark : PhonemeClass::kOther;
}

bool IsVowel(char32_t c) { return ClassOf(c) == PhonemeClass::kVowel; }
bool IsConsonant(char32_t c) { return ClassOf(c) == PhonemeClass::kConsonant; }
bool IsPhraseMark(char32_t c) { return ClassOf(c) == PhonemeClass::kPhraseMark; }
bool IsMark(char32_t c) { return IsPhraseMark(c) || c == U'"' || c == U'\u201C' || c == U'\u201D'; }

bool HasPrimaryStress(std::string_view phonemes) { return phonemes.find(kPrimaryStress) != std::string_view::npos; }

void ReplaceAll(std::string_view from, std::string_view to, std::string* text) {
  size_t position = text->find(from);
  if (position == std::string::npos) return;
  std::string out;
  size_t copied = 0;
  for (; position != std::string::npos; position = text->find(from, copied)) {
    out.append(*text, copied, position - copied);
    out += to;
    copied = position + from.size();
  }
  out.append(*text, copied);
  *text = std::move(out);
}

std::string ApplyStress(std::string phonemes, double level) {
  const bool has_primary = HasPrimaryStress(phonemes);
  const bool has_secondary = phonemes.find(kSecondaryStress) != std::string::npos;
  const auto insert = [&](std::string_view mark) {
    if (const auto vowel = FirstVowel(phonemes)) phonemes.insert(*vowel, mark);
  };
  if (level < -1) {
    ReplaceAll(kPrimaryStress, "", &phonemes);
    ReplaceAll(kSecondaryStress, "", &phonemes);
  } else if (level == -1 || ((level == 0 || level == -0.5) && has_primary)) {
    ReplaceAll(kSecondaryStress, "", &phonemes);
    ReplaceAll(kPrimaryStress, kSecondaryStress, &phonemes);
  } else if ((level == 0 || level == 0.5 || level == 1) && !has_primary && !has_secondary) {
    insert(kSecondaryStress);
  } else if (level >= 1 && !has_primary && has_secondary) {
    ReplaceAll(kSecondaryStress, kPrimaryStress, &phonemes);
  } else if (level > 1 && !has_primary && !has_secondary) {
    insert(kPrimaryStress);
  }
  return phonemes;
}

size_t StressWeight(std::string_view phonemes) {
  size_t weight = 0;
  for (const char32_t c : text::CodePoints(phonemes)) weight += Contains(kDouble, c) ? 2 : 1;
  return weight;
}

}  // namespace koe::g2p
