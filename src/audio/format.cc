// SPDX-License-Identifier: Apache-2.0
// Names of audio formats (declared in koe/koe.h).
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "koe/koe.h"

namespace koe {
namespace {

constexpr std::array<std::pair<std::string_view, AudioFormat>, 6> kFormats = {{
    {"wav", AudioFormat::kWav},
    {"flac", AudioFormat::kFlac},
    {"mp3", AudioFormat::kMp3},
    {"ogg", AudioFormat::kOgg},
    {"opus", AudioFormat::kOpus},
    {"raw", AudioFormat::kRaw},
}};
constexpr char kAllowed[] = "wav, flac, mp3, ogg, opus or raw";

std::optional<AudioFormat> Find(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto found = std::find_if(kFormats.begin(), kFormats.end(), [&](const auto& f) { return f.first == lower; });
  if (found == kFormats.end()) return std::nullopt;
  return found->second;
}

}  // namespace

Result<AudioFormat> ParseAudioFormat(std::string_view name) {
  if (const auto format = Find(name)) return *format;
  return Error(ErrorCode::kInvalidArgument, "format: '" + std::string(name) + "': must be " + kAllowed);
}

Result<AudioFormat> AudioFormatOfPath(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 == 0
  const size_t dot = name.rfind('.');
  const bool has_ending = dot != std::string_view::npos && dot > 0 && dot + 1 < name.size();
  if (has_ending) {
    if (const auto format = Find(name.substr(dot + 1))) return *format;
  }
  const std::string why = has_ending ? "unknown ending; it must be " : "no ending to tell the format by; it must be ";
  return Error(ErrorCode::kInvalidArgument, "output: '" + std::string(path) + "': " + why + kAllowed);
}

}  // namespace koe
