// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "base/utf8.h"
#include "g2p/en/rule_tagger.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

struct FixedTag {
  std::string_view text;
  Tag tag;
};
constexpr FixedTag kFixedTags[] = {
    {",", Tag::kComma},
    {".", Tag::kPeriod},
    {"!", Tag::kPeriod},
    {"?", Tag::kPeriod},
    {":", Tag::kColon},
    {";", Tag::kColon},
    {"\u2014", Tag::kColon},
    {"\u2013", Tag::kColon},
    {"--", Tag::kColon},
    {"---", Tag::kColon},
    {"...", Tag::kColon},
    {"..", Tag::kColon},
    {"\u2026", Tag::kColon},
    {"-", Tag::kHYPH},
    {"(", Tag::kLeftBracket},
    {")", Tag::kRightBracket},
    {"[", Tag::kLeftBracket},
    {"]", Tag::kRightBracket},
    {"{", Tag::kLeftBracket},
    {"}", Tag::kRightBracket},
    {"<", Tag::kLeftBracket},
    {">", Tag::kRightBracket},
    {"\u201C", Tag::kOpenQuote},
    {"\u201D", Tag::kCloseQuote},
    {"\u201E", Tag::kOpenQuote},
    {"\u2018", Tag::kOpenQuote},
    {"``", Tag::kOpenQuote},
    {"''", Tag::kCloseQuote},
    {"$", Tag::kDollar},
    {"\u00A3", Tag::kDollar},
    {"\u20AC", Tag::kDollar},
    {"\u00A5", Tag::kDollar},
    {"\u20B9", Tag::kDollar},
    {"/", Tag::kSYM},
    {"%", Tag::kNN},
    {"#", Tag::kNN},
    {"=", Tag::kSYM},
    {"+", Tag::kSYM},
    {"\u00D7", Tag::kSYM},
    {"\u00B1", Tag::kSYM},
    {"\u00A7", Tag::kSYM},
    {"\u2192", Tag::kSYM},
    {"\u2190", Tag::kSYM},
    {"&", Tag::kCC},
    {"@", Tag::kIN},
};

}  // namespace

Tag TagByShape(std::span<const Token> tokens, size_t i, bool* inside_quote) {
  const std::string_view text = tokens[i].text;
  bool has_alphanumeric = false, all_space = true;
  for (const char32_t c : text::CodePoints(text)) {
    has_alphanumeric = has_alphanumeric || (text::IsWordChar(c) && c != '_');
    all_space = all_space && text::IsSpace(c);
  }
  if (has_alphanumeric) return Tag::kNone;
  if (all_space) return Tag::kSP;
  const bool glued_left = i > 0 && !tokens[i - 1].space_after;
  const bool glued_right = !tokens[i].space_after && i + 1 < tokens.size();
  if (text == "\"" && tokens.size() == 1) return Tag::kCloseQuote;
  if (text == "\"") {
    const bool opens = !glued_left ? (glued_right || !*inside_quote) : (glued_right && !*inside_quote);
    *inside_quote = opens;
    return opens ? Tag::kOpenQuote : Tag::kCloseQuote;
  }
  if (text == "'" || text == "\u2019") {
    if (!glued_left && glued_right) return Tag::kOpenQuote;
    const bool after_s = i > 0 && (tokens[i - 1].text.ends_with('s') || tokens[i - 1].text.ends_with('S'));
    return glued_left && tokens[i].space_after && after_s ? Tag::kPOS : Tag::kCloseQuote;
  }
  for (const FixedTag& fixed : kFixedTags) {
    if (fixed.text == text) {
      if (text == "-" && !glued_left && !glued_right) return Tag::kColon;
      return fixed.tag;
    }
  }
  if (text.find_first_not_of('.') == std::string_view::npos) return Tag::kColon;
  return Tag::kNFP;
}

}  // namespace koe::g2p::en
