// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "c_api/call.h"
#include "c_api/handles.h"

namespace koe::c_api {
namespace {

template <typename Enum, size_t n>
Result<void> ReadChoice(const char* what, int32_t value, const Enum (&choices)[n], Enum* choice) {
  if (value < 0 || static_cast<size_t>(value) >= n) {
    return Error(ErrorCode::kInvalidArgument,
                 std::string(what) + ": " + std::to_string(value) + ": must be 0 to " + std::to_string(n - 1));
  }
  *choice = choices[value];
  return {};
}

void ReadPause(float given, std::optional<float>* pause) {
  if (given < 0) {
    pause->reset();
  } else if (given != 0) {
    *pause = given;
  }
}

}  // namespace

Result<SynthesisOptions> ReadSynthesisOptions(const koe_synthesis_options* given) {
  KOE_TRY(const koe_synthesis_options c, ReadOptions("options", given));
  SynthesisOptions options;
  if (c.voice != nullptr) options.voice = c.voice;
  options.language = OrEmpty(c.language);
  if (c.lexicon != nullptr) options.lexicon = c.lexicon->lexicon;
  if (c.cancel != nullptr) options.cancel = &c.cancel->token;
  if (c.progress != nullptr) {
    options.progress = [call = c.progress, data = c.progress_data](const Progress& progress) {
      call(data, progress.fraction, progress.stage, progress.chunk, progress.num_chunks);
    };
  }
  options.seed = c.seed;
  if (c.max_chunk_seconds != 0) options.max_chunk_seconds = c.max_chunk_seconds;
  options.max_chunk_characters = c.max_chunk_characters;
  if (c.speed != 0) options.speed = c.speed;
  if (c.gain != 0) options.gain = c.gain;
  options.input_is_phonemes = c.input_is_phonemes != 0;
  KOE_CHECK_OK(ReadChoice("chunking", c.chunking,
                          {Chunking::kSentences, Chunking::kKokoro, Chunking::kPacked, Chunking::kParagraph},
                          &options.chunking));
  KOE_CHECK_OK(
      ReadChoice("first_audio", c.first_audio, {FirstAudio::kNatural, FirstAudio::kFast}, &options.first_audio));
  KOE_CHECK_OK(
      ReadChoice("voice_blend", c.voice_blend, {VoiceBlend::kLinear, VoiceBlend::kSpherical}, &options.voice_blend));
  options.markup = c.no_markup == 0;
  options.strict_markup = c.strict_markup != 0;
  ReadPause(c.word_pause, &options.pauses.word);
  ReadPause(c.clause_pause, &options.pauses.clause);
  ReadPause(c.sentence_pause, &options.pauses.sentence);
  ReadPause(c.paragraph_pause, &options.pauses.paragraph);
  return options;
}

koe_word_time WordTimeOf(const WordTime& word) {
  koe_word_time out = {};
  out.text = word.text.c_str();
  out.offset = word.span.offset;
  out.length = word.span.length;
  out.code_point_offset = word.span.code_point_offset;
  out.code_point_length = word.span.code_point_length;
  out.first_sample = word.first_sample;
  out.num_samples = word.num_samples;
  out.chunk = word.chunk;
  out.sentence = word.sentence;
  out.first_token = word.first_token;
  out.num_tokens = word.num_tokens;
  return out;
}

koe_chunk_info ChunkInfoOf(const ChunkInfo& chunk) {
  koe_chunk_info out = {};
  out.phonemes = chunk.phonemes.c_str();
  out.voice = chunk.voice.c_str();
  out.offset = chunk.span.offset;
  out.length = chunk.span.length;
  out.code_point_offset = chunk.span.code_point_offset;
  out.code_point_length = chunk.span.code_point_length;
  out.first_sample = chunk.first_sample;
  out.num_samples = chunk.num_samples;
  out.num_tokens = chunk.tokens.size();
  out.dropped_symbols = chunk.dropped_symbols;
  out.speed = chunk.speed;
  return out;
}

}  // namespace koe::c_api
