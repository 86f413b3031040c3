// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/tagger_features.h"

#include <algorithm>

namespace koe::g2p::en {
namespace {

enum ShapeBit : unsigned {
  kHasDigit = 1U << 0,
  kAllDigits = 1U << 1,
  kHasHyphen = 1U << 2,
  kInnerStop = 1U << 3,
  kEndStop = 1U << 4,
  kHasApostrophe = 1U << 5,
  kHasOther = 1U << 6,
  kLengthShift = 7  // of the length, up to 3
};

bool EndsWith(const TokenForm& form, uint32_t packed, unsigned bytes) {
  return (form.suffix & (0xFFFFFFFFU >> (32 - 8 * bytes))) == packed;
}

constexpr uint32_t Pack(std::string_view s) {
  uint32_t packed = 0;
  for (const char c : s) packed = packed << 8 | static_cast<unsigned char>(c);
  return packed;
}

}  // namespace

const TokenForm kOutside = [] {
  TokenForm form;
  form.word = 0x0A;
  form.word_class = ClassOfShape(Tag::kNone);
  return form;
}();

TokenForm DescribeToken(std::string_view text) {
  TokenForm form;
  uint64_t hash = kWordBasis;
  unsigned shape = 0;
  size_t num_upper = 0, num_lower = 0, num_digits = 0;
  for (const char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 'A' && byte <= 'Z') {
      ++num_upper;
      byte = static_cast<unsigned char>(byte + 32);
    } else if (byte >= 'a' && byte <= 'z') {
      ++num_lower;
    } else if (byte >= '0' && byte <= '9') {
      ++num_digits;
    } else {
      shape |= byte == '-' ? kHasHyphen : byte == '.' ? kInnerStop : byte == '\'' ? kHasApostrophe : kHasOther;
    }
    hash = (hash ^ byte) * kWordPrime;
    form.suffix = form.suffix << 8 | byte;
  }
  for (size_t i = 0; i < std::min<size_t>(3, text.size()); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    form.prefix = form.prefix << 8 | (byte >= 'A' && byte <= 'Z' ? byte + 32U : byte);
  }
  const bool starts_upper = !text.empty() && text[0] >= 'A' && text[0] <= 'Z';
  if (num_upper == 0) {
    form.casing = Casing::kLower;
  } else if (num_lower == 0) {
    form.casing = num_upper == 1 && text.size() == 1 ? Casing::kCapitalised : Casing::kUpper;
  } else {
    form.casing = starts_upper && num_upper == 1 ? Casing::kCapitalised : Casing::kMixed;
  }
  form.has_digit = num_digits > 0;
  if (form.has_digit) shape |= kHasDigit;
  if (num_digits == text.size()) shape |= kAllDigits;
  if (text.size() > 1 && text.ends_with('.')) {
    shape |= kEndStop;
    if (text.find('.') == text.size() - 1) shape &= ~static_cast<unsigned>(kInnerStop);
  }
  shape |= static_cast<unsigned>(std::min<size_t>(text.size(), 3)) << kLengthShift;
  form.shape = static_cast<uint16_t>(shape);
  form.word = MixBits(hash);
  return form;
}

WordClass GuessClass(const TokenForm& form) {
  const auto guessed = [&](unsigned number) { return static_cast<WordClass>(kFirstGuessedClass + number); };
  if ((form.shape & kAllDigits) != 0) return guessed(0);
  if (form.has_digit) return guessed(1);
  const unsigned casing = static_cast<unsigned>(form.casing);
  if (form.casing == Casing::kUpper || form.casing == Casing::kMixed) return guessed(2 + casing);
  unsigned ending = 0;
  if (EndsWith(form, Pack("ly"), 2)) {
    ending = 1;
  } else if (EndsWith(form, Pack("ing"), 3)) {
    ending = 2;
  } else if (EndsWith(form, Pack("ed"), 2)) {
    ending = 3;
  } else if (EndsWith(form, Pack("s"), 1) && !EndsWith(form, Pack("ss"), 2) && !EndsWith(form, Pack("us"), 2) &&
             !EndsWith(form, Pack("is"), 2)) {
    ending = EndsWith(form, Pack("ous"), 3) ? 4 : 5;
  } else if (EndsWith(form, Pack("al"), 2) || EndsWith(form, Pack("ic"), 2) || EndsWith(form, Pack("ful"), 3) ||
             EndsWith(form, Pack("ble"), 3) || EndsWith(form, Pack("ive"), 3) || EndsWith(form, Pack("less"), 4) ||
             EndsWith(form, Pack("ish"), 3)) {
    ending = 6;
  } else if (EndsWith(form, Pack("ion"), 3) || EndsWith(form, Pack("ness"), 4) || EndsWith(form, Pack("ity"), 3) ||
             EndsWith(form, Pack("ment"), 4)) {
    ending = 7;
  } else if (EndsWith(form, Pack("er"), 2) || EndsWith(form, Pack("or"), 2)) {
    ending = 8;
  } else if (EndsWith(form, Pack("ate"), 3) || EndsWith(form, Pack("ise"), 3) || EndsWith(form, Pack("ize"), 3)) {
    ending = 9;
  } else if (EndsWith(form, Pack("est"), 3)) {
    ending = 10;
  }
  return guessed(8 + 16 * casing + ending);
}

bool IsShouted(std::span<const Token> tokens, size_t begin, size_t* end) {
  size_t num_caps = 0;
  bool has_small = false;
  for (*end = begin; *end < tokens.size(); ++*end) {
    const std::string_view text = tokens[*end].text;
    if (*end > begin && (text == "." || text == "!" || text == "?")) {
      ++*end;
      break;
    }
    size_t num_upper = 0;
    for (const char c : text) {
      if (c >= 'A' && c <= 'Z') ++num_upper;
      if (c >= 'a' && c <= 'z') has_small = true;
    }
    if (num_upper > 1) ++num_caps;
  }
  return num_caps >= 2 && !has_small;
}

void ExtractFeatures(const FeatureWindow& window, Features* features) {
  const TokenForm &b2 = *window.before2, &b1 = *window.before1, &at = *window.at, &a1 = *window.after1,
                  &a2 = *window.after2;
  const auto t1 = static_cast<uint64_t>(window.tag1), t2 = static_cast<uint64_t>(window.tag2);
  const uint64_t w = at.word, c = at.word_class, casing = static_cast<uint64_t>(at.casing);
  const uint64_t s2 = at.suffix & 0xFFFF, s3 = at.suffix & 0xFFFFFF, s4 = at.suffix;
  const uint64_t tags = t1 << 8 | t2;
  const uint64_t c_b1 = b1.word_class, c_b2 = b2.word_class, c_a1 = a1.word_class, c_a2 = a2.word_class;
  const uint64_t verb = static_cast<uint64_t>(window.verb);
  size_t n = 0;
  // Every template has its own multiplier, so that equal contents in two templates are two features.
  const auto add = [&](uint64_t contents) {
    (*features)[n] = MixBits((contents + n + 1) * (2 * n + 0x9E3779B97F4A7C15));
    ++n;
  };
  const auto pair = [](uint64_t a, uint64_t b) { return a + (b + 1) * 0xC2B2AE3D27D4EB4F; };
  add(0);
  add(w);
  add(pair(w, casing));
  add(pair(s2, casing));
  add(pair(s3, casing));
  add(pair(s4, casing));
  add(at.prefix);
  add(pair(at.shape, casing << 1 | (window.is_first ? 1 : 0)));
  add(c);
  add(t1);
  add(tags);
  add(pair(w, t1));
  add(pair(w, tags));
  add(pair(c, t1));
  add(pair(c, tags));
  add(b1.word);
  add(b2.word);
  add(a1.word);
  add(a2.word);
  add(pair(w, b1.word));
  add(pair(w, a1.word));
  add(pair(b1.word, a1.word));
  add(pair(w, c_a1));
  add(pair(w, c_a1 << 16 | c_a2));
  add(pair(w, t1 << 16 | c_a1));
  add(pair(w, c_b2 << 32 | c_b1 << 16 | c_a1));
  add(pair(c, c_a1));
  add(pair(c, c_a1 << 16 | c_a2));
  add(pair(c, t1 << 16 | c_a1));
  add(pair(c, tags << 16 | c_a1));
  add(pair(t1, c_a1));
  add(pair(tags, c_a1));
  add(pair(t1, c_a1 << 16 | c_a2));
  add(c_a1);
  add(c_a2);
  add(pair(c, c_b1));
  add(pair(s3, t1));
  add(pair(s3, c_a1));
  add(pair(w, pair(t1, a1.word)));
  add(pair(w, verb));
  add(pair(c, verb << 8 | t1));
  add(pair(b1.word, b2.word));
  add(pair(t1, a1.suffix & 0xFFFFFF));
  add(pair(c, pair(b1.word, t2)));
  add(pair(w, c_b1 << 16 | c_a1));
  add(pair(w, pair(b1.word, c_a1)));
  add(pair(w, tags << 32 | c_a1 << 16 | c_a2));
  add(pair(w, pair(b1.word, t2)));
  static_assert(kNumFeatures == 48);
}

}  // namespace koe::g2p::en
