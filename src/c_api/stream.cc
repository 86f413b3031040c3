// SPDX-License-Identifier: Apache-2.0
// Audio in chunks, pulled and pushed.
#include <memory>

#include "c_api/call.h"
#include "c_api/handles.h"

using namespace koe::c_api;  // NOLINT(google-build-using-namespace): the functions below are its outside

extern "C" {

const float* koe_chunk_samples(const koe_chunk* chunk) {
  return chunk == nullptr || chunk->audio == nullptr ? nullptr : chunk->audio->samples.data();
}
size_t koe_chunk_num_samples(const koe_chunk* chunk) {
  return chunk == nullptr || chunk->audio == nullptr ? 0 : chunk->audio->samples.size();
}
size_t koe_chunk_first_sample(const koe_chunk* chunk) {
  if (chunk == nullptr) return 0;
  return chunk->audio == nullptr ? chunk->plan->info.first_sample : chunk->audio->first_sample;
}
int32_t koe_chunk_is_last(const koe_chunk* chunk) {
  return chunk != nullptr && chunk->audio != nullptr && chunk->audio->is_last ? 1 : 0;
}
size_t koe_chunk_first_word(const koe_chunk* chunk) { return chunk == nullptr ? 0 : chunk->plan->first_word; }
size_t koe_chunk_num_words(const koe_chunk* chunk) { return chunk == nullptr ? 0 : chunk->plan->words.size(); }
void koe_chunk_free(koe_chunk* chunk) { delete chunk; }

koe_status koe_chunk_get_info(const koe_chunk* chunk, koe_chunk_info* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"chunk", chunk}}));
    return WriteStruct("out", ChunkInfoOf(chunk->plan->info), out);
  });
}

koe_status koe_chunk_word(const koe_chunk* chunk, size_t index, koe_word_time* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"chunk", chunk}}));
    KOE_CHECK_OK(CheckIndex("word", index, chunk->plan->words.size()));
    return WriteStruct("out", WordTimeOf(chunk->plan->words[index]), out);
  });
}

koe_status koe_synthesize_chunks(const koe_engine* engine, const char* text, size_t length,
                                 const koe_synthesis_options* options, koe_chunk_callback callback, void* user_data,
                                 koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}}));
    if (callback == nullptr) return NullArgument("callback");
    KOE_TRY(const std::string_view input, ReadText(text, length));
    KOE_TRY(const koe::SynthesisOptions wanted, ReadSynthesisOptions(options));
    KOE_CHECK_OK(engine->engine.Synthesize(input, wanted, [&](const koe::AudioChunk& audio) {
      const koe_chunk chunk{&audio.plan, &audio};
      return callback(user_data, &chunk) == KOE_CONTINUE;
    }));
    return {};
  });
}

koe_status koe_stream_open(const koe_engine* engine, const char* text, size_t length,
                           const koe_synthesis_options* options, const koe_stream_options* stream_options,
                           koe_stream** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}}));
    KOE_TRY(const koe::SynthesisOptions wanted, ReadSynthesisOptions(options));
    KOE_TRY(const koe_stream_options c, ReadOptions("stream_options", stream_options));
    koe::StreamOptions ahead;
    if (c.max_seconds_ahead != 0) ahead.max_seconds_ahead = c.max_seconds_ahead;
    if (text == nullptr) {
      KOE_TRY(koe::Stream stream, engine->engine.OpenStream(wanted, ahead));
      *out = new koe_stream{std::move(stream)};
      return {};
    }
    KOE_TRY(const std::string_view input, ReadText(text, length));
    KOE_TRY(koe::Stream stream, engine->engine.OpenStream(input, wanted, ahead));
    *out = new koe_stream{std::move(stream)};
    return {};
  });
}

koe_status koe_stream_next(koe_stream* stream, koe_chunk** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"stream", stream}}));
    auto chunk = std::make_unique<koe_chunk>();  // before the audio is taken, which cannot be had twice
    KOE_TRY(chunk->own_audio, stream->stream.Next());
    if (!chunk->own_audio) return {};
    chunk->audio = &*chunk->own_audio;
    chunk->plan = &chunk->audio->plan;
    *out = chunk.release();
    return {};
  });
}

koe_status koe_stream_peek(koe_stream* stream, koe_chunk** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"stream", stream}}));
    auto chunk = std::make_unique<koe_chunk>();
    KOE_TRY(chunk->own_plan, stream->stream.Peek());
    if (!chunk->own_plan) return {};
    chunk->plan = &*chunk->own_plan;
    *out = chunk.release();
    return {};
  });
}

koe_status koe_stream_push(koe_stream* stream, const char* text, size_t length, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"stream", stream}}));
    KOE_TRY(const std::string_view input, ReadText(text, length));
    return stream->stream.Push(input);
  });
}

koe_status koe_stream_finish(koe_stream* stream, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"stream", stream}}));
    return stream->stream.Finish();
  });
}

void koe_stream_cancel(koe_stream* stream) {
  if (stream != nullptr) stream->stream.Cancel();
}
void koe_stream_free(koe_stream* stream) { delete stream; }

koe_status koe_stream_get_statistics(const koe_stream* stream, koe_stream_statistics* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"stream", stream}}));
    const koe::StreamStatistics statistics = stream->stream.Statistics();
    return WriteStruct("out",
                       koe_stream_statistics{0, statistics.num_chunks, statistics.num_samples, statistics.unknown_words,
                                             statistics.first_audio_seconds, statistics.wall_seconds},
                       out);
  });
}

}  // extern "C"
