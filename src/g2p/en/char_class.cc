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

// Special cases by a hash of their bytes. Most words are ruled out by their first byte and length alone.
class SpecialCaseIndex {
 public:
  SpecialCaseIndex() {
    for (size_t i = 0; i < std::size(kSpecialCases); ++i) {
      const std::string_view text = kSpecialCases[i].text;
      lengths_[static_cast<unsigned char>(text[0])] |= uint32_t{1} << text.size();
      size_t slot = Slot(text);
      while (slots_[slot] != 0) slot = (slot + 1) % kSlots;
      slots_[slot] = static_cast<uint16_t>(i + 1);
    }
  }
  const SpecialCase* Find(std::string_view text) const {
    if (text.empty() || text.size() > kLongest) return nullptr;
    if ((lengths_[static_cast<unsigned char>(text[0])] >> text.size() & 1) == 0) return nullptr;
    for (size_t slot = Slot(text); slots_[slot] != 0; slot = (slot + 1) % kSlots) {
      const SpecialCase& special = kSpecialCases[slots_[slot] - 1];
      if (special.text == text) return &special;
    }
    return nullptr;
  }

 private:
  static constexpr size_t kSlots = 4096;  // three times as many as there are special cases
  static constexpr size_t kLongest = 31;  // bits of a length mask
  static_assert(2 * std::size(kSpecialCases) < kSlots);
  static_assert(std::all_of(std::begin(kSpecialCases), std::end(kSpecialCases),
                            [](const SpecialCase& s) { return !s.text.empty() && s.text.size() <= kLongest; }));

  static size_t Slot(std::string_view text) {
    uint32_t hash = 2166136261u;  // FNV-1a
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return (hash ^ hash >> 15) % kSlots;
  }

  std::array<uint32_t, 256> lengths_{};   // by first byte: which lengths there are, one bit each
  std::array<uint16_t, kSlots> slots_{};  // index + 1; 0: free
};

constexpr size_t kLongestAfterDigit = [] {
  size_t longest = 0;
  for (const std::string_view suffix : kAfterDigit) longest = std::max(longest, suffix.size());
  return longest;
}();
static_assert(std::none_of(std::begin(kAfterDigit), std::end(kAfterDigit), [](std::string_view suffix) {
  return std::any_of(suffix.begin(), suffix.end(), [](char c) { return c >= '0' && c <= '9'; });
}));

unsigned SearchCharFlags(char32_t c) {
  const auto* after = std::upper_bound(std::begin(kCharRanges), std::end(kCharRanges), c,
                                       [](char32_t value, const CharRange& range) { return value < range.first; });
  if (after == std::begin(kCharRanges)) return 0;
  const CharRange& range = *std::prev(after);
  return c <= range.last ? range.flags : 0;
}

}  // namespace

unsigned CharFlags(char32_t c) {
  // European letters and general punctuation.
  static const auto common = [] {
    std::array<uint8_t, 0x2100> flags{};
    for (char32_t i = 0; i < flags.size(); ++i) flags[i] = static_cast<uint8_t>(SearchCharFlags(i));
    return flags;
  }();
  return c < common.size() ? common[c] : SearchCharFlags(c);
}

size_t SuffixAfterDigit(std::string_view text) {
  // Only what a digit stands before, and no suffix holds one: the last digit decides.
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t size = 0;
  while (size < text.size() && size <= kLongestAfterDigit && !is_digit(text[text.size() - 1 - size])) ++size;
  if (size == 0 || size >= text.size() || size > kLongestAfterDigit) return 0;
  const std::string_view suffix = text.substr(text.size() - size);
  return std::find(std::begin(kAfterDigit), std::end(kAfterDigit), suffix) == std::end(kAfterDigit) ? 0 : size;
}

std::span<const SpecialCase> SpecialCases() { return kSpecialCases; }

std::span<const uint8_t> FindSpecialCase(std::string_view text) {
  static const SpecialCaseIndex index;
  const SpecialCase* found = index.Find(text);
  return found == nullptr ? std::span<const uint8_t>() : found->parts();
}

}  // namespace koe::g2p::en
