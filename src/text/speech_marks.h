// SPDX-License-Identifier: Apache-2.0
// Marks in a text that say how it is to be spoken: [pause:1.5s], [rate:0.9]...[/rate], [voice:af_heart]...[/voice]
// (docs/markup.md). Pronunciations, [word](...), are the front end's.
#ifndef KOE_TEXT_SPEECH_MARKS_H_
#define KOE_TEXT_SPEECH_MARKS_H_

#include <cstddef>
#include <optional>
#include <string_view>

namespace koe::text {

inline constexpr size_t kMaxMarkBytes = 256;
inline constexpr double kMaxPauseSeconds = 60;
inline constexpr double kMinRate = 0.25, kMaxRate = 4;

struct SpeechMark {
  enum class Kind { kPause, kRate, kVoice, kEndRate, kEndVoice };
  Kind kind = Kind::kPause;
  double number = 0;       // seconds in [0, kMaxPauseSeconds], or a factor of the speed in [kMinRate, kMaxRate]
  std::string_view voice;  // of the text; not empty, not yet looked up
  size_t length = 0;       // bytes, with both brackets
};

// The mark at the start of `text`, which starts with '['. nullopt: this is no mark, or a malformed one.
std::optional<SpeechMark> ParseSpeechMark(std::string_view text);
// Whether `text`, which starts with '[', starts as a mark does: what strict markup complains about when it is none.
bool LooksLikeSpeechMark(std::string_view text);

}  // namespace koe::text

#endif  // KOE_TEXT_SPEECH_MARKS_H_
