// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/spacy_features.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/utf8.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

constexpr size_t kLongShape = 100;    // characters
constexpr size_t kMaxShapeRun = 4;    // equal characters in a row
constexpr size_t kSuffixLength = 3;   // characters
constexpr uint64_t kMaxTokens = 256;  // of one contraction; spaCy has at most four
constexpr uint64_t kOnlyAlone = uint64_t{1} << 63;

uint64_t LoadLe64(const char* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

std::string_view FirstCharacter(std::string_view text) {
  size_t end = 0;
  text::NextCodePoint(text, &end);
  return text.substr(0, end);
}

std::string_view LastCharacters(std::string_view text, size_t count) {
  size_t begin = text.size();
  for (; count > 0 && begin > 0; --count) {
    --begin;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  }
  return text.substr(begin);
}

bool IsAllSpace(std::string_view text) {
  for (const char32_t c : text::CodePoints(text)) {
    if (!text::IsSpace(c)) return false;
  }
  return !text.empty();
}

bool HasLetterOrDigit(std::string_view text) {
  for (const char32_t c : text::CodePoints(text)) {
    if (text::IsLetter(c) || text::DigitValue(c) >= 0) return true;
  }
  return false;
}

// Whether only prefixes and suffixes are glued to tokens [begin, end), so that spaCy's tokeniser looked them up in one
// piece. Behind or before other letters ("yes-ma'am") they come from its infix rules.
bool IsCutAlone(std::span<const Token> tokens, size_t begin, size_t end) {
  for (size_t i = begin; i > 0 && !tokens[i - 1].space_after; --i) {
    if (HasLetterOrDigit(tokens[i - 1].text)) return false;
  }
  for (size_t i = end; i < tokens.size() && !tokens[i - 1].space_after; ++i) {
    const std::string_view text = tokens[i].text;
    const bool is_possessive = text == "'s" || text == "'S" || text == "\u2019s" || text == "\u2019S";
    if (!is_possessive && HasLetterOrDigit(text)) return false;
  }
  return true;
}

Error Corrupt(std::string_view section, const char* why) {
  return Error(ErrorCode::kCorruptBundle, "tagger: section " + std::string(section) + ": " + why);
}

}  // namespace

uint64_t HashString(std::string_view text) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995, kSeed = 1;
  constexpr int kShift = 47;
  uint64_t hash = kSeed ^ (text.size() * kMultiplier);
  const size_t whole = text.size() / 8 * 8;
  for (size_t i = 0; i < whole; i += 8) {
    uint64_t word = LoadLe64(text.data() + i) * kMultiplier;
    word = (word ^ (word >> kShift)) * kMultiplier;
    hash = (hash ^ word) * kMultiplier;
  }
  if (whole < text.size()) {
    uint64_t tail = 0;
    for (size_t i = text.size(); i-- > whole;) tail = tail << 8 | static_cast<unsigned char>(text[i]);
    hash = (hash ^ tail) * kMultiplier;
  }
  hash = (hash ^ (hash >> kShift)) * kMultiplier;
  return hash ^ (hash >> kShift);
}

std::array<uint32_t, 4> HashIdentifier(uint64_t identifier, uint32_t seed) {
  constexpr uint64_t kBytes = 8;
  const auto mix = [](uint64_t h) {
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
    return h ^ (h >> 33);
  };
  uint64_t low = std::rotl(identifier * 0x87c37b91114253d5, 31) * 0x4cf5ad432745937f;
  low ^= seed ^ kBytes;
  uint64_t high = seed ^ kBytes;
  low += high;
  high += low;
  low = mix(low);
  high = mix(high);
  low += high;
  high += low;
  return {static_cast<uint32_t>(low), static_cast<uint32_t>(low >> 32), static_cast<uint32_t>(high),
          static_cast<uint32_t>(high >> 32)};
}

std::string WordShape(std::string_view text) {
  if (text.size() >= kLongShape && CountCodePoints(text) >= kLongShape) return "LONG";
  std::string shape;
  char32_t last = 0;
  size_t run = 0;
  for (char32_t c : text::CodePoints(text)) {
    if (text::IsLetter(c)) {
      c = text::IsUpper(c) ? U'X' : U'x';
    } else if (text::DigitValue(c) >= 0) {
      c = U'd';
    }
    run = c == last ? run + 1 : 1;
    last = c;
    if (run <= kMaxShapeRun) AppendUtf8(c, &shape);
  }
  return shape;
}

Result<std::span<const SpacyStrings::Pair>> SpacyStrings::OpenPairs(const TaggerFile& file, std::string_view name) {
  KOE_TRY(const std::span<const uint64_t> words, file.Array<uint64_t>(name));
  if (words.size() % 2 != 0) return Corrupt(name, "not pairs");
  static_assert(sizeof(Pair) == 2 * sizeof(uint64_t));
  const std::span<const Pair> pairs(reinterpret_cast<const Pair*>(words.data()), words.size() / 2);
  for (size_t i = 1; i < pairs.size(); ++i) {
    if (pairs[i - 1].key >= pairs[i].key) return Corrupt(name, "not in ascending order");
  }
  return pairs;
}

Result<SpacyStrings> SpacyStrings::Open(const TaggerFile& file) {
  SpacyStrings strings;
  KOE_TRY(strings.reserved_, OpenPairs(file, "strings"));
  KOE_TRY(strings.norms_, OpenPairs(file, "norms"));
  KOE_TRY(std::span<const uint64_t> rest, file.Array<uint64_t>("token_norms"));
  while (!rest.empty()) {
    const uint64_t count = rest[0] & ~kOnlyAlone;
    if (count == 0 || count > kMaxTokens || 2 * count > rest.size() - 1) {
      return Corrupt("token_norms", "a record's number of tokens");
    }
    strings.contractions_.push_back(
        {rest[1], (rest[0] & kOnlyAlone) != 0, rest.subspan(1, count), rest.subspan(1 + count, count)});
    rest = rest.subspan(1 + 2 * count);
  }
  std::stable_sort(strings.contractions_.begin(), strings.contractions_.end(),
                   [](const Contraction& a, const Contraction& b) {
                     if (a.first_token != b.first_token) return a.first_token < b.first_token;
                     return a.tokens.size() > b.tokens.size();
                   });
  return strings;
}

const SpacyStrings::Pair* SpacyStrings::Find(std::span<const Pair> pairs, uint64_t key) {
  const auto found = std::lower_bound(pairs.begin(), pairs.end(), key,
                                      [](const Pair& pair, uint64_t wanted) { return pair.key < wanted; });
  return found != pairs.end() && found->key == key ? &*found : nullptr;
}

uint64_t SpacyStrings::Identifier(std::string_view text) const {
  if (text.empty()) return 0;
  const uint64_t hash = HashString(text);
  const Pair* reserved = Find(reserved_, hash);
  return reserved != nullptr ? reserved->value : hash;
}

std::vector<uint64_t> SpacyStrings::Norms(std::span<const Token> tokens) const {
  std::vector<uint64_t> words(tokens.size()), norms(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    words[i] = Identifier(tokens[i].text);
    const Pair* norm = Find(norms_, words[i]);
    norms[i] = norm != nullptr ? norm->value : Identifier(text::ToLower(tokens[i].text));
  }
  for (size_t i = 0, size = 1; i < tokens.size(); i += size, size = 1) {
    auto candidate = std::lower_bound(contractions_.begin(), contractions_.end(), words[i],
                                      [](const Contraction& c, uint64_t word) { return c.first_token < word; });
    for (; candidate != contractions_.end() && candidate->first_token == words[i]; ++candidate) {
      const auto& parts = candidate->tokens;
      bool matches = parts.size() <= tokens.size() - i;
      for (size_t j = 0; matches && j < parts.size(); ++j) {
        matches = words[i + j] == parts[j] && (j == 0 || !tokens[i + j - 1].space_after);
      }
      if (!matches || (candidate->is_only_alone && !IsCutAlone(tokens, i, i + parts.size()))) continue;
      for (size_t j = 0; j < parts.size(); ++j) {
        if (candidate->norms[j] != 0) norms[i + j] = candidate->norms[j];
      }
      size = parts.size();
      break;
    }
  }
  return norms;
}

uint64_t AttributeOf(SpacyAttribute attribute, const Token& token, uint64_t norm, const SpacyStrings& strings) {
  switch (attribute) {
    case SpacyAttribute::kNorm:
      return norm;
    case SpacyAttribute::kPrefix:
      return strings.Identifier(FirstCharacter(token.text));
    case SpacyAttribute::kSuffix:
      return strings.Identifier(LastCharacters(token.text, kSuffixLength));
    case SpacyAttribute::kShape:
      return strings.Identifier(WordShape(token.text));
    case SpacyAttribute::kSpaceAfter:
      return token.space_after ? 1 : 0;
    case SpacyAttribute::kIsSpace:
      return IsAllSpace(token.text) ? 1 : 0;
  }
  return 0;
}

}  // namespace koe::g2p::en
