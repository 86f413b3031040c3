// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/markup.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "text/segments.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

bool AllDigits(std::string_view s) {
  return !s.empty() &&
         std::all_of(s.begin(), s.end(), [](char c) { return text::IsAsciiDigit(static_cast<unsigned char>(c)); });
}

std::string_view TrimRight(std::string_view s, char c) {
  while (s.ends_with(c)) s.remove_suffix(1);
  return s;
}
std::string_view TrimLeft(std::string_view s, char c) {
  while (s.starts_with(c)) s.remove_prefix(1);
  return s;
}

std::optional<Feature> ParseFeature(std::string_view target) {
  const bool is_signed = target.starts_with('-') || target.starts_with('+');
  if (AllDigits(target.substr(is_signed ? 1 : 0))) {
    // Levels beyond +-2 all act alike, so a long number need not be read exactly.
    int level = 0;
    const std::string_view digits = target.substr(is_signed ? 1 : 0);
    if (std::from_chars(digits.data(), digits.data() + digits.size(), level).ec != std::errc()) level = 1000;
    return Feature{Feature::Kind::kStress, target[0] == '-' ? -1.0 * level : 1.0 * level, ""};
  }
  if (target == "0.5" || target == "+0.5") return Feature{Feature::Kind::kStress, 0.5, ""};
  if (target == "-0.5") return Feature{Feature::Kind::kStress, -0.5, ""};
  if (target.size() < 2 || target.front() != target.back()) return std::nullopt;
  if (target[0] == '/') {
    return Feature{Feature::Kind::kPhonemes, 0, std::string(TrimLeft(TrimRight(target.substr(1), '/'), '/'))};
  }
  if (target[0] == '#') {
    return Feature{Feature::Kind::kNumberFlags, 0, std::string(TrimLeft(TrimRight(target.substr(1), '#'), '#'))};
  }
  return std::nullopt;
}

// Offset of the next `c` at or after a place that only moves forward; each byte is searched once.
class ForwardFinder {
 public:
  ForwardFinder(std::string_view s, char c) : s_(s), c_(c) {}
  size_t From(size_t place) {
    if (found_ == kUnknown || (found_ != std::string_view::npos && found_ < place)) found_ = s_.find(c_, place);
    return found_;
  }

 private:
  static constexpr size_t kUnknown = static_cast<size_t>(-2);
  std::string_view s_;
  char c_;
  size_t found_ = kUnknown;
};

void AddWords(std::string_view all, size_t begin, size_t end, std::vector<Markup::Word>* words) {
  size_t word_begin = begin;
  for (size_t position = begin; position < end;) {
    const size_t at = position;
    if (!text::IsSpace(text::NextCodePoint(all, &position))) continue;
    if (at > word_begin) words->push_back({word_begin, at, std::nullopt});
    word_begin = position;
  }
  if (end > word_begin) words->push_back({word_begin, end, std::nullopt});
}

}  // namespace

bool IsFeature(std::string_view target) { return ParseFeature(target).has_value(); }

Markup ReadMarkup(const text::MappedText& source, size_t begin, size_t end) {
  Markup markup;
  const std::string_view all = source.text().substr(0, end);
  begin = text::Trim(all, {begin, end}).begin;
  ForwardFinder bracket_end(all, ']'), target_end(all, ')');
  size_t copied = begin;
  bool has_feature = false;
  for (size_t open = all.find('[', begin); open != std::string_view::npos; open = all.find('[', open)) {
    const size_t close = bracket_end.From(open + 1);
    if (close == std::string_view::npos) break;
    const size_t target_close =
        close + 1 < end && all[close + 1] == '(' ? target_end.From(close + 2) : std::string_view::npos;
    if (close == open + 1 || target_close == std::string_view::npos) {
      ++open;
      continue;
    }
    const size_t before = markup.text.text().size();
    markup.text.AppendMapped(source, copied, open);
    const size_t link_begin = markup.text.text().size();
    AddWords(markup.text.text(), before, link_begin, &markup.words);
    markup.text.AppendMapped(source, open + 1, close);
    auto feature = ParseFeature(all.substr(close + 2, target_close - close - 2));
    has_feature = has_feature || feature;
    markup.words.push_back({link_begin, markup.text.text().size(), std::move(feature)});
    copied = open = target_close + 1;
  }
  const size_t before = markup.text.text().size();
  markup.text.AppendMapped(source, copied, end);
  if (has_feature) {
    AddWords(markup.text.text(), before, markup.text.text().size(), &markup.words);
  } else {
    markup.words.clear();
  }
  return markup;
}

}  // namespace koe::g2p::en
