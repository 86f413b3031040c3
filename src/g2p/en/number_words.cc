// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/number_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

namespace koe::g2p::en {
namespace {

constexpr std::array<const char*, 20> kSmall = {
    "zero", "one",    "two",    "three",    "four",     "five",    "six",     "seven",     "eight",    "nine",
    "ten",  "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<const char*, 10> kTens = {"",      "",      "twenty",  "thirty", "forty",
                                               "fifty", "sixty", "seventy", "eighty", "ninety"};
constexpr std::array<std::pair<const char*, const char*>, 8> kIrregularOrdinals = {{{"one", "first"},
                                                                                    {"two", "second"},
                                                                                    {"three", "third"},
                                                                                    {"five", "fifth"},
                                                                                    {"eight", "eighth"},
                                                                                    {"nine", "ninth"},
                                                                                    {"twelve", "twelfth"},
                                                                                    {"four", "fourth"}}};

// Name of 1000^(index + 1): thousand, million, ..., centillion at 1000^101.
std::string ScaleName(size_t index) {
  static constexpr std::array<const char*, 9> kLow = {"m", "b", "tr", "quadr", "quint", "sext", "sept", "oct", "non"};
  static constexpr std::array<const char*, 10> kUnits = {"",     "un",  "duo",  "tre",  "quattuor",
                                                         "quin", "sex", "sept", "octo", "novem"};
  static constexpr std::array<const char*, 9> kTensNames = {
      "dec", "vigint", "trigint", "quadragint", "quinquagint", "sexagint", "septuagint", "octogint", "nonagint"};
  if (index == 0) return "thousand";
  if (index <= kLow.size()) return std::string(kLow[index - 1]) + "illion";
  const size_t latin = index - kLow.size() - 1;  // 0: decillion
  if (latin < 90) return std::string(kUnits[latin % 10]) + kTensNames[latin / 10] + "illion";
  return "centillion";
}

// group: 1..999
void AppendGroup(int group, Words* words) {
  if (group >= 100) {
    words->push_back(kSmall[static_cast<size_t>(group / 100)]);
    words->push_back("hundred");
    if (group % 100 != 0) words->push_back("and");
  }
  const int rest = group % 100;
  if (rest == 0) return;
  if (rest < 20) {
    words->push_back(kSmall[static_cast<size_t>(rest)]);
    return;
  }
  words->push_back(kTens[static_cast<size_t>(rest / 10)]);
  if (rest % 10 != 0) words->push_back(kSmall[static_cast<size_t>(rest % 10)]);
}

std::string_view WithoutLeadingZeros(std::string_view digits) {
  return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
}

void AppendDigits(std::string_view digits, Words* words) {
  for (const char c : digits) words->push_back(kSmall[static_cast<size_t>(c - '0')]);
}

}  // namespace

Words CardinalWords(std::string_view digits) {
  Words words;
  const std::string_view significant = WithoutLeadingZeros(digits);
  if (significant.empty()) return {"zero"};
  if (significant.size() > kMaxNamedDigits) {
    AppendDigits(significant, &words);
    return words;
  }
  const size_t num_groups = (significant.size() + 2) / 3;
  for (size_t g = num_groups; g-- > 0;) {
    const size_t end = significant.size() - 3 * g;
    const size_t begin = end > 3 ? end - 3 : 0;
    int group = 0;
    for (size_t i = begin; i < end; ++i) group = group * 10 + (significant[i] - '0');
    if (group == 0) continue;
    if (g == 0 && group < 100 && !words.empty()) words.push_back("and");
    AppendGroup(group, &words);
    if (g > 0) words.push_back(ScaleName(g - 1));
  }
  return words;
}

Words OrdinalWords(std::string_view digits) {
  Words words = CardinalWords(digits);
  std::string& last = words.back();
  for (const auto& [cardinal, ordinal] : kIrregularOrdinals) {
    if (last == cardinal) {
      last = ordinal;
      return words;
    }
  }
  if (last.back() == 'y') last.replace(last.size() - 1, 1, "ie");
  last += "th";
  return words;
}

Words YearWords(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  const int high = value / 100, low = value % 100;
  if (high == 0 || (high % 10 == 0 && low < 10) || high >= 100) return CardinalWords(digits);
  Words words;
  AppendGroup(high, &words);
  if (low == 0) {
    words.push_back("hundred");
  } else {
    if (low < 10) words.push_back("oh");
    AppendGroup(low, &words);
  }
  return words;
}

namespace {

// num2words takes a whole double apart by dividing doubles by powers of 1000, which rounds above 2^53; exact below.
Words WholeDoubleWords(double value) {
  Words words;
  char digits[400];  // 309 digits at most
  for (size_t g = kMaxNamedDigits / 3 - 1; g > 0; --g) {
    // Written out, a double has more digits than a power of ten where it is not below it.
    if (static_cast<size_t>(std::snprintf(digits, sizeof(digits), "%.0f", value)) <= 3 * g) continue;
    double power = 0;
    const std::string text = "1e" + std::to_string(3 * g);
    std::from_chars(text.data(), text.data() + text.size(), power);
    const double rest = std::fmod(value, power);
    std::snprintf(digits, sizeof(digits), "%.0f", std::nearbyint((value - rest) / power));
    const Words count = CardinalWords(digits);
    words.insert(words.end(), count.begin(), count.end());
    words.push_back(ScaleName(g - 1));
    value = rest;
  }
  if (value == 0 && !words.empty()) return words;
  if (value < 100 && !words.empty()) words.push_back("and");
  std::snprintf(digits, sizeof(digits), "%.0f", value);
  const Words rest = CardinalWords(digits);
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

Words DigitsWithPoint(std::string_view number) {
  Words words;
  for (const char c : number) {
    if (c == '.') words.push_back("point");
    if (c != '.') AppendDigits({&c, 1}, &words);
  }
  return words;
}

}  // namespace

Words DecimalWords(std::string_view number) {
  const size_t point = std::min(number.find('.'), number.size());
  Words words = CardinalWords(number.substr(0, point));
  std::string_view decimals = number.substr(std::min(point + 1, number.size()));
  decimals = decimals.substr(0, decimals.find_last_not_of('0') + 1);
  if (decimals.empty()) return words;
  words.push_back("point");
  AppendDigits(decimals, &words);
  return words;
}

Words DoubleWords(std::string_view number) {
  double value = 0;
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
  if (parsed.ec != std::errc() || !std::isfinite(value)) return DigitsWithPoint(number);
  char buffer[400];  // 309 digits before the point at most
  if (value == std::floor(value)) {
    if (std::snprintf(buffer, sizeof(buffer), "%.0f", value) > static_cast<int>(kMaxNamedDigits)) {
      return DigitsWithPoint(number);
    }
    return WholeDoubleWords(value);
  }
  // Python's repr switches to an exponent below 1e-4; the number of decimals is the same either way.
  const auto shortest = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
  const std::string_view repr(buffer, static_cast<size_t>(shortest.ptr - buffer));
  const size_t exponent_mark = repr.find('e');
  const size_t point = repr.find('.');
  const size_t mantissa_decimals = point == std::string_view::npos ? 0 : exponent_mark - point - 1;
  int exponent = 0;
  const std::string_view exponent_text = repr.substr(exponent_mark + 1);
  std::from_chars(exponent_text.data() + (exponent_text[0] == '+' ? 1 : 0), exponent_text.data() + exponent_text.size(),
                  exponent);
  const int precision = static_cast<int>(mantissa_decimals) - exponent;
  const double whole = std::trunc(value);
  double decimals = std::fabs(value - whole) * std::pow(10.0, precision);
  decimals = std::fabs(std::nearbyint(decimals) - decimals) < 0.01 ? std::nearbyint(decimals) : std::floor(decimals);
  std::snprintf(buffer, sizeof(buffer), "%.0f", whole);
  Words words = CardinalWords(buffer);
  words.push_back("point");
  std::snprintf(buffer, sizeof(buffer), "%0*.0f", precision, decimals);
  AppendDigits(std::string_view(buffer).substr(0, static_cast<size_t>(precision)), &words);
  return words;
}

}  // namespace koe::g2p::en
