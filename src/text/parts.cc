// SPDX-License-Identifier: Apache-2.0
#include "text/parts.h"

#include <algorithm>

#include "text/segments.h"
#include "text/unicode.h"

namespace koe::text {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

size_t TrimmedSize(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    size_t begin = end - 1;
    while (begin > 0 && IsContinuation(text[begin])) --begin;
    size_t position = begin;
    const char32_t c = NextCodePoint(text, &position);
    if (!IsSpace(c) && !IsDroppedControl(c)) break;
    end = begin;
  }
  return end;
}

bool IsBlank(std::string_view text) {
  for (size_t position = 0; position < text.size();) {
    if (!IsSpace(NextCodePoint(text, &position))) return false;
  }
  return true;
}

}  // namespace

size_t PartCut(std::string_view text) {
  const std::string_view window = text.substr(0, kMaxPartBytes + kPartLookAheadBytes);
  size_t last_space = 0;
  for (size_t i = kMaxPartBytes; i > kMaxPartBytes / 2; --i) {
    if (text[i] != ' ') continue;
    if (last_space == 0) last_space = i;
    if (SentenceEndsBefore(window, i)) return i;
  }
  if (last_space > 0) return last_space;
  size_t cut = kMaxPartBytes;
  while (IsContinuation(text[cut])) --cut;
  return cut;
}

PartReader::PartReader(std::string_view text) : text_(text.substr(0, TrimmedSize(text))) {}

size_t PartReader::LineEnd() {
  // Each byte is searched once: a position that was found stays until it is passed.
  const auto find = [&](char c, size_t* next) {
    if (*next > position_ || (*next == position_ && position_ < text_.size() && text_[position_] == c)) return;
    *next = std::min(text_.find(c, position_), text_.size());
  };
  find('\n', &next_lf_);
  find('\r', &next_cr_);
  return std::min(next_lf_, next_cr_);
}

bool PartReader::Next() {
  while (position_ < text_.size()) {
    const size_t line_end = LineEnd();
    const std::string_view rest = text_.substr(position_, line_end - position_);
    const bool is_whole = rest.size() <= kMaxPartBytes;
    const size_t size = is_whole ? rest.size() : PartCut(rest);
    ends_at_space_ = !is_whole && rest[size] == ' ';
    part_.Clear();
    cleaner_.Clean(rest.substr(0, size), position_, &part_);
    position_ += size;
    if (is_whole) {
      // CR LF counts as two line ends with a blank line between.
      cleaner_.EndLine();
      position_ = std::min(position_ + 1, text_.size());
    }
    const bool is_blank = IsBlank(part_.text());
    if (!is_blank) starts_line_ = at_line_start_;
    at_line_start_ = is_whole || (at_line_start_ && is_blank);
    if (!is_blank) return true;
  }
  return false;
}

}  // namespace koe::text
