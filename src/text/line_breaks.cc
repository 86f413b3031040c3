// SPDX-License-Identifier: Apache-2.0
#include "text/line_breaks.h"

#include <algorithm>
#include <vector>

#include "base/utf8.h"
#include "text/segments.h"
#include "text/unicode.h"

namespace koe::text {
namespace {

constexpr size_t kMinWrapColumns = 40, kMaxWrapColumns = 120;
constexpr size_t kMinListLines = 3;

struct Line {
  TextRange all;    // without its newline
  TextRange inner;  // trimmed; empty for a blank line
  size_t columns = 0;
  size_t first_word_columns = 0;
  bool starts_lower = false;
  bool stands_apart = false;  // indented, or an item of a list
};

bool StartsListItem(std::string_view line) {
  size_t position = 0;
  const char32_t c = NextCodePoint(line, &position);
  if (c == '-' || c == '*' || c == '+' || c == '#' || c == '>' || c == '|' || c == U'\u2022' || c == U'\u2013' ||
      c == U'\u2014') {
    return position == line.size() || line[position] == ' ' || line[position] == '\t';
  }
  while (position < line.size() && position < 4 && IsAsciiDigit(static_cast<unsigned char>(line[position]))) ++position;
  const bool is_number = IsAsciiDigit(c) || (IsAsciiLetter(c) && position == 1);
  return is_number && position + 1 < line.size() && (line[position] == '.' || line[position] == ')') &&
         line[position + 1] == ' ';
}

Line Measure(std::string_view text, TextRange all) {
  Line line;
  line.all = all;
  line.inner = Trim(text, all);
  const std::string_view inner = text.substr(line.inner.begin, line.inner.end - line.inner.begin);
  if (inner.empty()) return line;
  line.columns = CountCodePoints(text.substr(all.begin, line.inner.end - all.begin));
  line.first_word_columns = CountCodePoints(inner.substr(0, std::min(inner.find(' '), inner.size())));
  size_t position = 0;
  line.starts_lower = IsLower(NextCodePoint(inner, &position));
  line.stands_apart = StartsListItem(inner);
  return line;
}

// Lines up to `last` stand together before a blank one.
bool EndsWithinSentence(const std::vector<Line>& lines, size_t last, size_t i, size_t width, bool is_list) {
  const Line& next = lines[i + 1];
  if (next.stands_apart || i + 1 >= last) return false;
  if (next.starts_lower && !is_list) return true;
  // A capital behind an indent starts a paragraph.
  if (next.inner.begin > next.all.begin && lines[i].inner.begin == lines[i].all.begin) return false;
  return width >= kMinWrapColumns && width <= kMaxWrapColumns && lines[i].columns + 1 + next.first_word_columns > width;
}

}  // namespace

std::string JoinWrappedLines(std::string_view text) {
  std::string joined(text);
  for (size_t i = 0; i < joined.size(); ++i) {
    if (joined[i] == '\r') joined[i] = i + 1 < joined.size() && joined[i + 1] == '\n' ? '\x7F' : '\n';
  }
  // U+007F at a line's end is white space here.
  std::string blank_ends = joined;
  std::replace(blank_ends.begin(), blank_ends.end(), '\x7F', ' ');
  std::vector<Line> lines;
  for (size_t begin = 0; begin <= joined.size();) {
    const size_t end = std::min(joined.find('\n', begin), joined.size());
    lines.push_back(Measure(blank_ends, {begin, end}));
    begin = end + 1;
  }
  for (size_t first = 0; first < lines.size();) {
    if (lines[first].columns == 0) {
      ++first;
      continue;
    }
    size_t last = first, width = 0;
    while (last < lines.size() && lines[last].columns > 0) width = std::max(width, lines[last++].columns);
    const bool is_list = last - first >= kMinListLines && width < kMinWrapColumns;
    for (size_t i = first; i + 1 < last; ++i) {
      if (EndsWithinSentence(lines, last, i, width, is_list)) joined[lines[i].all.end] = ' ';
    }
    // Blank lines in the middle of a sentence, as a page break leaves them.
    size_t next = last;
    while (next < lines.size() && lines[next].columns == 0) ++next;
    if (next < lines.size() && lines[next].starts_lower && !lines[next].stands_apart && !is_list) {
      for (size_t i = last - 1; i < next; ++i) joined[lines[i].all.end] = ' ';
    }
    first = next;
  }
  return joined;
}

}  // namespace koe::text
