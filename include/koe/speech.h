// SPDX-License-Identifier: Apache-2.0
// What is asked of a synthesis and what comes of it.
#ifndef KOE_SPEECH_H_
#define KOE_SPEECH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "koe/common.h"
#include "koe/text.h"
#include "koe/times.h"

namespace koe {

// How soon the first audio comes.
//   kNatural: chunks are what `chunking` says.
//   kFast: the first three chunks are cut short at clauses, else before a function word, so that the first one is a
//     matter of some words and none is waited for by whoever plays the ones before it.
enum class FirstAudio { kNatural, kFast };

// How voices are mixed: "af_heart:0.7+bm_george:0.3".
//   kLinear: the weighted mean of their style vectors.
//   kSpherical: along the great circle between their directions, at the weighted mean of their lengths; voices are
//     added one by one. The halves of a row (acoustic, prosody) are mixed each by itself.
enum class VoiceBlend { kLinear, kSpherical };

// Silence at a cut, in seconds, by what stands at the cut; nullopt: what the model speaks there. It is measured between
// what may be sound by the durations: up to 5 frames behind the start of the last phoneme and from 5 frames before the
// first one on; the pause that is heard is up to 0.25 s longer. Not used with Chunking::kKokoro. Within [0, 10].
struct Pauses {
  std::optional<float> word = 0.03f;    // within a clause
  std::optional<float> clause = 0.15f;  // after , ; : and dashes
  std::optional<float> sentence;        // after a sentence
  std::optional<float> paragraph;       // between paragraphs
};

struct SynthesisOptions {
  // An id, or several with weights: "af_heart:0.7+bm_george:0.3". Weights are at least 0 and are divided by their sum;
  // without one a voice has 1. "af_heart,af_bella" is the same as "af_heart+af_bella".
  std::string voice = "af_heart";
  float speed = 1.0f;              // finite, 0.25..4; durations are divided by it
  std::string language;            // "": from the (first) voice (b*: en-gb, else en-us); or en-us, en-gb
  bool input_is_phonemes = false;  // the input is a string of Kokoro's phoneme symbols, not text
  Chunking chunking = Chunking::kSentences;
  UserLexicon lexicon;
  uint64_t seed = 0;  // of the harmonic source's noise; the same seed gives the same samples
  const CancelToken* cancel = nullptr;
  ProgressCallback progress;  // not called for streams

  FirstAudio first_audio = FirstAudio::kNatural;
  double max_chunk_seconds = 15;    // estimated; 0.25..60
  size_t max_chunk_characters = 0;  // counts instead of max_chunk_seconds unless 0
  VoiceBlend voice_blend = VoiceBlend::kLinear;
  Pauses pauses;
  float gain = 1;              // factor of every sample, 0..16
  bool markup = true;          // read [pause:], [rate:], [voice:] (docs/markup.md); [word](...) is always read
  bool strict_markup = false;  // markup that is malformed is kInvalidArgument, not text
};

// What a chunk ends at.
enum class Cut { kWord, kClause, kSentence, kParagraph };

// A word of a prepared chunk.
struct PreparedWord {
  WordInfo info;
  TextSpan span;
  size_t sentence = 0;       // index of its sentence in the whole text
  size_t first_token = 0;    // of token_ids
  size_t num_tokens = 0;     // 0 where nothing is spoken
  bool space_token = false;  // the token after them is the white space behind the word
  bool continues = false;    // the rest of a word that began in the chunk before
};

// All that is needed to synthesise one chunk; made by Engine::Prepare.
struct PreparedChunk {
  std::string text;  // as given, from the start of the first of `words` to the end of the last
  TextSpan span;
  std::string phonemes;            // 1..510 symbols
  std::vector<int32_t> token_ids;  // 0 at both ends; at most 512
  std::vector<float> voice_row;    // [256]: acoustic style, prosody style
  std::string voice;               // as it was asked for
  float speed = 1;
  float gain = 1;
  uint64_t seed = 0;                // of this chunk's noise
  Cut cut = Cut::kSentence;         // what it ends at
  std::optional<float> pause;       // silence at its end, in seconds (Pauses); nullopt: what the model speaks
  double pause_before = 0;          // seconds of silence that markup puts before it
  double pause_after = 0;           // and after it: of a text's last chunk
  double estimated_seconds = 0;     // of its audio
  size_t dropped_symbols = 0;       // phoneme characters that the vocabulary lacks
  std::vector<PreparedWord> words;  // empty for phoneme input; with unspoken ones before it, in the last also behind it
};

struct Prepared {
  std::vector<PreparedChunk> chunks;  // at least one
  size_t unknown_words = 0;           // words that no dictionary has
  double g2p_seconds = 0;             // wall time of the front end
};

struct TokenInfo {
  int32_t id;          // 0 at both ends of a chunk
  int32_t num_frames;  // duration frames of 600 samples, at least 1
  // Where its frames start in Audio::samples; what was cut away at a chunk's ends counts as its first or last sample.
  size_t first_sample = 0;
};

struct ChunkInfo {
  size_t text_offset = 0;  // bytes into the input, of this chunk's first word, spoken or not
  size_t text_length = 0;  // bytes
  std::string phonemes;
  size_t dropped_symbols = 0;     // phoneme characters that the vocabulary lacks
  std::vector<TokenInfo> tokens;  // with both boundary tokens
  size_t first_sample = 0;        // in Audio::samples
  // 600 x sum of frames, less what a pause shorter than the model's cuts away; neighbours overlap by the 120 samples of
  // their cross-fade.
  size_t num_samples = 0;
  TextSpan span;  // text_offset and text_length again, with code points
  std::string voice;
  float speed = 1;
};

struct StageTime {
  std::string stage;  // g2p (text input), tokens, duration, alignment, prosody, decoder, harmonic_source, generator
  double seconds;     // wall time, summed over chunks; stages that run side by side overlap
};

struct Audio {
  std::vector<float> samples;
  int sample_rate_hz = kSampleRateHz;
  std::vector<ChunkInfo> chunks;
  std::vector<StageTime> stages;
  double wall_seconds = 0;
  std::vector<WordInfo> words;  // empty for phoneme input
  size_t unknown_words = 0;
  std::vector<WordTime> word_times;  // one for each of `words` that is in a chunk, in order
  std::vector<SentenceTime> sentence_times;
  double seconds() const { return static_cast<double>(samples.size()) / sample_rate_hz; }
};

}  // namespace koe

#endif  // KOE_SPEECH_H_
