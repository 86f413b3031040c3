// SPDX-License-Identifier: Apache-2.0
// Koe in C11, and the binary interface of libkoe.so for every other language. What things mean is said in the C++
// headers beside this one; here is how they are passed. docs/c_api.md has examples.
//
// Handles are opaque; X_free takes null. Text is UTF-8 with a length in bytes, or KOE_NUL_TERMINATED. Functions that
// can fail return a status and fill in *error (which may be null); *out is null unless they return KOE_OK.
//
// A struct's first field is its size as the caller was compiled: set it, and set the rest to 0, which means the default
// everywhere (KOE_INIT does both). A library that knows more fields takes the missing ones as 0; one that knows fewer
// returns KOE_ERR_UNSUPPORTED where an unknown field of options is not 0. Results: fields that the library does not
// know are left as they are. Strings in results live as long as the handle they were read from.
//
// Thread-safe: an engine, with any number of threads; a cancel; everything that is const. A stream: as koe/stream.h.
// No function throws, prints, or ends the process.
#ifndef KOE_KOE_C_H_
#define KOE_KOE_C_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define KOE_C_EXPORT
#else
#define KOE_C_EXPORT __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

// NOLINTBEGIN(readability-identifier-naming): C's names, not those of the C++ sources.

// Of this header. The library takes what was compiled for the same or a lower one.
#define KOE_C_API_VERSION 1
#define KOE_NUL_TERMINATED ((size_t)-1)
#define KOE_SAMPLE_RATE_HZ 24000

// KOE_INIT(&options): all fields 0, the size set.
#define KOE_INIT(pointer) koe_struct_init((pointer), sizeof *(pointer))
KOE_C_EXPORT void koe_struct_init(void* sized_struct, size_t size);

// ---------------------------------------------------------------------------------------------------------------------
// Errors: the table of docs/errors.md

typedef int32_t koe_status;
enum {
  KOE_OK = 0,
  KOE_ERR_INVALID_ARGUMENT = 1,
  KOE_ERR_NOT_FOUND = 2,
  KOE_ERR_CORRUPT_BUNDLE = 3,
  KOE_ERR_UNSUPPORTED = 4,
  KOE_ERR_TOO_LONG = 5,
  KOE_ERR_IO = 6,
  KOE_ERR_OUT_OF_MEMORY = 7,
  KOE_ERR_CANCELLED = 8,
  KOE_ERR_INTERNAL = 9
};

// The caller's own. After KOE_OK code is KOE_OK and message "". A longer message is cut between characters.
typedef struct koe_error {
  size_t struct_size;
  koe_status code;
  char message[1000];
} koe_error;

KOE_C_EXPORT const char* koe_status_name(koe_status status);   // "ok", "invalid_argument", ...; "unknown"
KOE_C_EXPORT int32_t koe_status_exit_code(koe_status status);  // of the command line: 0, 3, 4, 5, 6, 70

KOE_C_EXPORT const char* koe_version(void);    // "0.1.0"
KOE_C_EXPORT int32_t koe_c_api_version(void);  // KOE_C_API_VERSION of the library

// ---------------------------------------------------------------------------------------------------------------------
// Cancellation

typedef struct koe_cancel koe_cancel;
KOE_C_EXPORT koe_cancel* koe_cancel_create(void);  // null: no memory
// From any thread or a signal handler; calls that were given it return KOE_ERR_CANCELLED within 100 ms. For good.
KOE_C_EXPORT void koe_cancel_request(koe_cancel* cancel);
KOE_C_EXPORT void koe_cancel_free(koe_cancel* cancel);  // after the calls that were given it have returned

// ---------------------------------------------------------------------------------------------------------------------
// Engine

typedef struct koe_engine koe_engine;

enum { KOE_UNKNOWN_WORDS_DEFAULT = 0, KOE_UNKNOWN_WORDS_NEURAL, KOE_UNKNOWN_WORDS_ESPEAK, KOE_UNKNOWN_WORDS_SPELL };
enum { KOE_PRECISION_EXACT = 0, KOE_PRECISION_FAST, KOE_PRECISION_LOW_MEMORY };

typedef struct koe_engine_options {
  size_t struct_size;
  int32_t num_threads;          // 0: one for every processor
  int32_t unknown_words;        // KOE_UNKNOWN_WORDS_*
  const char* simd_target;      // null: the best; scalar, avx2, avx512, neon
  int32_t skip_digests;         // not 0: do not compare the files' SHA-256
  int32_t precision;            // KOE_PRECISION_*
  size_t max_memory_bytes;      // of the model and one synthesis; 0: any number
  double unload_after_seconds;  // koe_engine_unload once idle for so long; 0: never
  int32_t misaki_quirks;        // not 0: repeat what misaki does wrong, too
  // Stages on other devices, "all=coreml,decoder=coreml:cpu", on the models in models_dir (koe::EngineOptions::place,
  // docs/export.md). Null or "": every stage native.
  const char* place;
  const char* models_dir;
} koe_engine_options;

// bundle_dir null: searched as koe::FindBundle says. options null: defaults, here and everywhere.
KOE_C_EXPORT koe_status koe_engine_open(const char* bundle_dir, const koe_engine_options* options, koe_engine** out,
                                        koe_error* error);
KOE_C_EXPORT void koe_engine_free(koe_engine* engine);  // streams may outlive it
// Frees the model and the memory for activations; the next call loads it again. 1 where it did, 0 while a call runs or
// where nothing is loaded.
KOE_C_EXPORT int32_t koe_engine_unload(const koe_engine* engine);

typedef struct koe_prewarm_options {
  size_t struct_size;
  const char* text;   // null: a short one
  const char* voice;  // null: the bundle's first
  const koe_cancel* cancel;
  // On the calling thread, with "text_preparation", "model_load", "first_run", "done".
  void (*progress)(void* user_data, const char* stage, double fraction);
  void* user_data;
} koe_prewarm_options;
KOE_C_EXPORT koe_status koe_engine_prewarm(const koe_engine* engine, const koe_prewarm_options* options,
                                           koe_error* error);

typedef struct koe_voice_info {
  size_t struct_size;
  const char* id;
  const char* language;
  const char* gender;
} koe_voice_info;
KOE_C_EXPORT size_t koe_engine_num_voices(const koe_engine* engine);
KOE_C_EXPORT koe_status koe_engine_voice(const koe_engine* engine, size_t index, koe_voice_info* out, koe_error* error);

typedef struct koe_engine_info {
  size_t struct_size;
  const char* bundle_path;
  const char* bundle_profile;
  const char* weights_source;
  const char* weights_sha256;
  const char* tensor_precision;
  const char* simd_target;
  const char* cpu;
  int32_t num_threads;
} koe_engine_info;
KOE_C_EXPORT koe_status koe_engine_get_info(const koe_engine* engine, koe_engine_info* out, koe_error* error);

// Bytes that the library made.
typedef struct koe_buffer koe_buffer;
KOE_C_EXPORT const char* koe_buffer_data(const koe_buffer* buffer);  // a 0 follows the last byte
KOE_C_EXPORT size_t koe_buffer_size(const koe_buffer* buffer);
KOE_C_EXPORT void koe_buffer_free(koe_buffer* buffer);

// One JSON object (koe::DiagnosticsJson); it never holds text.
KOE_C_EXPORT koe_status koe_engine_diagnostics_json(const koe_engine* engine, koe_buffer** out, koe_error* error);

// ---------------------------------------------------------------------------------------------------------------------
// What is asked of a synthesis

typedef struct koe_lexicon koe_lexicon;
KOE_C_EXPORT koe_status koe_lexicon_load(const char* path, koe_lexicon** out, koe_error* error);
// name stands in messages; null: "lexicon".
KOE_C_EXPORT koe_status koe_lexicon_parse(const char* text, size_t length, const char* name, koe_lexicon** out,
                                          koe_error* error);
KOE_C_EXPORT size_t koe_lexicon_size(const koe_lexicon* lexicon);  // words
KOE_C_EXPORT void koe_lexicon_free(koe_lexicon* lexicon);

enum { KOE_CHUNKING_SENTENCES = 0, KOE_CHUNKING_KOKORO, KOE_CHUNKING_PACKED, KOE_CHUNKING_PARAGRAPH };
enum { KOE_FIRST_AUDIO_NATURAL = 0, KOE_FIRST_AUDIO_FAST };
enum { KOE_BLEND_LINEAR = 0, KOE_BLEND_SPHERICAL };

// fraction is in [0, 1] over the call and never falls. On the calling thread.
typedef void (*koe_progress)(void* user_data, double fraction, const char* stage, size_t chunk, size_t num_chunks);

typedef struct koe_synthesis_options {
  size_t struct_size;
  const char* voice;     // null: af_heart; "af_heart:0.7+bm_george:0.3"
  const char* language;  // null: the voice's own; en-us, en-gb
  const koe_lexicon* lexicon;
  const koe_cancel* cancel;
  koe_progress progress;  // not for streams
  void* progress_data;
  uint64_t seed;
  double max_chunk_seconds;     // 0: 15
  size_t max_chunk_characters;  // 0: not used
  float speed;                  // 0: 1; 0.25..4
  float gain;                   // 0: 1; up to 16
  int32_t input_is_phonemes;    // not 0: they are Kokoro's symbols
  int32_t chunking;             // KOE_CHUNKING_*
  int32_t first_audio;          // KOE_FIRST_AUDIO_*
  int32_t voice_blend;          // KOE_BLEND_*
  int32_t no_markup;            // not 0: [pause:], [rate:], [voice:] are text
  int32_t strict_markup;        // not 0: malformed markup is KOE_ERR_INVALID_ARGUMENT
  // Seconds of silence at a cut, up to 10. 0: the default; below 0: what the model speaks; for none give 0.001.
  float word_pause;
  float clause_pause;
  float sentence_pause;
  float paragraph_pause;
} koe_synthesis_options;

// ---------------------------------------------------------------------------------------------------------------------
// Whole texts

typedef struct koe_audio koe_audio;
KOE_C_EXPORT koe_status koe_synthesize(const koe_engine* engine, const char* text, size_t length,
                                       const koe_synthesis_options* options, koe_audio** out, koe_error* error);
KOE_C_EXPORT void koe_audio_free(koe_audio* audio);
KOE_C_EXPORT const float* koe_audio_samples(const koe_audio* audio);  // mono, KOE_SAMPLE_RATE_HZ
KOE_C_EXPORT size_t koe_audio_num_samples(const koe_audio* audio);

// koe::WordTime. Samples count from the start of the audio or stream; offsets and lengths from the start of the text.
typedef struct koe_word_time {
  size_t struct_size;
  const char* text;
  size_t offset;  // bytes
  size_t length;
  size_t code_point_offset;
  size_t code_point_length;
  size_t first_sample;
  size_t num_samples;
  size_t chunk;
  size_t sentence;
  size_t first_token;
  size_t num_tokens;
} koe_word_time;
KOE_C_EXPORT size_t koe_audio_num_words(const koe_audio* audio);
KOE_C_EXPORT koe_status koe_audio_word(const koe_audio* audio, size_t index, koe_word_time* out, koe_error* error);

// koe::SentenceTime
typedef struct koe_sentence_time {
  size_t struct_size;
  size_t offset;  // bytes
  size_t length;
  size_t code_point_offset;
  size_t code_point_length;
  size_t first_sample;
  size_t num_samples;
  size_t first_word;
  size_t num_words;
} koe_sentence_time;
KOE_C_EXPORT size_t koe_audio_num_sentences(const koe_audio* audio);
KOE_C_EXPORT koe_status koe_audio_sentence(const koe_audio* audio, size_t index, koe_sentence_time* out,
                                           koe_error* error);

// koe::ChunkInfo
typedef struct koe_chunk_info {
  size_t struct_size;
  const char* phonemes;
  const char* voice;
  size_t offset;  // bytes
  size_t length;
  size_t code_point_offset;
  size_t code_point_length;
  size_t first_sample;
  size_t num_samples;
  size_t num_tokens;
  size_t dropped_symbols;
  float speed;
} koe_chunk_info;
KOE_C_EXPORT size_t koe_audio_num_chunks(const koe_audio* audio);
KOE_C_EXPORT koe_status koe_audio_chunk(const koe_audio* audio, size_t index, koe_chunk_info* out, koe_error* error);

// koe::TokenInfo
typedef struct koe_token_time {
  size_t struct_size;
  int32_t id;
  int32_t num_frames;  // of 600 samples
  size_t first_sample;
} koe_token_time;
KOE_C_EXPORT koe_status koe_audio_token(const koe_audio* audio, size_t chunk, size_t index, koe_token_time* out,
                                        koe_error* error);

enum { KOE_TIMES_SRT = 0, KOE_TIMES_VTT, KOE_TIMES_JSON };
KOE_C_EXPORT koe_status koe_audio_times(const koe_audio* audio, int32_t format, koe_buffer** out, koe_error* error);

// Writes samples, finite floats at KOE_SAMPLE_RATE_HZ. format: "wav", "flac", "mp3", "ogg", "opus", "raw"; null: by the
// ending of path.
KOE_C_EXPORT koe_status koe_write_audio(const float* samples, size_t num_samples, const char* path, const char* format,
                                        koe_error* error);
// The same bytes in memory; format is not null.
KOE_C_EXPORT koe_status koe_encode_audio(const float* samples, size_t num_samples, const char* format, koe_buffer** out,
                                         koe_error* error);

// ---------------------------------------------------------------------------------------------------------------------
// Streams

typedef struct koe_chunk koe_chunk;                                   // of audio, with what is known of it
KOE_C_EXPORT const float* koe_chunk_samples(const koe_chunk* chunk);  // null for a plan
KOE_C_EXPORT size_t koe_chunk_num_samples(const koe_chunk* chunk);
KOE_C_EXPORT size_t koe_chunk_first_sample(const koe_chunk* chunk);  // of those samples, in the stream
KOE_C_EXPORT int32_t koe_chunk_is_last(const koe_chunk* chunk);
KOE_C_EXPORT koe_status koe_chunk_get_info(const koe_chunk* chunk, koe_chunk_info* out, koe_error* error);
KOE_C_EXPORT size_t koe_chunk_first_word(const koe_chunk* chunk);  // among the stream's words
KOE_C_EXPORT size_t koe_chunk_num_words(const koe_chunk* chunk);
KOE_C_EXPORT koe_status koe_chunk_word(const koe_chunk* chunk, size_t index, koe_word_time* out, koe_error* error);
KOE_C_EXPORT void koe_chunk_free(koe_chunk* chunk);

enum { KOE_CONTINUE = 0, KOE_STOP = 1 };
// The chunk is the library's and lives until the function returns.
typedef int32_t (*koe_chunk_callback)(void* user_data, const koe_chunk* chunk);
// Calls callback on this thread with every chunk as soon as it is made. KOE_STOP ends the speech there, with KOE_OK.
KOE_C_EXPORT koe_status koe_synthesize_chunks(const koe_engine* engine, const char* text, size_t length,
                                              const koe_synthesis_options* options, koe_chunk_callback callback,
                                              void* user_data, koe_error* error);

typedef struct koe_stream koe_stream;
typedef struct koe_stream_options {
  size_t struct_size;
  double max_seconds_ahead;  // 0: 60
} koe_stream_options;
// text null: it is pushed. options->cancel must outlive the stream.
KOE_C_EXPORT koe_status koe_stream_open(const koe_engine* engine, const char* text, size_t length,
                                        const koe_synthesis_options* options, const koe_stream_options* stream_options,
                                        koe_stream** out, koe_error* error);
// KOE_OK with *out null: the end. The caller frees the chunk.
KOE_C_EXPORT koe_status koe_stream_next(koe_stream* stream, koe_chunk** out, koe_error* error);
// What koe_stream_next will return, before its audio is made: length and times, no samples.
KOE_C_EXPORT koe_status koe_stream_peek(koe_stream* stream, koe_chunk** out, koe_error* error);
KOE_C_EXPORT koe_status koe_stream_push(koe_stream* stream, const char* text, size_t length, koe_error* error);
KOE_C_EXPORT koe_status koe_stream_finish(koe_stream* stream, koe_error* error);
KOE_C_EXPORT void koe_stream_cancel(koe_stream* stream);
KOE_C_EXPORT void koe_stream_free(koe_stream* stream);

typedef struct koe_stream_statistics {
  size_t struct_size;
  size_t num_chunks;
  size_t num_samples;
  size_t unknown_words;
  double first_audio_seconds;
  double wall_seconds;
} koe_stream_statistics;
KOE_C_EXPORT koe_status koe_stream_get_statistics(const koe_stream* stream, koe_stream_statistics* out,
                                                  koe_error* error);

// ---------------------------------------------------------------------------------------------------------------------
// Text and phonemes

typedef struct koe_phonemes koe_phonemes;
// Of options only voice, language, lexicon and cancel count; needs no weights.
KOE_C_EXPORT koe_status koe_phonemize(const koe_engine* engine, const char* text, size_t length,
                                      const koe_synthesis_options* options, koe_phonemes** out, koe_error* error);
KOE_C_EXPORT const char* koe_phonemes_text(const koe_phonemes* phonemes);
KOE_C_EXPORT size_t koe_phonemes_num_unknown_words(const koe_phonemes* phonemes);
KOE_C_EXPORT void koe_phonemes_free(koe_phonemes* phonemes);

// koe::WordInfo
typedef struct koe_word_info {
  size_t struct_size;
  const char* text;
  const char* phonemes;
  const char* tag;
  const char* source;
  const char* whitespace;
  size_t offset;  // bytes
  size_t length;
  float confidence;
} koe_word_info;
KOE_C_EXPORT size_t koe_phonemes_num_words(const koe_phonemes* phonemes);
KOE_C_EXPORT koe_status koe_phonemes_word(const koe_phonemes* phonemes, size_t index, koe_word_info* out,
                                          koe_error* error);

// Text ready to be synthesised: chunks with their phonemes, tokens and voice rows.
typedef struct koe_prepared koe_prepared;
KOE_C_EXPORT koe_status koe_prepare(const koe_engine* engine, const char* text, size_t length,
                                    const koe_synthesis_options* options, koe_prepared** out, koe_error* error);
KOE_C_EXPORT void koe_prepared_free(koe_prepared* prepared);

// koe::PreparedChunk
typedef struct koe_prepared_chunk {
  size_t struct_size;
  const char* text;
  const char* phonemes;
  const char* voice;
  const int32_t* token_ids;
  size_t num_tokens;
  const float* voice_row;
  size_t voice_row_size;
  size_t offset;  // bytes
  size_t length;
  size_t code_point_offset;
  size_t code_point_length;
  double estimated_seconds;
  uint64_t seed;
  float speed;
  float gain;
} koe_prepared_chunk;
KOE_C_EXPORT size_t koe_prepared_num_chunks(const koe_prepared* prepared);
KOE_C_EXPORT koe_status koe_prepared_get_chunk(const koe_prepared* prepared, size_t index, koe_prepared_chunk* out,
                                               koe_error* error);
// num_chunks chunks from the first-th on. cancel may be null.
KOE_C_EXPORT koe_status koe_synthesize_prepared(const koe_engine* engine, const koe_prepared* prepared, size_t first,
                                                size_t num_chunks, const koe_cancel* cancel, koe_audio** out,
                                                koe_error* error);

// NOLINTEND(readability-identifier-naming)

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // KOE_KOE_C_H_
