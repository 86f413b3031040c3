// SPDX-License-Identifier: Apache-2.0
#include "text/segments.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "text/unicode.h"

namespace koe::text {
namespace {

constexpr std::array<std::string_view, 13> kAbbreviations = {"Mr.", "Mrs.", "Ms.", "Dr.",  "Prof.", "Sr.", "Jr.",
                                                             "St.", "No.",  "vs.", "etc.", "e.g.",  "i.e."};
// Longest of the above: how far back from a full stop a token is looked at, so that the scan stays linear.
constexpr size_t kMaxAbbreviationBytes = 5;

bool IsCloser(char32_t c) { return c == ')' || c == '"' || c == '\'' || c == ']' || c == U'\u201D' || c == U'\u2019'; }
bool IsOpener(char32_t c) { return c == '"' || c == '(' || c == '[' || c == U'\u201C' || c == U'\u2018'; }
bool IsAlphanumeric(char32_t c) { return IsWordChar(c) && c != '_'; }

size_t PreviousCodePoint(std::string_view text, size_t position) {
  do {
    --position;
  } while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80);
  return position;
}

char32_t CodePointAt(std::string_view text, size_t position) { return text::NextCodePoint(text, &position); }

// Where the token that ends at `end` starts, looking back no further than an abbreviation is long.
std::string_view ShortTokenEndingAt(std::string_view text, size_t end) {
  size_t begin = end;
  while (begin > 0) {
    const size_t previous = PreviousCodePoint(text, begin);
    if (IsSpace(CodePointAt(text, previous))) break;
    begin = previous;
    if (end - begin > kMaxAbbreviationBytes) return {};
  }
  return text.substr(begin, end - begin);
}

// mark: offset of one of . ! ?
bool IsBoundary(std::string_view text, size_t mark) {
  const size_t after = mark + 1;
  if (after >= text.size()) return true;
  if (mark > 0 && IsAlphanumeric(CodePointAt(text, PreviousCodePoint(text, mark))) &&
      IsAlphanumeric(CodePointAt(text, after))) {
    return false;
  }
  const std::string_view token = ShortTokenEndingAt(text, after);
  if (std::find(kAbbreviations.begin(), kAbbreviations.end(), token) != kAbbreviations.end()) return false;
  size_t next = after;
  bool closing = true;
  char32_t c = 0;
  while (next < text.size()) {
    size_t following = next;
    c = *DecodeUtf8(text, &following);
    closing = closing && IsCloser(c);
    if (!closing && !IsSpace(c)) break;
    next = following;
  }
  if (next >= text.size()) return true;
  if (token.size() == 2 && IsAsciiUpper(static_cast<char32_t>(token[0])) && IsUpper(c)) return false;
  return IsUpper(c) || IsDecimalDigit(c) || IsOpener(c);
}

}  // namespace

TextRange Trim(std::string_view text, TextRange range) {
  while (range.begin < range.end) {
    size_t next = range.begin;
    if (!IsSpace(text::NextCodePoint(text, &next))) break;
    range.begin = next;
  }
  while (range.end > range.begin) {
    const size_t previous = PreviousCodePoint(text, range.end);
    if (!IsSpace(CodePointAt(text, previous))) break;
    range.end = previous;
  }
  return range;
}

std::vector<TextRange> SplitLines(std::string_view text) {
  std::vector<TextRange> lines;
  const TextRange all = Trim(text, {0, text.size()});
  for (size_t begin = all.begin; begin < all.end;) {
    const size_t end = std::min(text.find('\n', begin), all.end);
    const TextRange trimmed = Trim(text, {begin, end});
    if (trimmed.begin < trimmed.end) lines.push_back({begin, end});
    begin = end + 1;
  }
  return lines;
}

bool SentenceEndsBefore(std::string_view text, size_t end) {
  while (end > 0) {
    const size_t previous = PreviousCodePoint(text, end);
    const char32_t c = CodePointAt(text, previous);
    if (c == '.' || c == '!' || c == '?') return IsBoundary(text, previous);
    if (!IsCloser(c)) return false;
    end = previous;
  }
  return false;
}

std::vector<TextRange> SplitSentences(std::string_view text) {
  std::vector<TextRange> sentences;
  const auto add = [&](size_t begin, size_t end) {
    const TextRange range = Trim(text, {begin, end});
    if (range.begin < range.end) sentences.push_back(range);
  };
  size_t begin = 0;
  // Linear: what IsBoundary looks at after a mark ends at the next mark.
  for (size_t position = 0; position < text.size(); ++position) {
    const char c = text[position];
    if (c != '.' && c != '!' && c != '?') continue;
    if (position + 1 < text.size() &&
        (text[position + 1] == '.' || text[position + 1] == '!' || text[position + 1] == '?')) {
      continue;  // the last mark of a run decides
    }
    if (!IsBoundary(text, position)) continue;
    size_t end = position + 1;
    while (end < text.size()) {
      size_t next = end;
      if (!IsCloser(text::NextCodePoint(text, &next))) break;
      end = next;
    }
    add(begin, end);
    begin = end;
    position = end - 1;
  }
  add(begin, text.size());
  return sentences;
}

}  // namespace koe::text
