// SPDX-License-Identifier: Apache-2.0
#include "text/chunk_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "text/unicode.h"

namespace koe::text {
namespace {

constexpr std::string_view kAbbreviations[] = {
#include "text/abbreviations.inc"
};
constexpr size_t kMinTailCharacters = 32;
// A longer sentence is worked on in blocks, cut at spaces where there are any, so that scratch memory is bounded.
constexpr size_t kMaxBlockCharacters = 16384;

// What a range holds: code points, each run of white space as one space.
class Characters {
 public:
  // Takes in at most max_characters from range.begin on.
  Characters(std::string_view text, TextRange range, size_t max_characters) {
    for (size_t at = range.begin; at < range.end && characters_.size() < max_characters;) {
      const size_t begin = at;
      const char32_t c = NextCodePoint(text, &at);
      if (at == begin) break;  // U+0000, which no clean text has
      end_ = at;
      if (!IsSpace(c)) {
        characters_.push_back({c, begin});
      } else if (characters_.empty() || characters_.back().c != ' ') {
        characters_.push_back({' ', begin});
      }
    }
  }
  size_t size() const { return characters_.size(); }
  char32_t operator[](size_t i) const { return characters_[i].c; }
  bool IsDigit(size_t i) const { return i < size() && IsDecimalDigit(characters_[i].c); }
  bool IsClauseMark(size_t i) const {
    const char32_t c = characters_[i].c;
    return (c == ',' || c == ';' || c == ':') && !(c != ';' && i > 0 && IsDigit(i - 1) && IsDigit(i + 1));
  }
  size_t Offset(size_t i) const { return i < size() ? characters_[i].offset : end_; }  // bytes of the text
  size_t end() const { return end_; }

 private:
  struct Character {
    char32_t c;
    size_t offset;
  };
  std::vector<Character> characters_;
  size_t end_ = 0;
};

// Characters [begin, end).
struct Span {
  size_t begin;
  size_t end;
  size_t size() const { return end - begin; }
};
using Spans = std::vector<Span>;

Span Trim(const Characters& s, Span span) {
  while (span.begin < span.end && s[span.begin] == ' ') ++span.begin;
  while (span.end > span.begin && s[span.end - 1] == ' ') --span.end;
  return span;
}

void Add(const Characters& s, Span span, Spans* out) {
  span = Trim(s, span);
  if (span.size() > 0) out->push_back(span);
}

class Limit {
 public:
  explicit Limit(const ChunkLimits& limits) : max_characters_(limits.max_characters) {
    per_second_ = kCharactersPerSecond * std::max(0.1, limits.speed);
    max_seconds_ = std::max(0.25, limits.max_seconds);
  }
  bool Fits(size_t characters) const {
    if (max_characters_) return characters <= std::max(size_t{1}, *max_characters_);
    // The seed's estimate never exceeds 900 s nor falls below 0.25 s.
    return std::clamp(static_cast<double>(characters) / per_second_, 0.25, 900.0) <= max_seconds_;
  }
  // Of a word that does not fit.
  size_t PieceCharacters() const {
    return std::max(size_t{1}, static_cast<size_t>(std::floor(max_seconds_ * per_second_)));
  }
  std::optional<size_t> max_characters() const { return max_characters_; }

 private:
  std::optional<size_t> max_characters_;
  double per_second_;
  double max_seconds_;
};

void SplitByWindows(const Characters& s, Span span, size_t window, Spans* out) {
  window = std::max(size_t{1}, window);
  for (span = Trim(s, span); span.size() > window; span = Trim(s, span)) {
    size_t cut = span.begin + window;
    for (size_t i = cut; i > span.begin + window / 2 + 1; --i) {
      if (s[i - 1] != ' ' && !s.IsClauseMark(i - 1)) continue;
      cut = i;
      break;
    }
    Add(s, {span.begin, cut}, out);
    span.begin = cut;
  }
  Add(s, span, out);
}

// Pieces joined as long as they fit; false where one alone does not.
bool Pack(const Characters& s, const Spans& pieces, const Limit& limit, Spans* out) {
  for (const Span& piece : pieces) {
    if (!limit.Fits(piece.size())) return false;
    if (!out->empty() && limit.Fits(piece.end - out->back().begin)) {
      out->back().end = piece.end;
    } else {
      Add(s, piece, out);
    }
  }
  return true;
}

Spans SplitAtClauses(const Characters& s, Span span) {
  Spans pieces;
  size_t begin = span.begin;
  for (size_t i = span.begin; i < span.end; ++i) {
    if (!s.IsClauseMark(i)) continue;
    Add(s, {begin, i + 1}, &pieces);
    begin = i + 1;
  }
  Add(s, {begin, span.end}, &pieces);
  return pieces;
}

void SplitByWords(const Characters& s, Span span, const Limit& limit, Spans* out) {
  bool may_join = false;
  for (size_t begin = span.begin; begin < span.end;) {
    size_t end = begin;
    while (end < span.end && s[end] != ' ') ++end;
    if (may_join && limit.Fits(end - out->back().begin)) {
      out->back().end = end;
    } else if (limit.Fits(end - begin)) {
      Add(s, {begin, end}, out);
      may_join = true;
    } else {
      const size_t piece = limit.PieceCharacters();
      for (size_t i = begin; i < end; i += piece) Add(s, {i, std::min(i + piece, end)}, out);
      may_join = false;
    }
    begin = end + 1;
  }
}

void SplitBlock(const Characters& s, Span span, const Limit& limit, Spans* out) {
  if (limit.Fits(span.size())) {
    Add(s, span, out);
  } else if (limit.max_characters()) {
    SplitByWindows(s, span, *limit.max_characters(), out);
  } else {
    Spans packed;
    if (Pack(s, SplitAtClauses(s, span), limit, &packed)) {
      out->insert(out->end(), packed.begin(), packed.end());
    } else {
      SplitByWords(s, span, limit, out);
    }
  }
}

// Whether the token that ends before `end` is an abbreviation or initials.
bool IsProtectedToken(const Characters& s, size_t end) {
  static constexpr size_t kLongest = 24;  // twelve initials; the table has eight characters at most
  std::string token;
  size_t begin = end;
  while (begin > 0 && s[begin - 1] != ' ') {
    if (end - --begin > kLongest || s[begin] >= 0x80) return false;
  }
  for (size_t i = begin; i < end; ++i) token += static_cast<char>(s[i]);
  if (token.empty() || token.back() != '.') return false;
  if (std::binary_search(std::begin(kAbbreviations), std::end(kAbbreviations), std::string_view(token))) return true;
  for (size_t i = 0; i < token.size(); ++i) {
    if (i % 2 == 0 ? !IsAsciiUpper(static_cast<unsigned char>(token[i])) : token[i] != '.') return false;
  }
  return true;
}

// The last cut in [first, last) that a reader would pause at.
std::optional<size_t> LastSoftBoundary(const Characters& s, size_t first, size_t last) {
  for (size_t i = last; i-- > first;) {
    if (i > 0 && s.IsClauseMark(i - 1)) return i;
    if (i < s.size() && s[i] == ' ' && !IsProtectedToken(s, i)) return i;
  }
  return std::nullopt;
}

// Joins a short piece to the one before it, or moves the cut between them to the left.
Spans FixShortTails(const Characters& s, const Spans& pieces, size_t min, size_t max) {
  Spans fixed;
  for (const Span& piece : pieces) {
    if (fixed.empty() || piece.size() >= min) {
      fixed.push_back(piece);
      continue;
    }
    Span& previous = fixed.back();
    const Span joined{previous.begin, piece.end};
    if (joined.size() <= max) {
      previous = joined;
      continue;
    }
    Span tail = piece;
    const size_t last = joined.begin + std::min(max, joined.size() - min);
    for (size_t end = last; end > joined.begin + min;) {
      const auto cut = LastSoftBoundary(s, joined.begin + min, end);
      if (!cut) break;
      const Span moved = Trim(s, {*cut, joined.end});
      if (moved.size() >= min && moved.size() <= max) {
        previous = Trim(s, {joined.begin, *cut});
        tail = moved;
        break;
      }
      end = *cut;
    }
    fixed.push_back(tail);
  }
  return fixed;
}

}  // namespace

bool FitsLimits(std::string_view text, const ChunkLimits& limits) {
  return Limit(limits).Fits(Characters(text, {0, text.size()}, text.size()).size());
}

std::vector<TextRange> ChunkText(std::string_view text, const ChunkLimits& limits) {
  const Limit limit(limits);
  std::vector<TextRange> chunks;
  for (TextRange sentence : SplitSentences(text)) {
    while (sentence.begin < sentence.end) {
      const Characters s(text, sentence, kMaxBlockCharacters);
      size_t count = s.size();
      if (s.end() < sentence.end) {
        while (count > 0 && s[count - 1] != ' ') --count;
        if (count == 0) count = s.size();
      }
      if (count == 0) break;
      Spans spans;
      SplitBlock(s, Trim(s, {0, count}), limit, &spans);
      for (const Span& span : spans) chunks.push_back({s.Offset(span.begin), s.Offset(span.end)});
      sentence.begin = s.Offset(count);
    }
  }
  return chunks;
}

std::vector<TextRange> SplitForRetry(std::string_view text, TextRange chunk) {
  const Characters s(text, chunk, chunk.end - chunk.begin);
  const Span all = Trim(s, {0, s.size()});
  const size_t n = all.size();
  if (n < 2) return {};
  const size_t max = std::min(n - 1, (n + 1) / 2);
  const size_t min = std::min(kMinTailCharacters, max);

  Spans pieces;
  const size_t begin = s.Offset(all.begin);
  for (const TextRange& sentence : SplitSentences(text.substr(begin, s.Offset(all.end) - begin))) {
    // Both walk the same bytes; a sentence starts at a character.
    Span span{all.begin, all.begin};
    if (!pieces.empty()) span.begin = pieces.back().end;
    while (span.begin < all.end && s.Offset(span.begin) < begin + sentence.begin) ++span.begin;
    span.end = span.begin;
    while (span.end < all.end && s.Offset(span.end) < begin + sentence.end) ++span.end;
    SplitByWindows(s, span, max, &pieces);
  }
  pieces = FixShortTails(s, pieces, min, max);
  std::vector<TextRange> out;
  for (const Span& piece : pieces) out.push_back({s.Offset(piece.begin), s.Offset(piece.end)});
  return out;
}

}  // namespace koe::text
