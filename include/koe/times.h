// SPDX-License-Identifier: Apache-2.0
// When each word and sentence is heard, and files that say so.
#ifndef KOE_TIMES_H_
#define KOE_TIMES_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace koe {

// A piece of the caller's text, counted in bytes and in code points from the text's start.
struct TextSpan {
  size_t offset = 0;  // bytes
  size_t length = 0;
  size_t code_point_offset = 0;
  size_t code_point_length = 0;
};

// A word as it is heard. Samples count from the start of the signal (the whole call, or the whole stream). As kokoro
// 0.9.4 has it (KPipeline.join_timestamps): the white space between two words belongs half to either, the first word
// starts three frames before its first phoneme, and marks (punctuation) are words.
struct WordTime {
  std::string text;  // as the front end read it
  TextSpan span;
  size_t first_sample = 0;
  size_t num_samples = 0;
  size_t chunk = 0;        // index of the chunk it starts in; a word cut in two has both parts' time
  size_t sentence = 0;     // index of its sentence
  size_t first_token = 0;  // of ChunkInfo::tokens of that chunk
  size_t num_tokens = 0;   // 0 where nothing is spoken: then num_samples is 0
};

// From its first word's start to its last word's end.
struct SentenceTime {
  TextSpan span;
  size_t first_sample = 0;
  size_t num_samples = 0;
  size_t first_word = 0;  // index of its first WordTime
  size_t num_words = 0;
};

// Subtitles, one cue for each sentence; one of more than 84 characters (two lines of 42) is cut between words into as
// few cues as it takes. Cues never overlap. `text` is the text that was spoken.
std::string SubRip(std::string_view text, std::span<const WordTime> words, std::span<const SentenceTime> sentences);
std::string WebVtt(std::string_view text, std::span<const WordTime> words, std::span<const SentenceTime> sentences);

// {"sample_rate_hz": 24000, "words": [{"text", "start", "end" (seconds), "offset", "length", "code_point_offset",
// "code_point_length", "first_sample", "num_samples", "chunk", "sentence"}], "sentences": [the same without chunk]}
std::string TimesJson(std::span<const WordTime> words, std::span<const SentenceTime> sentences);

}  // namespace koe

#endif  // KOE_TIMES_H_
