// SPDX-License-Identifier: Apache-2.0
// Numbers as misaki reads them: years, ordinals, digits glued to letters, money, decimals.
#include <algorithm>
#include <array>

#include "g2p/en/number_words.h"
#include "g2p/en/pronouncer.h"
#include "text/unicode.h"

namespace koe::g2p::en {
namespace {

using text::IsAsciiDigit;

bool IsDigit(char c) { return IsAsciiDigit(static_cast<unsigned char>(c)); }
bool AllDigits(std::string_view s) { return !s.empty() && std::all_of(s.begin(), s.end(), IsDigit); }
bool IsOrdinalSuffix(std::string_view s) { return s == "st" || s == "nd" || s == "rd" || s == "th"; }

bool IsOne(std::string_view digits) {
  return digits.ends_with('1') && digits.find_first_not_of('0') == digits.size() - 1;
}
bool IsZero(std::string_view digits) { return digits.find_first_not_of('0') == std::string_view::npos; }

constexpr std::array<std::array<const char*, 2>, 4> kUnits = {  // by Currency
    {{"", ""}, {"dollar", "cent"}, {"pound", "pence"}, {"euro", "cent"}}};

std::string WithoutCommas(std::string_view s) {
  std::string out(s);
  out.erase(std::remove(out.begin(), out.end(), ','), out.end());
  return out;
}

}  // namespace

bool IsNumber(std::string_view word, bool is_head) {
  if (std::none_of(word.begin(), word.end(), IsDigit)) return false;
  for (const std::string_view suffix : {"ing", "'d", "ed", "'s", "st", "nd", "rd", "th", "s"}) {
    if (word.ends_with(suffix)) {
      word.remove_suffix(suffix.size());
      break;
    }
  }
  for (size_t i = 0; i < word.size(); ++i) {
    if (!IsDigit(word[i]) && word[i] != ',' && word[i] != '.' && !(is_head && i == 0 && word[i] == '-')) return false;
  }
  return true;
}

Pronouncer::Found Pronouncer::Number(std::string_view word, const WordRequest& request) const {
  size_t suffix_begin = word.size();
  while (suffix_begin > 0 &&
         (text::IsAsciiLower(static_cast<unsigned char>(word[suffix_begin - 1])) || word[suffix_begin - 1] == '\'')) {
    --suffix_begin;
  }
  const std::string_view suffix = word.substr(suffix_begin);
  word = word.substr(0, suffix_begin);
  const bool speaks_and = request.number_flags.find('&') != std::string_view::npos;
  const bool weak_and = request.number_flags.find('n') != std::string_view::npos;
  const bool weak_one = request.number_flags.find('a') != std::string_view::npos;

  std::vector<std::string> spoken;
  const auto say = [&](std::string_view name, std::optional<double> stress = std::nullopt) {
    if (auto found = LookupPlain(name, stress)) spoken.push_back(std::move(found->phonemes));
  };
  const auto extend = [&](const Words& words, bool is_first = true) {
    for (size_t i = 0; i < words.size(); ++i) {
      const std::string& name = words[i];
      if (name == "and" && !speaks_and) {
        if (weak_and && !spoken.empty()) spoken.back() += "ən";
      } else if (is_first && i == 0 && words.size() > 1 && name == "one" && weak_one) {
        spoken.push_back("ə");
      } else {
        say(name, name == "point" ? std::optional<double>(-2) : std::nullopt);
      }
    }
  };
  const auto extend_digits = [&](std::string_view digits) {
    for (const char digit : digits) extend(CardinalWords({&digit, 1}), false);
  };

  const bool is_negative = word.starts_with('-');
  if (is_negative) {
    say("minus");
    word.remove_prefix(1);
  }
  const bool has_dot = word.find('.') != std::string_view::npos;
  const auto num_dots = std::count(word.begin(), word.end(), '.');
  const bool has_currency = request.currency != Currency::kNone;
  const std::string plain = WithoutCommas(word);
  const bool reads_money = has_currency && (!has_dot || plain.size() - plain.find('.') - 1 < 3);
  if (AllDigits(word) && IsOrdinalSuffix(suffix)) {
    extend(OrdinalWords(word));
  } else if (!is_negative && word.size() == 4 && !has_currency && AllDigits(word)) {
    extend(YearWords(word));
  } else if (!request.is_head && !has_dot) {
    if (plain.starts_with('0') || plain.size() > 3) {
      extend_digits(plain);
    } else if (plain.size() == 3 && !plain.ends_with("00")) {
      extend(CardinalWords(std::string_view(plain).substr(0, 1)));
      if (plain[1] == '0') {
        say("O", -2);
        extend(CardinalWords(std::string_view(plain).substr(2)), false);
      } else {
        extend(CardinalWords(std::string_view(plain).substr(1)), false);
      }
    } else if (!plain.empty()) {
      extend(CardinalWords(plain));
    }
  } else if (num_dots > 1 || !request.is_head) {
    bool is_first = true;
    for (size_t begin = 0; begin <= plain.size();) {
      const size_t end = std::min(plain.find('.', begin), plain.size());
      const std::string_view group = std::string_view(plain).substr(begin, end - begin);
      if (!group.empty()) {
        if (group[0] == '0' || (group.size() != 2 && !IsZero(group.substr(1)))) {
          extend_digits(group);
        } else {
          extend(CardinalWords(group), is_first);
        }
      }
      is_first = false;
      begin = end + 1;
    }
  } else if (reads_money) {
    const auto& units = kUnits[static_cast<size_t>(request.currency)];
    const size_t dot = std::min(plain.find('.'), plain.size());
    struct Amount {
      std::string_view digits;
      std::string_view unit;
    };
    std::string cents;
    std::vector<Amount> amounts = {{std::string_view(plain).substr(0, dot), units[0]}};
    if (has_dot) {
      cents = plain.substr(dot + 1);
      if (cents.size() == 1 && !misaki_quirks_) cents += '0';
      amounts.push_back({cents, units[1]});
      if (IsZero(amounts[1].digits)) {
        amounts.pop_back();
      } else if (IsZero(amounts[0].digits)) {
        amounts.erase(amounts.begin());
      }
    }
    for (size_t i = 0; i < amounts.size(); ++i) {
      if (i > 0) say("and");
      extend(CardinalWords(amounts[i].digits), i == 0);
      if (IsOne(amounts[i].digits) || amounts[i].unit == "pence") {
        say(amounts[i].unit);
      } else if (auto plural = Plural(amounts[i].unit)) {
        spoken.push_back(std::move(plural->phonemes));
      }
    }
  } else if (!has_dot) {
    extend(IsOrdinalSuffix(suffix) && !AllDigits(word) ? OrdinalWords(plain) : CardinalWords(plain));
  } else if (plain.starts_with('.')) {
    Words words = {"point"};
    for (const char digit : plain.substr(1)) words.push_back(CardinalWords({&digit, 1}).front());
    extend(words);
  } else {
    extend(misaki_quirks_ ? DoubleWords(plain) : DecimalWords(plain));
  }
  if (has_currency && has_dot && num_dots == 1 && !reads_money && request.is_head && !misaki_quirks_) {
    if (auto plural = Plural(kUnits[static_cast<size_t>(request.currency)][0])) {
      spoken.push_back(std::move(plural->phonemes));
    }
  }
  if (spoken.empty()) return std::nullopt;
  std::string phonemes;
  for (const std::string& piece : spoken) {
    if (!phonemes.empty()) phonemes += ' ';
    phonemes += piece;
  }
  if (suffix == "s" || suffix == "'s") phonemes = AddS(phonemes);
  if (suffix == "ed" || suffix == "'d") phonemes = AddEd(std::move(phonemes));
  if (suffix == "ing") phonemes = AddIng(std::move(phonemes));
  if (phonemes.empty()) return std::nullopt;
  return Pronunciation{std::move(phonemes), Source::kNumber};
}

}  // namespace koe::g2p::en
