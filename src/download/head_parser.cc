// SPDX-License-Identifier: Apache-2.0
// Header lines of an untrusted server. What is malformed counts as absent, never as zero.
#include <charconv>

#include "download/transport.h"

namespace koe::download {
namespace {

constexpr size_t kMaxEtagBytes = 512;

std::string_view Trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

// Digits only: no sign, nothing behind.
std::optional<uint64_t> Number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<ContentRange> Range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (LowerCase(text.substr(0, kUnit.size())) != kUnit) return std::nullopt;
  text.remove_prefix(kUnit.size());
  const size_t dash = text.find('-'), slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || dash > slash) return std::nullopt;
  const auto first = Number(Trimmed(text.substr(0, dash)));
  const auto last = Number(Trimmed(text.substr(dash + 1, slash - dash - 1)));
  const std::string_view total = Trimmed(text.substr(slash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  ContentRange range{*first, *last, Number(total)};
  if (!range.total && total != "*") return std::nullopt;
  return range;
}

std::string Etag(std::string_view text) {
  if (text.empty() || text.size() > kMaxEtagBytes) return "";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "";
  }
  return std::string(text);
}

}  // namespace

void HeadParser::Line(std::string_view line) {
  if (line.substr(0, 5) == "HTTP/") {
    head_ = {};
    const size_t space = line.find(' ');
    const auto status = space == std::string_view::npos ? std::nullopt : Number(line.substr(space + 1, 3));
    head_.status = status ? static_cast<int>(*status) : 0;
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = LowerCase(Trimmed(line.substr(0, colon)));
  const std::string_view value = Trimmed(line.substr(colon + 1));
  if (name == "content-length") head_.content_length = Number(value);
  if (name == "etag") head_.etag = Etag(value);
  if (name == "content-encoding") head_.content_encoding = LowerCase(value.substr(0, 64));
  if (name == "content-range") head_.content_range = Range(value);
  if (name == "retry-after") head_.retry_after_s = static_cast<double>(Number(value).value_or(0));
}

}  // namespace koe::download
