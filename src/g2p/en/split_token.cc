// SPDX-License-Identifier: Apache-2.0
// ^['‘’]+ | \p{Lu}(?=\p{Lu}\p{Ll}) | (?:^-)?(?:\d?[,.]?\d)+ | [-_]+ | ['‘’]{2,} |
// \p{L}*?(?:['‘’]\p{L})*?\p{Ll}(?=\p{Lu}) | \p{L}+(?:['‘’]\p{L})* | [^-_\p{L}'‘’\d] | ['‘’]+$
// matched by hand, in this order, in linear time.
#include "base/utf8.h"
#include "g2p/en/retokenize.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

bool IsApostrophe(char32_t c) { return c == U'\'' || c == U'\u2018' || c == U'\u2019'; }
bool IsJoiner(char32_t c) { return c == U'-' || c == U'_'; }

// Reads code points of one token; 0 stands for the end.
class Reader {
 public:
  explicit Reader(std::string_view s) : s_(s) {}
  char32_t At(size_t position) const { return text::NextCodePoint(s_, &position); }
  size_t After(size_t position) const {
    DecodeUtf8(s_, &position);
    return position;
  }
  template <typename Predicate>
  size_t SkipWhile(size_t position, Predicate&& predicate) const {
    while (position < s_.size()) {
      size_t next = position;
      if (!predicate(text::NextCodePoint(s_, &next))) break;
      position = next;
    }
    return position;
  }

 private:
  std::string_view s_;
};

// ([,.]?\d)+ from position; position itself where there is none.
size_t NumberEnd(const Reader& read, size_t position) {
  while (true) {
    const char32_t c = read.At(position);
    size_t digit = position;
    if (c == ',' || c == '.') digit = read.After(position);
    if (!text::IsDecimalDigit(read.At(digit))) return position;
    position = read.After(digit);
  }
}

// Up to and with a small letter before a capital; position itself where there is none.
size_t CamelEnd(const Reader& read, size_t position) {
  const auto ends_here = [&](size_t at) {
    return text::IsLower(read.At(at)) && text::IsUpper(read.At(read.After(at)));
  };
  size_t at = position;
  for (; text::IsLetter(read.At(at)); at = read.After(at)) {
    if (ends_here(at)) return read.After(at);
  }
  while (IsApostrophe(read.At(at)) && text::IsLetter(read.At(read.After(at)))) {
    at = read.After(read.After(at));
    if (ends_here(at)) return read.After(at);
  }
  return position;
}

size_t WordEnd(const Reader& read, size_t position) {
  position = read.SkipWhile(position, text::IsLetter);
  while (IsApostrophe(read.At(position)) && text::IsLetter(read.At(read.After(position)))) {
    position = read.After(read.After(position));
  }
  return position;
}

// One ASCII character, a word in small letters with or without a capital first, or one in capitals: nothing to split.
bool IsOnePart(std::string_view token) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(token[i]); };
  if (token.empty()) return false;
  if (token.size() == 1) return byte(0) < 0x80;
  if (!text::IsAsciiLetter(byte(0))) return false;
  size_t i = 1;
  while (i < token.size() && text::IsAsciiLower(byte(i))) ++i;
  if (i == token.size()) return true;
  for (i = 0; i < token.size() && text::IsAsciiUpper(byte(i));) ++i;
  return i == token.size();
}

}  // namespace

void SplitToken(std::string_view token, std::vector<std::string_view>* parts) {
  parts->clear();
  if (IsOnePart(token)) {
    parts->push_back(token);
    return;
  }
  const Reader read(token);
  for (size_t position = 0; position < token.size();) {
    const char32_t c = read.At(position);
    size_t end = position;
    if (IsApostrophe(c)) {
      end = read.SkipWhile(position, IsApostrophe);
      const bool is_single = end == read.After(position);
      if (is_single && position > 0 && end < token.size()) {
        // Left out, but that the expression for camel case may begin with it: VS|.|'St|AR.
        const size_t camel = CamelEnd(read, position);
        if (camel == position) {
          position = end;
          continue;
        }
        end = camel;
      }
    } else if (text::IsUpper(c) && text::IsUpper(read.At(read.After(position))) &&
               text::IsLower(read.At(read.After(read.After(position))))) {
      end = read.After(position);
    } else {
      const size_t number = position == 0 && c == '-' ? 1 : position;
      end = NumberEnd(read, number);
      if (end == number) end = position;
      if (end == position && IsJoiner(c)) end = read.SkipWhile(position, IsJoiner);
      if (end == position && text::IsLetter(c)) {
        end = CamelEnd(read, position);
        if (end == position) end = WordEnd(read, position);
      }
      if (end == position) end = read.After(position);
    }
    parts->push_back(token.substr(position, end - position));
    position = end;
  }
}

}  // namespace koe::g2p::en
