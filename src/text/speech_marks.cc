// SPDX-License-Identifier: Apache-2.0
#include "text/speech_marks.h"

#include <algorithm>
#include <charconv>

#include "text/unicode.h"

namespace koe::text {
namespace {

// A plain decimal number: digits, a full stop, no sign and no exponent.
std::optional<double> ParseNumber(std::string_view s) {
  if (s.empty() || s.size() > 16) return std::nullopt;
  for (const char c : s) {
    if (c != '.' && !IsAsciiDigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return value;
}

std::optional<double> ParseSeconds(std::string_view s) {
  double scale = 1;
  if (s.ends_with("ms")) {
    scale = 0.001;
    s.remove_suffix(2);
  } else if (s.ends_with("s")) {
    s.remove_suffix(1);
  } else {
    return std::nullopt;
  }
  const auto number = ParseNumber(s);
  if (!number || *number * scale > kMaxPauseSeconds) return std::nullopt;
  return *number * scale;
}

// Ids, weights, + and comma.
bool IsVoiceText(std::string_view s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return IsAsciiLetter(u) || IsAsciiDigit(u) || c == '_' || c == '-' || c == ':' || c == '.' || c == '+' || c == ',';
  });
}

}  // namespace

std::optional<SpeechMark> ParseSpeechMark(std::string_view text) {
  const size_t close = text.substr(0, kMaxMarkBytes).find(']');
  if (close == std::string_view::npos) return std::nullopt;
  if (close + 1 < text.size() && text[close + 1] == '(') return std::nullopt;  // [word](...)
  const std::string_view inner = text.substr(1, close - 1);
  SpeechMark mark;
  mark.length = close + 1;
  if (inner == "/rate" || inner == "/voice") {
    mark.kind = inner == "/rate" ? SpeechMark::Kind::kEndRate : SpeechMark::Kind::kEndVoice;
    return mark;
  }
  const size_t colon = inner.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view name = inner.substr(0, colon), value = inner.substr(colon + 1);
  if (name == "pause") {
    const auto seconds = ParseSeconds(value);
    if (!seconds) return std::nullopt;
    mark.number = *seconds;
    return mark;
  }
  if (name == "rate") {
    const auto rate = ParseNumber(value);
    if (!rate || *rate < kMinRate || *rate > kMaxRate) return std::nullopt;
    mark.kind = SpeechMark::Kind::kRate;
    mark.number = *rate;
    return mark;
  }
  if (name != "voice" || !IsVoiceText(value)) return std::nullopt;
  mark.kind = SpeechMark::Kind::kVoice;
  mark.voice = value;
  return mark;
}

bool LooksLikeSpeechMark(std::string_view text) {
  for (const std::string_view name : {"[pause", "[rate", "[voice", "[/rate", "[/voice", "[/pause"}) {
    if (text.starts_with(name)) return true;
  }
  return false;
}

}  // namespace koe::text
