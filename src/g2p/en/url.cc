// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/url.h"

#include <array>
#include <cstddef>

#include "base/utf8.h"
#include "g2p/en/char_class.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// One character of a host label, not at its ends where `-` and `_` are not allowed.
bool IsLabelChar(char32_t c) { return text::IsAsciiLetter(c) || text::IsAsciiDigit(c) || (c >= 0xA1 && c <= 0xFFFF); }

// After the host: [:port][/path] up to the end.
bool IsPortAndPath(std::string_view rest) {
  if (rest.starts_with(':')) {
    size_t digits = 1;
    while (digits < rest.size() && IsDigit(rest[digits])) ++digits;
    if (digits < 3 || digits > 6) return false;
    rest.remove_prefix(digits);
  }
  return rest.empty() || rest[0] == '/' || rest[0] == '?' || rest[0] == '#';
}

// Reads up to four octets "d{1,3}" with dots between; returns how many there are and where they end.
size_t ReadOctets(std::string_view text, std::array<int, 4>* octets, size_t* end) {
  size_t count = 0, position = 0;
  while (count < 4) {
    int value = 0;
    const size_t begin = position;
    while (position < text.size() && position - begin < 3 && IsDigit(text[position])) {
      value = value * 10 + (text[position++] - '0');
    }
    if (position == begin) break;
    (*octets)[count++] = value;
    *end = position;
    if (count == 4 || position >= text.size() || text[position] != '.') break;
    ++position;
  }
  return count;
}

bool IsPublicAddress(std::string_view text) {
  std::array<int, 4> octets{};
  size_t end = 0;
  if (text.empty() || text[0] == '0' || ReadOctets(text, &octets, &end) != 4) return false;
  const auto [a, b, c, d] = octets;
  if (a < 1 || a > 223 || b > 255 || c > 255 || d < 1 || d > 254) return false;
  if (a == 10 || a == 127 || (a == 169 && b == 254) || (a == 192 && b == 168) || (a == 172 && b >= 16 && b <= 31)) {
    return false;
  }
  return IsPortAndPath(text.substr(end));
}

bool IsHost(std::string_view text) {
  size_t label_chars = 0, num_labels = 0, tld_chars = 0, position = 0;
  bool first_ok = false, last_ok = false, tld_ok = true;
  while (position < text.size()) {
    size_t next = position;
    const auto c = DecodeUtf8(text, &next);
    if (!c) return false;
    if (*c == '.') {
      if (label_chars < 1 || label_chars > 64 || !first_ok || !last_ok) return false;
      ++num_labels;
      label_chars = 0;
      tld_chars = 0;
      tld_ok = true;
    } else {
      const bool is_label = IsLabelChar(*c), is_joiner = *c == '-' || *c == '_';
      const bool is_tld = (CharFlags(*c) & kLowerFlag) != 0;
      if (!is_label && !is_joiner && !is_tld) break;
      if (!is_label && is_tld && num_labels == 0) return false;
      if (label_chars == 0) first_ok = is_label;
      last_ok = is_label;
      ++label_chars;
      ++tld_chars;
      tld_ok = tld_ok && is_tld;
    }
    position = next;
  }
  return num_labels > 0 && tld_ok && tld_chars >= 2 && tld_chars <= 63 && IsPortAndPath(text.substr(position));
}

bool IsHostAndRest(std::string_view text) { return IsPublicAddress(text) || IsHost(text); }

// "scheme://" at the front, in bytes; 0: none.
size_t SchemeSize(std::string_view run) {
  const size_t mark = run.find("://");
  if (mark == std::string_view::npos) return 0;
  size_t chars = 0;
  for (size_t position = 0; position < mark; ++chars) {
    const auto c = DecodeUtf8(run.substr(0, mark), &position);
    if (!c || !(text::IsWordChar(*c) || *c == '+' || *c == '-' || *c == '.')) return 0;
  }
  return chars >= 2 ? mark + 3 : 0;
}

}  // namespace

bool IsUrl(std::string_view run) {
  if (run.find('.') == std::string_view::npos) return false;
  const size_t scheme = SchemeSize(run);
  if (IsHostAndRest(run) || (scheme > 0 && IsHostAndRest(run.substr(scheme)))) return true;
  // Any "@" with something before it may end the user part. A host holds no "@", so each try ends before the next one.
  for (size_t at = run.find('@', 1); at != std::string_view::npos; at = run.find('@', at + 1)) {
    if (IsHostAndRest(run.substr(at + 1))) return true;
  }
  return false;
}

}  // namespace koe::g2p::en
