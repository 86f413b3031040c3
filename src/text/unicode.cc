// SPDX-License-Identifier: Apache-2.0
#include "text/unicode.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

namespace koe::text {
namespace {

uint32_t CategoryMask(char32_t c) { return U_GET_GC_MASK(static_cast<UChar32>(c)); }

}  // namespace

bool IsSpace(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
  if (c == 0x85 || c == 0xA0) return true;
  return c > 0xFF && (CategoryMask(c) & U_GC_Z_MASK) != 0;
}

bool IsLetter(char32_t c) { return c < 0x80 ? IsAsciiLetter(c) : (CategoryMask(c) & U_GC_L_MASK) != 0; }
bool IsUpper(char32_t c) { return c < 0x80 ? IsAsciiUpper(c) : (CategoryMask(c) & U_GC_LU_MASK) != 0; }
bool IsLower(char32_t c) { return c < 0x80 ? IsAsciiLower(c) : (CategoryMask(c) & U_GC_LL_MASK) != 0; }
bool IsDecimalDigit(char32_t c) { return c < 0x80 ? IsAsciiDigit(c) : (CategoryMask(c) & U_GC_ND_MASK) != 0; }
bool IsCombiningMark(char32_t c) { return c >= 0x300 && (CategoryMask(c) & U_GC_M_MASK) != 0; }

bool IsWordChar(char32_t c) {
  if (c < 0x80) return IsAsciiLetter(c) || IsAsciiDigit(c) || c == '_';
  return (CategoryMask(c) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

char32_t ToLower(char32_t c) {
  if (c < 0x80) return IsAsciiUpper(c) ? c + 32 : c;
  return static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
}

int DigitValue(char32_t c) {
  if (c < 0x80) return IsAsciiDigit(c) ? static_cast<int>(c - '0') : -1;
  const int type = u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_NUMERIC_TYPE);
  if (type != U_NT_DECIMAL && type != U_NT_DIGIT) return -1;
  return static_cast<int>(u_getNumericValue(static_cast<UChar32>(c)));
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string ToLower(std::string_view text) {
  std::string out(text);
  if (IsAscii(text)) {
    for (char& c : out) c = static_cast<char>(ToLower(static_cast<char32_t>(c)));
    return out;
  }
  out.clear();
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
      .toLower(icu::Locale::getRoot())
      .toUTF8String(out);
  return out;
}

std::string ToUpper(std::string_view text) {
  std::string out(text);
  if (IsAscii(text)) {
    for (char& c : out) {
      if (IsAsciiLower(static_cast<char32_t>(c))) c = static_cast<char>(c - 32);
    }
    return out;
  }
  out.clear();
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())))
      .toUpper(icu::Locale::getRoot())
      .toUTF8String(out);
  return out;
}

namespace {

std::string Normalize(std::string_view text, bool compose) {
  if (IsAscii(text)) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* form =
      compose ? icu::Normalizer2::getNFKCInstance(status) : icu::Normalizer2::getNFKDInstance(status);
  if (U_FAILURE(status)) return std::string(text);  // ICU without its data: the text stays as it is
  const auto normalized = form->normalize(
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size()))), status);
  if (U_FAILURE(status)) return std::string(text);
  std::string out;
  normalized.toUTF8String(out);
  return out;
}

}  // namespace

std::string ToNfkc(std::string_view text) { return Normalize(text, true); }
std::string ToNfkd(std::string_view text) { return Normalize(text, false); }

}  // namespace koe::text
