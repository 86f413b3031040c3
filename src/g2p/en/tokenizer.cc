// SPDX-License-Identifier: Apache-2.0
// The expressions of spaCy's English punctuation rules written out by hand: a prefix and a suffix look at the ends of a
// run, an infix at the characters around it, so everything is linear. Character classes and special cases are data.
#include "g2p/en/tokenizer.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/utf8.h"
#include "g2p/en/char_class.h"
#include "g2p/en/url.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

using text::IsAsciiDigit;

char32_t FirstChar(std::string_view s, size_t* size) {
  *size = 0;
  return DecodeUtf8(s, size).value_or(0);
}

char32_t LastChar(std::string_view s, size_t* size) {
  size_t begin = s.size();
  do {
    --begin;
  } while (begin > 0 && (static_cast<unsigned char>(s[begin]) & 0xC0) == 0x80);
  *size = s.size() - begin;
  return text::NextCodePoint(s, &begin);
}

bool EndsInDigit(std::string_view s) { return !s.empty() && IsAsciiDigit(static_cast<unsigned char>(s.back())); }

size_t PrefixSize(std::string_view s) {
  if (s.empty()) return 0;
  size_t size = 0;
  const char32_t c = FirstChar(s, &size);
  if (c == '.') {
    const size_t dots = std::min(s.find_first_not_of('.'), s.size());
    return dots >= 2 ? dots : 0;
  }
  if (c == '+') return s.size() > 1 && IsAsciiDigit(static_cast<unsigned char>(s[1])) ? 0 : 1;
  if (c == 'U' || c == 'C' || c == 'A') {
    for (const std::string_view currency : {"US$", "C$", "A$"}) {
      if (s.starts_with(currency)) return currency.size();
    }
    return 0;
  }
  return (CharFlags(c) & kPrefixFlag) != 0 ? size : 0;
}

// All alternatives end at the end of `s`; a search finds the one that starts first, so the longest wins.
size_t SuffixSize(std::string_view s) {
  if (s.empty()) return 0;
  size_t size = 0;
  const char32_t c = LastChar(s, &size);
  size_t longest = (CharFlags(c) & kSuffixFlag) != 0 ? size : 0;
  const std::string_view before = s.substr(0, s.size() - size);
  if (c == '.') {
    const size_t last_other = s.find_last_not_of('.');
    const size_t dots = last_other == std::string_view::npos ? s.size() : s.size() - last_other - 1;
    if (dots >= 2) return dots;
    if (before.empty()) return longest;
    size_t size2 = 0, size3 = 0;
    const char32_t c2 = LastChar(before, &size2);
    const std::string_view before2 = before.substr(0, before.size() - size2);
    const char32_t c3 = before2.empty() ? 0 : LastChar(before2, &size3);
    const bool is_degree = c3 == U'\u00B0' && std::u32string_view(U"FfCcKk").find(c2) != std::u32string_view::npos;
    const bool after_capitals = (CharFlags(c2) & kUpperFlag) != 0 && c3 != 0 && (CharFlags(c3) & kUpperFlag) != 0;
    return is_degree || after_capitals || (CharFlags(c2) & kBeforePeriodFlag) != 0 ? 1 : longest;
  }
  if (c == '+' && EndsInDigit(before)) return 1;
  if (c == U'\u2026') {
    // Two ellipses are one alternative.
    if (before.ends_with("\u2026")) longest = 2 * size;
  }
  if (c == 's' || c == 'S') {
    if (before.ends_with('\'')) return 2;
    if (before.ends_with("\u2019")) return 4;
  }
  return std::max(longest, SuffixAfterDigit(s));
}

// Where an infix starts at s[position], given the character before it: its size; 0: none.
size_t InfixSize(std::string_view s, size_t position, char32_t before) {
  size_t size = 0;
  const char32_t c = FirstChar(s.substr(position), &size);
  const std::string_view after = s.substr(position + size);
  size_t ignored = 0;
  const char32_t next = after.empty() ? 0 : FirstChar(after, &ignored);
  const unsigned next_flags = next == 0 ? 0 : CharFlags(next);
  const unsigned before_flags = before == 0 ? 0 : CharFlags(before);
  if (c == '.' && next == '.') return std::min(s.find_first_not_of('.', position), s.size()) - position;
  if (c == U'\u2026' || (CharFlags(c) & kSymbolFlag) != 0) return size;
  if (IsAsciiDigit(before) && (c == '+' || c == '-' || c == '*' || c == '^') && (IsAsciiDigit(next) || next == '-')) {
    return size;
  }
  if (c == '.' && (before_flags & kLowerOrQuoteFlag) != 0 &&
      ((next_flags & kUpperFlag) != 0 || (next_flags & (kLowerOrQuoteFlag | kLowerFlag)) == kLowerOrQuoteFlag)) {
    return size;
  }
  if (c == ',') return (before_flags & next_flags & kAlphaFlag) != 0 ? size : 0;
  if ((before_flags & kAlphaFlag) == 0 && !IsAsciiDigit(before)) return 0;
  if (c == '-' || c == U'\u2013' || c == U'\u2014' || c == '~') {
    if ((next_flags & kAlphaFlag) != 0) return size;
    const size_t run = c == '-' ? s.find_first_not_of('-', position) : position + 2 * size;
    if (run == std::string_view::npos || run >= s.size()) return 0;
    const size_t dashes = (run - position) / size;
    const bool is_pair = c == '-' ? dashes == 2 || dashes == 3 : c == U'\u2014' && next == c;
    if (is_pair && (CharFlags(FirstChar(s.substr(run), &ignored)) & kAlphaFlag) != 0) return run - position;
    return 0;
  }
  if (c == ':' || c == '<' || c == '>' || c == '=' || c == '/') return (next_flags & kAlphaFlag) != 0 ? size : 0;
  return 0;
}

class RunTokenizer {
 public:
  RunTokenizer(bool with_special_cases, std::vector<std::string_view>* out)
      : with_special_cases_(with_special_cases), out_(out) {}

  // only_letters: ASCII ones; no affix, infix or address is made of those.
  void Tokenize(std::string_view run, bool only_letters = false) {
    if (TakeSpecialCase(run)) return;
    if (only_letters) {
      out_->push_back(run);
      return;
    }
    suffixes_.clear();
    size_t last_size = 0;
    while (!run.empty() && run.size() != last_size) {
      if (IsSpecial(run)) break;
      last_size = run.size();
      const size_t prefix = PrefixSize(run);
      if (prefix > 0 && IsSpecial(run.substr(prefix))) {
        out_->push_back(run.substr(0, prefix));
        run.remove_prefix(prefix);
        break;
      }
      const size_t suffix = SuffixSize(run.substr(prefix));
      if (suffix > 0 && IsSpecial(run.substr(0, run.size() - suffix))) {
        suffixes_.push_back(run.substr(run.size() - suffix));
        run.remove_suffix(suffix);
        break;
      }
      if (prefix > 0) {
        out_->push_back(run.substr(0, prefix));
        run.remove_prefix(prefix);
      }
      if (suffix > 0) {
        suffixes_.push_back(run.substr(run.size() - suffix));
        run.remove_suffix(suffix);
      }
    }
    if (!run.empty() && !TakeSpecialCase(run)) {
      if (IsUrl(run)) {
        out_->push_back(run);
      } else {
        SplitAtInfixes(run);
      }
    }
    out_->insert(out_->end(), suffixes_.rbegin(), suffixes_.rend());
  }

 private:
  bool IsSpecial(std::string_view s) const { return with_special_cases_ && !FindSpecialCase(s).empty(); }

  bool TakeSpecialCase(std::string_view s) {
    if (!with_special_cases_) return false;
    const auto parts = FindSpecialCase(s);
    for (const uint8_t size : parts) {
      out_->push_back(s.substr(0, size));
      s.remove_prefix(size);
    }
    return !parts.empty();
  }

  void SplitAtInfixes(std::string_view s) {
    size_t start = 0;
    char32_t before = 0;
    for (size_t position = 0; position < s.size();) {
      const size_t infix = InfixSize(s, position, before);
      if (infix == 0) {
        before = text::NextCodePoint(s, &position);
        continue;
      }
      size_t ignored = 0;
      if (position > 0) {
        if (position > start) out_->push_back(s.substr(start, position - start));
        out_->push_back(s.substr(position, infix));
        start = position + infix;
      }
      before = LastChar(s.substr(position, infix), &ignored);
      position += infix;
    }
    if (start < s.size()) out_->push_back(s.substr(start));
  }

  bool with_special_cases_;
  std::vector<std::string_view>* out_;
  std::vector<std::string_view> suffixes_;
};

// The token sequences that a special case is cut into when special cases are not looked at: the second pass puts such
// sequences together again ("m/s.", emoticons, "''").
class BrokenSpecialCases {
 public:
  BrokenSpecialCases() {
    for (const SpecialCase& special : SpecialCases()) {
      std::vector<std::string_view> tokens;
      if (!HasAffix(special.text)) continue;
      RunTokenizer(false, &tokens).Tokenize(special.text);
      by_first_[tokens.front()].push_back(tokens);
      lengths_[FirstByte(tokens.front())] |= LengthBit(tokens.front());
    }
  }
  // Calls found(length) for every sequence that starts at tokens[i].
  template <typename Found>
  void Match(const std::vector<Token>& tokens, size_t i, Found&& found) const {
    const std::string_view first = tokens[i].text;
    if (first.empty() || (lengths_[FirstByte(first)] & LengthBit(first)) == 0) return;
    const auto candidates = by_first_.find(first);
    if (candidates == by_first_.end()) return;
    for (const auto& sequence : candidates->second) {
      if (sequence.size() > tokens.size() - i) continue;
      size_t same = 1;
      while (same < sequence.size() && sequence[same] == tokens[i + same].text) ++same;
      if (same == sequence.size()) found(same);
    }
  }

 private:
  static bool HasAffix(std::string_view s) {
    if (PrefixSize(s) > 0 || SuffixSize(s) > 0 || s.find(' ') != std::string_view::npos) return true;
    char32_t before = 0;
    for (size_t position = 0; position < s.size();) {
      if (InfixSize(s, position, before) > 0) return true;
      before = text::NextCodePoint(s, &position);
    }
    return false;
  }
  static unsigned char FirstByte(std::string_view s) { return static_cast<unsigned char>(s[0]); }
  static uint32_t LengthBit(std::string_view s) { return uint32_t{1} << std::min<size_t>(s.size(), 31); }

  std::unordered_map<std::string_view, std::vector<std::vector<std::string_view>>> by_first_;
  std::array<uint32_t, 256> lengths_{};  // by first byte, the lengths of the keys of by_first_: rules out most words
};

void MendSpecialCases(std::string_view text, std::vector<Token>* tokens) {
  static const BrokenSpecialCases broken;
  struct Match {
    size_t begin, end;
  };
  std::vector<Match> matches;
  for (size_t i = 0; i < tokens->size(); ++i) {
    broken.Match(*tokens, i, [&](size_t length) { matches.push_back({i, i + length}); });
  }
  if (matches.empty()) return;
  std::stable_sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
    return a.end - a.begin != b.end - b.begin ? a.end - a.begin > b.end - b.begin : a.begin < b.begin;
  });
  std::vector<bool> seen(tokens->size());
  std::vector<size_t> ends(tokens->size());  // by first token of a kept match; 0: none
  for (const Match& match : matches) {
    if (!seen[match.begin] && !seen[match.end - 1]) ends[match.begin] = match.end;
    std::fill(seen.begin() + static_cast<ptrdiff_t>(match.begin), seen.begin() + static_cast<ptrdiff_t>(match.end),
              true);
  }
  std::vector<Token> mended;
  mended.reserve(tokens->size() + matches.size());
  for (size_t i = 0; i < tokens->size(); ++i) {
    const size_t end = ends[i];
    if (end == 0) {
      mended.push_back((*tokens)[i]);
      continue;
    }
    const Token& last = (*tokens)[end - 1];
    const size_t begin_byte = (*tokens)[i].offset;
    std::string_view whole = text.substr(begin_byte, last.offset + last.text.size() - begin_byte);
    const auto parts = FindSpecialCase(whole);
    if (parts.empty()) {  // white space between them: not the special case
      mended.insert(mended.end(), tokens->begin() + static_cast<ptrdiff_t>(i),
                    tokens->begin() + static_cast<ptrdiff_t>(end));
    } else {
      size_t offset = begin_byte;
      for (const uint8_t size : parts) {
        mended.push_back({text.substr(offset, size), offset, false, Tag::kNone});
        offset += size;
      }
      mended.back().space_after = last.space_after;
    }
    i = end - 1;
  }
  *tokens = std::move(mended);
}

}  // namespace

namespace {

// The end of the run of white space, or of anything else, that starts at `begin`.
size_t RunEnd(std::string_view text, size_t begin, bool is_space, bool* only_letters) {
  *only_letters = true;
  for (size_t position = begin; position < text.size();) {
    const auto byte = static_cast<unsigned char>(text[position]);
    if (text::IsAsciiLetter(byte) && !is_space) {
      ++position;
      continue;
    }
    size_t next = position;
    if (text::IsSpace(text::NextCodePoint(text, &next)) != is_space) return position;
    *only_letters = false;
    position = next;
  }
  return text.size();
}

}  // namespace

std::vector<Token> Tokenize(std::string_view text, const TokenizerOptions& options) {
  std::vector<Token> tokens;
  tokens.reserve(text.size() / 4 + 4);
  std::vector<std::string_view> run_tokens;
  RunTokenizer run_tokenizer(true, &run_tokens);
  const auto add_run = [&](size_t begin, size_t end, bool only_letters) {
    run_tokens.clear();
    run_tokenizer.Tokenize(text.substr(begin, end - begin), only_letters);
    for (const std::string_view token : run_tokens) {
      tokens.push_back({token, static_cast<size_t>(token.data() - text.data()), false, Tag::kNone});
    }
  };
  bool only_letters = false;
  for (size_t position = 0; position < text.size();) {
    const size_t space_end = RunEnd(text, position, true, &only_letters);
    if (position < space_end) {
      if (text[position] == ' ' && !tokens.empty()) {
        tokens.back().space_after = true;
        ++position;
      }
      if (position < space_end) {
        if (options.keep_whitespace_tokens) {
          add_run(position, space_end, false);
        } else if (!tokens.empty()) {
          tokens.back().space_after = true;
        }
      }
    }
    if (space_end == text.size()) break;
    position = RunEnd(text, space_end, false, &only_letters);
    add_run(space_end, position, only_letters);
  }
  MendSpecialCases(text, &tokens);
  return tokens;
}

}  // namespace koe::g2p::en
