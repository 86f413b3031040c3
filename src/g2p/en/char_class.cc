// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/char_class.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace koe::g2p::en {
namespace {

struct CharRange {
  char32_t first;
  char32_t last;
  unsigned flags;
};

#include "g2p/en/tokenizer_tables.inc"

// By first byte: where its special cases begin. Most words are ruled out by their first two bytes.
struct SpecialCaseIndex {
  std::array<uint16_t, 257> begin{};
  size_t longest = 0;
  SpecialCaseIndex() {
    for (const SpecialCase& special : kSpecialCases) {
      ++begin[static_cast<unsigned char>(special.text[0]) + 1u];
      longest = std::max(longest, special.text.size());
    }
    for (size_t i = 1; i < begin.size(); ++i) begin[i] = static_cast<uint16_t>(begin[i] + begin[i - 1]);
  }
};

const SpecialCaseIndex& Index() {
  static const SpecialCaseIndex index;
  return index;
}

}  // namespace

namespace {

unsigned SearchCharFlags(char32_t c) {
  const auto* after = std::upper_bound(std::begin(kCharRanges), std::end(kCharRanges), c,
                                       [](char32_t value, const CharRange& range) { return value < range.first; });
  if (after == std::begin(kCharRanges)) return 0;
  const CharRange& range = *std::prev(after);
  return c <= range.last ? range.flags : 0;
}

}  // namespace

unsigned CharFlags(char32_t c) {
  static const std::array<uint8_t, 128> ascii = [] {
    std::array<uint8_t, 128> flags{};
    for (char32_t i = 0; i < flags.size(); ++i) flags[i] = static_cast<uint8_t>(SearchCharFlags(i));
    return flags;
  }();
  return c < ascii.size() ? ascii[c] : SearchCharFlags(c);
}

size_t SuffixAfterDigit(std::string_view text) {
  size_t longest = 0;
  for (const std::string_view suffix : kAfterDigit) {
    if (suffix.size() <= longest || suffix.size() >= text.size() || !text.ends_with(suffix)) continue;
    const char before = text[text.size() - suffix.size() - 1];
    if (before >= '0' && before <= '9') longest = suffix.size();
  }
  return longest;
}

std::span<const SpecialCase> SpecialCases() { return kSpecialCases; }

std::span<const uint8_t> FindSpecialCase(std::string_view text) {
  const SpecialCaseIndex& index = Index();
  if (text.empty() || text.size() > index.longest) return {};
  const auto first = static_cast<unsigned char>(text[0]);
  const SpecialCase* begin = kSpecialCases + index.begin[first];
  const SpecialCase* end = kSpecialCases + index.begin[first + 1u];
  const SpecialCase* found = std::lower_bound(
      begin, end, text, [](const SpecialCase& special, std::string_view value) { return special.text < value; });
  if (found == end || found->text != text) return {};
  return found->parts();
}

}  // namespace koe::g2p::en
