// SPDX-License-Identifier: Apache-2.0
// Whole audio and its times.
#include "c_api/call.h"
#include "c_api/handles.h"

using namespace koe::c_api;  // NOLINT(google-build-using-namespace): the functions below are its outside

extern "C" {

koe_status koe_synthesize(const koe_engine* engine, const char* text, size_t length,
                          const koe_synthesis_options* options, koe_audio** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}}));
    KOE_TRY(const std::string_view input, ReadText(text, length));
    KOE_TRY(const koe::SynthesisOptions wanted, ReadSynthesisOptions(options));
    KOE_TRY(koe::Audio audio, engine->engine.Synthesize(input, wanted));
    *out = new koe_audio{std::move(audio), std::string(input)};
    return {};
  });
}

koe_status koe_synthesize_prepared(const koe_engine* engine, const koe_prepared* prepared, size_t first,
                                   size_t num_chunks, const koe_cancel* cancel, koe_audio** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}, {"prepared", prepared}}));
    const std::span<const koe::PreparedChunk> chunks = prepared->prepared.chunks;
    KOE_CHECK_OK(CheckIndex("first", first, chunks.size()));
    if (num_chunks == 0 || num_chunks > chunks.size() - first) {
      return koe::Error(
          koe::ErrorCode::kInvalidArgument,
          "num_chunks: " + std::to_string(num_chunks) + ": must be 1 to " + std::to_string(chunks.size() - first));
    }
    koe::RunOptions run;
    if (cancel != nullptr) run.cancel = &cancel->token;
    KOE_TRY(koe::Audio audio, engine->engine.SynthesizePrepared(chunks.subspan(first, num_chunks), run));
    *out = new koe_audio{std::move(audio), prepared->text};
    return {};
  });
}

void koe_audio_free(koe_audio* audio) { delete audio; }
const float* koe_audio_samples(const koe_audio* audio) {
  return audio == nullptr ? nullptr : audio->audio.samples.data();
}
size_t koe_audio_num_samples(const koe_audio* audio) { return audio == nullptr ? 0 : audio->audio.samples.size(); }
size_t koe_audio_num_words(const koe_audio* audio) { return audio == nullptr ? 0 : audio->audio.word_times.size(); }
size_t koe_audio_num_sentences(const koe_audio* audio) {
  return audio == nullptr ? 0 : audio->audio.sentence_times.size();
}
size_t koe_audio_num_chunks(const koe_audio* audio) { return audio == nullptr ? 0 : audio->audio.chunks.size(); }

koe_status koe_audio_word(const koe_audio* audio, size_t index, koe_word_time* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"audio", audio}}));
    KOE_CHECK_OK(CheckIndex("word", index, audio->audio.word_times.size()));
    return WriteStruct("out", WordTimeOf(audio->audio.word_times[index]), out);
  });
}

koe_status koe_audio_sentence(const koe_audio* audio, size_t index, koe_sentence_time* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"audio", audio}}));
    KOE_CHECK_OK(CheckIndex("sentence", index, audio->audio.sentence_times.size()));
    const koe::SentenceTime& sentence = audio->audio.sentence_times[index];
    koe_sentence_time c = {};
    c.offset = sentence.span.offset;
    c.length = sentence.span.length;
    c.code_point_offset = sentence.span.code_point_offset;
    c.code_point_length = sentence.span.code_point_length;
    c.first_sample = sentence.first_sample;
    c.num_samples = sentence.num_samples;
    c.first_word = sentence.first_word;
    c.num_words = sentence.num_words;
    return WriteStruct("out", c, out);
  });
}

koe_status koe_audio_chunk(const koe_audio* audio, size_t index, koe_chunk_info* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"audio", audio}}));
    KOE_CHECK_OK(CheckIndex("chunk", index, audio->audio.chunks.size()));
    return WriteStruct("out", ChunkInfoOf(audio->audio.chunks[index]), out);
  });
}

koe_status koe_audio_token(const koe_audio* audio, size_t chunk, size_t index, koe_token_time* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"audio", audio}}));
    KOE_CHECK_OK(CheckIndex("chunk", chunk, audio->audio.chunks.size()));
    const std::vector<koe::TokenInfo>& tokens = audio->audio.chunks[chunk].tokens;
    KOE_CHECK_OK(CheckIndex("token", index, tokens.size()));
    const koe::TokenInfo& token = tokens[index];
    return WriteStruct("out", koe_token_time{0, token.id, token.num_frames, token.first_sample}, out);
  });
}

koe_status koe_audio_times(const koe_audio* audio, int32_t format, koe_buffer** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"audio", audio}}));
    const koe::Audio& speech = audio->audio;
    std::string bytes;
    switch (format) {
      case KOE_TIMES_SRT:
        bytes = koe::SubRip(audio->text, speech.word_times, speech.sentence_times);
        break;
      case KOE_TIMES_VTT:
        bytes = koe::WebVtt(audio->text, speech.word_times, speech.sentence_times);
        break;
      case KOE_TIMES_JSON:
        bytes = koe::TimesJson(speech.word_times, speech.sentence_times);
        break;
      default:
        return koe::Error(koe::ErrorCode::kInvalidArgument, "format: " + std::to_string(format) + ": must be 0 to 2");
    }
    *out = new koe_buffer{std::move(bytes)};
    return {};
  });
}

}  // extern "C"
