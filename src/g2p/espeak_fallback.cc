// SPDX-License-Identifier: Apache-2.0
#include "g2p/espeak_fallback.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "base/utf8.h"
#include "g2p/espeak_library.h"
#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe::g2p {
namespace {

constexpr const char* kAmericanVoice = "gmw/en-US";
constexpr const char* kBritishVoice = "gmw/en";
// Agreement with what people write in a dictionary is not measured for espeak-ng; this says "a guess by rules".
constexpr float kConfidence = 0.5f;

bool IsMark(char32_t c) { return std::u32string_view(U";:,.!?¡¿—…\"«»“”(){}[]").find(c) != std::u32string_view::npos; }

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string Trim(std::string_view text) {
  size_t begin = text.size(), end = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    if (text::IsSpace(text::NextCodePoint(text, &at))) continue;
    begin = std::min(begin, start);
    end = at;
  }
  return begin < end ? std::string(text.substr(begin, end - begin)) : "";
}

// Text cut at runs of marks with the white space around them: words and marks by turns, words first (maybe empty).
std::vector<std::string> CutAtMarks(std::string_view text) {
  std::vector<std::string> parts(1);
  size_t spaces = 0;  // at the end of the last part
  bool in_marks = false;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = text::NextCodePoint(text, &at);
    const std::string_view bytes = text.substr(begin, at - begin);
    if (IsMark(c)) {
      if (!in_marks) {
        std::string& words = parts.back();
        const std::string before = words.substr(words.size() - spaces);  // white space goes with the marks
        words.resize(words.size() - spaces);
        parts.push_back(before);
        in_marks = true;
      }
      parts.back() += bytes;
      spaces = 0;
    } else if (text::IsSpace(c)) {
      parts.back() += bytes;
      spaces += bytes.size();
    } else {
      if (in_marks) {
        parts.emplace_back();
        in_marks = false;
      }
      parts.back() += bytes;
      spaces = 0;
    }
  }
  return parts;
}

}  // namespace

std::string KokoroFromEspeak(std::string ipa, bool british, bool misaki_quirks) {
  using Pair = std::pair<const char*, const char*>;
  // Longest first, and of the same length in this order.
  static constexpr std::array<Pair, 20> kBoth = {
      {{"ʔˌn\u0329", "ʔn"}, {"ʔn\u0329", "ʔn"}, {"a^ɪ", "I"}, {"a^ʊ", "W"}, {"d^ʒ", "ʤ"}, {"e^ɪ", "A"},  {"t^ʃ", "ʧ"},
       {"ɔ^ɪ", "Y"},        {"ə^l", "ᵊl"},      {"ʲo", "jo"}, {"ʲə", "jə"}, {"e", "A"},   {"ʲ", ""},     {"ɚ", "əɹ"},
       {"r", "ɹ"},          {"x", "k"},         {"ç", "k"},   {"ɐ", "ə"},   {"ɬ", "l"},   {"\u0303", ""}}};
  static constexpr std::array<Pair, 5> kAmerican = {
      {{"o^ʊ", "O"}, {"ɜːɹ", "ɜɹ"}, {"ɜː", "ɜɹ"}, {"ɪə", "iə"}, {"ː", ""}}};
  static constexpr std::array<Pair, 3> kBritish = {{{"e^ə", "ɛː"}, {"iə", "ɪə"}, {"ə^ʊ", "Q"}}};
  static constexpr std::array<Pair, 4> kLast = {{{"o", "ɔ"}, {"ɾ", "T"}, {"ʔ", "t"}, {"^", ""}}};
  const auto replace = [&ipa](const Pair& pair) { ReplaceAll(pair.first, pair.second, &ipa); };
  if (british && !misaki_quirks) {  // before "e" becomes "A"
    ReplaceAll("e^ə", "ɛː", &ipa);
    ReplaceAll("i^ə", "ɪə", &ipa);
  }
  for (const Pair& pair : kBoth) {
    replace(pair);
  }
  // A syllabic mark moves in front of its consonant as a schwa.
  std::string moved;
  for (size_t at = 0, previous = 0; at < ipa.size();) {
    const size_t begin = at;
    const char32_t c = text::NextCodePoint(ipa, &at);
    if (c != U'\u0329') {
      previous = moved.size();
      moved.append(ipa, begin, at - begin);
    } else if (!moved.empty() && previous < moved.size() && !text::IsSpace(text::NextCodePoint(moved, &previous))) {
      size_t last = moved.size() - 1;
      while (last > 0 && (static_cast<unsigned char>(moved[last]) & 0xC0) == 0x80) --last;
      moved.insert(last, "ᵊ");
      previous = moved.size();
    }
  }
  ipa = std::move(moved);
  if (british) {
    for (const Pair& pair : kBritish) replace(pair);
  } else {
    for (const Pair& pair : kAmerican) replace(pair);
  }
  for (const Pair& pair : kLast) replace(pair);
  return ipa;
}

Result<std::unique_ptr<EspeakFallback>> EspeakFallback::Open(Language language, const EspeakOptions& options) {
  const std::string data = options.data.empty() ? Environment("KOE_ESPEAK_DATA") : options.data;
  std::string given = options.library.empty() ? Environment("KOE_ESPEAK_LIBRARY") : options.library;
  std::vector<std::string> names;
  if (!given.empty()) {
    names.push_back(std::move(given));
  } else {
    for (const char* const* name = EspeakLibrary::SystemNames(); *name != nullptr; ++name) names.emplace_back(*name);
  }
  std::string searched;
  for (const std::string& name : names) {
    auto library = EspeakLibrary::Open(name, data);
    if (library) {
      std::unique_ptr<EspeakFallback> fallback(new EspeakFallback(*library, language, options.misaki_quirks));
      const char* voice = language == Language::kBritishEnglish ? kBritishVoice : kAmericanVoice;
      if ((*library)->Phonemes(voice, "a")) return fallback;
      return Error(ErrorCode::kUnsupported, "espeak: '" + name + "': has no voice '" + voice + "'");
    }
    if (library.error().code() != ErrorCode::kNotFound) return library.error();
    searched += (searched.empty() ? "" : "; ") + library.error().message();
  }
  return Error(ErrorCode::kNotFound, "espeak: libespeak-ng: not found (" + searched +
                                         "); install espeak-ng or set KOE_ESPEAK_LIBRARY to its file");
}

std::optional<Pronunciation> EspeakFallback::Pronounce(std::string_view text) const {
  std::string line;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = text::NextCodePoint(text, &at);
    // The library reads up to a NUL, which clean text has not.
    if (c == 0) continue;
    if (c == '\n') {
      line += ' ';
    } else {
      line.append(text.substr(begin, at - begin));
    }
  }
  const std::vector<std::string> parts = CutAtMarks(line);
  std::string ipa;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i % 2 == 1) {
      ipa += parts[i];
      continue;
    }
    if (parts[i].empty()) continue;
    auto spoken = library_->Phonemes(british_ ? kBritishVoice : kAmericanVoice, parts[i]);
    if (!spoken) return std::nullopt;
    // espeak-ng may put underscores between phonemes and two spaces between words.
    std::string words;
    for (const char c : Trim(*spoken)) {
      if (c != '_' && !(c == ' ' && words.ends_with(' '))) words += c;
    }
    ipa += words;
  }
  std::string phonemes = KokoroFromEspeak(Trim(ipa), british_, misaki_quirks_);
  return Pronunciation{std::move(phonemes), Source::kEspeak, kConfidence};
}

const std::string& EspeakFallback::version() const { return library_->version(); }
const std::string& EspeakFallback::library() const { return library_->name(); }

}  // namespace koe::g2p
