// SPDX-License-Identifier: Apache-2.0
// misaki's G2P.__call__ and resolve_tokens (en.py, 0.9.4; Apache-2.0).
#include "g2p/en/phonemizer.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <tuple>

#include "base/utf8.h"
#include "g2p/phonemes.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

// Characters that say nothing by themselves inside a group.
bool IsJunk(char32_t c) {
  return c == '\'' || c == ',' || c == '-' || c == '.' || c == '_' || c == U'\u2018' || c == U'\u2019' || c == '/';
}

bool AllJunk(std::string_view text) {
  for (const char32_t c : text::CodePoints(text)) {
    if (!IsJunk(c)) return false;
  }
  return true;
}

void UpdateContext(std::string_view phonemes, std::string_view text, Tag tag, Context* context) {
  for (const char32_t c : text::CodePoints(phonemes)) {
    const PhonemeClass phoneme_class = ClassOf(c);
    if (phoneme_class == PhonemeClass::kOther) continue;
    context->next = phoneme_class == PhonemeClass::kVowel       ? Context::Next::kVowel
                    : phoneme_class == PhonemeClass::kConsonant ? Context::Next::kConsonant
                                                                : Context::Next::kNothing;
    break;
  }
  context->next_is_to = text == "to" || text == "To" || (text == "TO" && (tag == Tag::kTO || tag == Tag::kIN));
}

// Pieces joined as one word. Owns the text only where the pieces do not lie side by side.
struct Joined {
  std::string owned;
  WordRequest request;
};

Joined Join(const Piece* first, const Piece* last) {
  Joined joined;
  WordRequest& request = joined.request;
  bool is_contiguous = true;
  for (const Piece* piece = first; piece + 1 < last; ++piece) {
    is_contiguous = is_contiguous && piece[1].begin == piece->end + (piece->space_after ? 1 : 0);
  }
  if (is_contiguous) {
    request.text = {first->text.data(), (last - 1)->end - first->begin};
  } else {
    for (const Piece* piece = first; piece != last; ++piece) {
      joined.owned += piece->text;
      if (piece->space_after && piece + 1 != last) joined.owned += ' ';
    }
    request.text = joined.owned;
  }
  request.tag = last - first == 1 ? first->tag : DominantTag(first, last);
  request.is_head = first->is_head;
  // The pieces of a group come from tokens that may be marked differently; disagreement means no stress.
  bool agrees = true;
  for (const Piece* piece = first; piece != last; ++piece) {
    request.currency = std::max(request.currency, piece->currency);
    if (request.number_flags.empty()) request.number_flags = piece->number_flags;
    if (!piece->stress) continue;
    if (request.stress && *request.stress != *piece->stress) agrees = false;
    request.stress = piece->stress;
  }
  if (!agrees) request.stress.reset();
  return joined;
}

// Which spans of a group can be a word at all. Without it a long group of pieces that nothing knows would be looked up
// in every combination.
class SpanFilter {
 public:
  SpanFilter(const Lexicon& lexicon, const Piece* pieces, size_t count)
      : lexicon_(lexicon), pieces_(pieces), shapes_(count), reach_(count, kUnknownReach) {
    for (size_t i = 0; i < count; ++i) shapes_[i] = ShapeOf(pieces[i].text);
  }

  // The leftmost `left` for which [left, right) is worth a look-up; right - 1 at most.
  size_t LeftmostStart(size_t right) const {
    size_t word = right, number = right, dotted = right, bytes = 0;
    while (word > 0 && shapes_[word - 1].test(kWordChars) && WithinKey(word, &bytes)) --word;
    bytes = 0;
    size_t suffix_bytes = 0;
    while (number > 0 && shapes_[number - 1].test(kWordChars) &&
           suffix_bytes + pieces_[number - 1].text.size() <= kMaxSuffixBytes) {
      suffix_bytes += pieces_[--number].text.size();
    }
    while (number > 0 && shapes_[number - 1].test(kNumberChars) && WithinKey(number, &bytes)) --number;
    DottedLetters letters;
    while (dotted > 0 && shapes_[dotted - 1].test(kDotted) && right - dotted < kMaxDottedPieces &&
           letters.Add(pieces_[dotted - 1].text)) {
      --dotted;
    }
    if (!letters.has_inner_dot()) dotted = right;
    return std::min({word, number, dotted, right - 1});
  }

  // Whether a span of letters is short enough for what the dictionary has with its beginning; spans with a digit,
  // dotted letters and single pieces always are. Asked only in long groups, where it pays.
  bool MayBeWord(size_t left, size_t right) {
    if (right - left == 1 || shapes_.size() <= kShortGroup) return true;
    bool is_dotted = true, is_word = true;
    DottedLetters letters;
    for (size_t i = left; i < right; ++i) {
      if (shapes_[i].test(kDigits)) return true;
      is_word = is_word && shapes_[i].test(kWordChars);
      is_dotted = is_dotted && shapes_[i].test(kDotted) && letters.Add(pieces_[i].text);
    }
    if (is_dotted && letters.has_inner_dot()) return true;
    if (!is_word) return false;  // commas without a digit
    const char* begin = pieces_[left].text.data();
    const size_t size = pieces_[right - 1].end - pieces_[left].begin;
    if (reach_[left] == kUnknownReach) reach_[left] = Reach({begin, std::min(size_t{kMaxSpanBytes}, RestOf(left))});
    return size <= reach_[left] + kLongestEnding;
  }

 private:
  enum Shape : size_t { kWordChars, kNumberChars, kDigits, kDotted, kNumShapes };
  using Shapes = std::bitset<kNumShapes>;
  static constexpr size_t kMaxSpanBytes = 72;  // a key and the longest ending
  static constexpr size_t kMaxDottedPieces = 256;
  static constexpr size_t kMaxSuffixBytes = 3;  // ing, 'd
  static constexpr size_t kLongestEnding = 4;   // ing after a doubled letter
  static constexpr size_t kShortGroup = 8;
  static constexpr size_t kUnknownReach = static_cast<size_t>(-1);

  size_t RestOf(size_t left) const { return pieces_[shapes_.size() - 1].end - pieces_[left].begin; }

  // How far from its start the text agrees with some key in any of the cases that are looked up. Dots are their own
  // rule; capitals throughout are letters to be spelled.
  size_t Reach(std::string_view text) const {
    if (!text::IsAscii(text)) return text.size();
    size_t capitals = 1;
    while (capitals < text.size() && !text::IsAsciiLower(static_cast<unsigned char>(text[capitals]))) ++capitals;
    std::string lower = text::ToLower(text);
    size_t reach = std::max({capitals, lexicon_.LongestSharedPrefix(text), lexicon_.LongestSharedPrefix(lower)});
    if (text::IsAsciiLower(static_cast<unsigned char>(lower[0]))) lower[0] = static_cast<char>(lower[0] ^ 0x20);
    return std::max(reach, lexicon_.LongestSharedPrefix(lower));
  }

  // "U.S.", "a.m": groups of at most two letters, with a dot between two of them. From either end.
  class DottedLetters {
   public:
    // false: no longer.
    bool Add(std::string_view piece) {
      if (piece == ".") {
        has_dot_after_letters_ = has_dot_after_letters_ || has_letters_;
        group_ = 0;
        return true;
      }
      has_letters_ = true;
      has_inner_dot_ = has_inner_dot_ || has_dot_after_letters_;
      group_ += piece.size();
      return group_ <= 2;
    }
    bool has_inner_dot() const { return has_inner_dot_; }

   private:
    size_t group_ = 0;
    bool has_letters_ = false, has_dot_after_letters_ = false, has_inner_dot_ = false;
  };

  bool WithinKey(size_t next, size_t* bytes) const {
    *bytes += pieces_[next - 1].text.size();
    return *bytes <= kMaxSpanBytes;
  }

  static Shapes ShapeOf(std::string_view text) {
    std::string normalized;
    if (!text::IsAscii(text)) {
      normalized = std::string(text);
      ReplaceAll("\u2018", "'", &normalized);
      ReplaceAll("\u2019", "'", &normalized);
      normalized = text::ToNfkc(normalized);
      // Superscripts become digits in NFKC; other digits are turned into ASCII ones later.
      for (const char32_t c : text::CodePoints(normalized)) {
        if (c >= 0x80 && text::DigitValue(c) < 0) return {};
      }
      return Shapes().set(kWordChars).set(kNumberChars).set(kDigits);
    }
    Shapes shapes;
    shapes.set().reset(kDigits);
    for (const char c : text) {
      const auto u = static_cast<unsigned char>(c);
      const bool is_letter = text::IsAsciiLetter(u), is_digit = text::IsAsciiDigit(u);
      if (!is_letter && c != '\'' && c != '-' && c != '.') shapes.reset(kWordChars);
      if (is_digit) shapes.set(kDigits);
      if (!is_digit && c != ',' && c != '-' && c != '.') shapes.reset(kNumberChars);
      if (!is_letter && c != '.') shapes.reset(kDotted);
    }
    if (text.size() > 2) shapes.reset(kDotted);
    return shapes;
  }

  const Lexicon& lexicon_;
  const Piece* pieces_;
  std::vector<Shapes> shapes_;
  std::vector<size_t> reach_;  // by first piece
};

// Decides what is silent, what stands apart and which parts lose their stress ("COVID-19" apart, "high-contrast" as
// one).
void ResolveGroup(Piece* pieces, size_t count) {
  bool is_separate = false;
  std::array<bool, 3> classes{};
  for (size_t i = 0; i < count; ++i) {
    for (const char32_t c : text::CodePoints(pieces[i].text)) {
      if (c == ' ' || c == '/') is_separate = true;
      if (!IsJunk(c)) classes[text::IsLetter(c) ? 0 : (text::IsAsciiDigit(c) ? 1 : 2)] = true;
    }
    if (i + 1 < count && pieces[i].space_after) {
      is_separate = true;
      classes[2] = true;
    }
  }
  if (std::count(classes.begin(), classes.end(), true) > 1) is_separate = true;
  for (size_t i = 0; i < count; ++i) {
    Piece& piece = pieces[i];
    if (!piece.has_phonemes) {
      size_t position = 0;
      const auto c = DecodeUtf8(piece.text, &position);
      const bool is_mark = c && position == piece.text.size() && IsPhraseMark(*c);
      if (i + 1 == count && is_mark) {
        piece.phonemes = std::string(piece.text);
        piece.has_phonemes = true;
        piece.source = Source::kPunctuation;
      } else if (AllJunk(piece.text)) {
        piece.has_phonemes = true;
      }
    } else if (i > 0) {
      piece.is_separate = is_separate;
    }
  }
  if (is_separate) return;
  std::vector<std::tuple<bool, size_t, size_t>> parts;  // has a primary stress, weight, index
  for (size_t i = 0; i < count; ++i) {
    const std::string& phonemes = pieces[i].phonemes;
    if (!phonemes.empty()) parts.emplace_back(HasPrimaryStress(phonemes), StressWeight(phonemes), i);
  }
  const auto demote = [&](size_t i) { pieces[i].phonemes = ApplyStress(std::move(pieces[i].phonemes), -0.5); };
  if (parts.size() == 2 && CountCodePoints(pieces[std::get<2>(parts[0])].text) == 1) {
    demote(std::get<2>(parts[1]));
    return;
  }
  const auto num_stressed = static_cast<size_t>(
      std::count_if(parts.begin(), parts.end(), [](const auto& part) { return std::get<0>(part); }));
  if (parts.size() < 2 || num_stressed <= (parts.size() + 1) / 2) return;
  std::sort(parts.begin(), parts.end());
  for (size_t i = 0; i < parts.size() / 2; ++i) demote(std::get<2>(parts[i]));
}

// misaki knows "+'" as the possessive of a symbol, and then has no sound for it.
bool IsLostSymbol(const Piece& symbol, const Piece& apostrophe) {
  const std::string_view s = symbol.text, a = apostrophe.text;
  return (s == "%" || s == "&" || s == "+" || s == "@") && (a == "'" || a == "\u2018" || a == "\u2019");
}

class UnitPronouncer {
 public:
  UnitPronouncer(const Pronouncer& pronouncer, const Fallback& fallback)
      : pronouncer_(pronouncer), fallback_(fallback) {}

  void Single(Piece* piece) {
    if (!piece->has_phonemes) {
      Joined joined = Join(piece, piece + 1);
      if (piece->reads_as_to) joined.request.text = "to";
      Take(pronouncer_.Pronounce(joined.request, context_), piece);
      if (!piece->has_phonemes) UseFallback(piece->text, piece);
    }
    UpdateContext(piece->phonemes, piece->text, piece->tag, &context_);
  }

  void Group(Piece* pieces, size_t count) {
    SpanFilter filter(pronouncer_.lexicon(), pieces, count);
    size_t right = count;
    while (right > 0) {
      bool found = false;
      for (size_t left = filter.LeftmostStart(right); left < right && !found; ++left) {
        if (!filter.MayBeWord(left, right)) continue;
        Joined joined = Join(pieces + left, pieces + right);
        auto spoken = pronouncer_.Pronounce(joined.request, context_);
        if (!spoken) continue;
        UpdateContext(spoken->phonemes, joined.request.text, joined.request.tag, &context_);
        const Source source = spoken->source;
        Take(std::move(spoken), pieces + left);
        for (size_t i = left + 1; i < right; ++i) {
          pieces[i].has_phonemes = true;
          pieces[i].source = source;
        }
        right = left;
        found = true;
      }
      if (found) continue;
      if (right >= 2 && pronouncer_.misaki_quirks() && IsLostSymbol(pieces[right - 2], pieces[right - 1])) {
        for (size_t i = right - 2; i < right; ++i) pieces[i].has_phonemes = true;
        context_.next_is_to = false;
        right -= 2;
        continue;
      }
      Piece& piece = pieces[--right];
      if (AllJunk(piece.text)) {
        piece.has_phonemes = true;
      } else {
        const Joined whole = Join(pieces, pieces + count);
        for (size_t i = 0; i < count; ++i) {
          pieces[i].phonemes.clear();
          pieces[i].has_phonemes = true;
          pieces[i].source = Source::kNone;
        }
        UseFallback(whole.request.text, pieces);
        return;  // the context stays what the parts already done have made it
      }
    }
    ResolveGroup(pieces, count);
  }

 private:
  static void Take(std::optional<Pronunciation> spoken, Piece* piece) {
    if (!spoken) return;
    piece->has_phonemes = true;
    piece->phonemes = std::move(spoken->phonemes);
    piece->source = spoken->source;
    piece->confidence = spoken->confidence;
  }
  void UseFallback(std::string_view text, Piece* piece) { Take(fallback_.Pronounce(text), piece); }

  const Pronouncer& pronouncer_;
  const Fallback& fallback_;
  Context context_;
};

}  // namespace

std::vector<SpokenWord> PronounceUnits(const Pronouncer& pronouncer, const Fallback& fallback, Units units) {
  UnitPronouncer unit_pronouncer(pronouncer, fallback);
  for (size_t u = units.units.size(); u-- > 0;) {
    const Unit& unit = units.units[u];
    if (unit.count == 1) {
      unit_pronouncer.Single(&units.pieces[unit.first]);
    } else {
      unit_pronouncer.Group(&units.pieces[unit.first], unit.count);
    }
  }
  std::vector<SpokenWord> words;
  words.reserve(units.units.size());
  for (const Unit& unit : units.units) {
    Piece* first = &units.pieces[unit.first];
    const Piece* last = first + unit.count;
    SpokenWord word{
        first->begin, (last - 1)->end,        unit.count == 1 ? first->tag : DominantTag(first, last), Source::kNone, 1,
        "",           (last - 1)->space_after};
    for (const Piece* piece = first; piece != last; ++piece) {
      if (piece->is_separate && !piece->phonemes.empty() && !word.phonemes.empty() && !word.phonemes.ends_with(' ')) {
        word.phonemes += ' ';
      }
      word.phonemes += piece->phonemes;
      word.source = std::max(word.source, piece->source);
      word.confidence = std::min(word.confidence, piece->confidence);
    }
    // The model's symbols for the American tap and the glottal stop (misaki without a version).
    ReplaceAll("ɾ", "T", &word.phonemes);
    ReplaceAll("ʔ", "t", &word.phonemes);
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace koe::g2p::en
