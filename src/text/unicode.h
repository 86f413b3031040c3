// SPDX-License-Identifier: Apache-2.0
// Character classes and mappings as Python's str and the `regex` module see them, which is what the reference front end
// was written against. Thread-safe; ASCII takes a fast path.
#ifndef KOE_TEXT_UNICODE_H_
#define KOE_TEXT_UNICODE_H_

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace koe::text {

constexpr bool IsAsciiDigit(char32_t c) { return c >= U'0' && c <= U'9'; }
constexpr bool IsAsciiLower(char32_t c) { return c >= U'a' && c <= U'z'; }
constexpr bool IsAsciiUpper(char32_t c) { return c >= U'A' && c <= U'Z'; }
constexpr bool IsAsciiLetter(char32_t c) { return IsAsciiLower(c) || IsAsciiUpper(c); }

// The code point at *position of well-formed text, advancing past it; 0 (position unchanged) at the end.
inline char32_t NextCodePoint(std::string_view text, size_t* position) {
  if (*position >= text.size()) return 0;
  const auto byte = static_cast<unsigned char>(text[*position]);
  if (byte >= 0x80) return DecodeUtf8(text, position).value_or(0);
  ++*position;
  return byte;
}

// The code points of well-formed text, for range-for. Ends before a U+0000; CleanText lets none through.
class CodePoints {
 public:
  class Iterator {
   public:
    explicit Iterator(std::string_view text) : text_(text) { ++*this; }
    char32_t operator*() const { return code_point_; }
    Iterator& operator++() {
      code_point_ = NextCodePoint(text_, &position_);
      return *this;
    }
    bool operator!=(std::default_sentinel_t) const { return code_point_ != 0; }

   private:
    std::string_view text_;
    size_t position_ = 0;
    char32_t code_point_ = 0;
  };

  explicit CodePoints(std::string_view text) : text_(text) {}
  Iterator begin() const { return Iterator(text_); }
  std::default_sentinel_t end() const { return {}; }

 private:
  std::string_view text_;  // not owned
};

bool IsSpace(char32_t c);          // str.isspace
bool IsLetter(char32_t c);         // \p{L}, str.isalpha
bool IsUpper(char32_t c);          // \p{Lu}
bool IsLower(char32_t c);          // \p{Ll}
bool IsDecimalDigit(char32_t c);   // \p{Nd}, \d
bool IsWordChar(char32_t c);       // \w: str.isalnum or underscore
bool IsCombiningMark(char32_t c);  // \p{M}
char32_t ToLower(char32_t c);      // simple mapping
// The value of a character with str.isdigit (decimal digits, superscripts, circled digits); -1 for any other.
int DigitValue(char32_t c);

bool IsAscii(std::string_view text);
std::string ToLower(std::string_view text);  // full mapping, root locale; text must be well-formed UTF-8
std::string ToUpper(std::string_view text);
std::string ToNfkc(std::string_view text);
std::string ToNfkd(std::string_view text);

}  // namespace koe::text

#endif  // KOE_TEXT_UNICODE_H_
