// SPDX-License-Identifier: Apache-2.0
// The C API from C11. Without a bundle only what needs none is tested, and the exit status is 77.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "koe/koe_c.h"

static int failures = 0;

#define EXPECT(condition)                                             \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                     \
    }                                                                 \
  } while (0)

#define EXPECT_OK(call)                                                                                           \
  do {                                                                                                            \
    const koe_status status_ = (call);                                                                            \
    if (status_ != KOE_OK) {                                                                                      \
      fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, koe_status_name(status_), error.message); \
      ++failures;                                                                                                 \
    }                                                                                                             \
  } while (0)

static const char kText[] = "Hello world. She sells shells.";

static koe_error error;

static void test_without_bundle(void) {
  EXPECT(koe_c_api_version() == KOE_C_API_VERSION);
  EXPECT(strchr(koe_version(), '.') != NULL);
  EXPECT(strcmp(koe_status_name(KOE_OK), "ok") == 0);
  EXPECT(strcmp(koe_status_name(KOE_ERR_CORRUPT_BUNDLE), "corrupt_bundle") == 0);
  EXPECT(strcmp(koe_status_name(KOE_ERR_INTERNAL + 1), "unknown") == 0);
  EXPECT(strcmp(koe_status_name(-1), "unknown") == 0);
  EXPECT(koe_status_exit_code(KOE_ERR_CANCELLED) == 6);

  koe_engine* engine = (koe_engine*)&failures;
  EXPECT(koe_engine_open("/no/such/folder", NULL, &engine, &error) == KOE_ERR_NOT_FOUND);
  EXPECT(engine == NULL);
  EXPECT(error.code == KOE_ERR_NOT_FOUND && strstr(error.message, "/no/such/folder") != NULL);
  EXPECT(koe_engine_open("/no/such/folder", NULL, &engine, NULL) == KOE_ERR_NOT_FOUND);
  EXPECT(koe_engine_open("/no/such/folder", NULL, NULL, &error) == KOE_ERR_INVALID_ARGUMENT);

  // An error struct with room for 7 bytes of message and the 0; what lies behind it stays.
  koe_error small;
  memset(&small, 'x', sizeof small);
  small.struct_size = offsetof(koe_error, message) + 8;
  EXPECT(koe_engine_open("/no/such/folder", NULL, &engine, &small) == KOE_ERR_NOT_FOUND);
  EXPECT(strlen(small.message) == 7 && small.message[8] == 'x');

  // Options of a later version: taken where the unknown part is 0.
  struct {
    koe_engine_options options;
    double unknown;
  } later;
  memset(&later, 0, sizeof later);
  later.options.struct_size = sizeof later;
  EXPECT(koe_engine_open("/no/such/folder", &later.options, &engine, &error) == KOE_ERR_NOT_FOUND);
  later.unknown = 1;
  EXPECT(koe_engine_open("/no/such/folder", &later.options, &engine, &error) == KOE_ERR_UNSUPPORTED);
  later.options.struct_size = 0;
  EXPECT(koe_engine_open("/no/such/folder", &later.options, &engine, &error) == KOE_ERR_INVALID_ARGUMENT);
  // And of an earlier one, that ends before the field that is wrong.
  koe_engine_options options;
  KOE_INIT(&options);
  EXPECT(options.struct_size == sizeof options && options.simd_target == NULL);
  options.unknown_words = 99;
  EXPECT(koe_engine_open("/no/such/folder", &options, &engine, &error) == KOE_ERR_INVALID_ARGUMENT);
  options.struct_size = offsetof(koe_engine_options, unknown_words);
  EXPECT(koe_engine_open("/no/such/folder", &options, &engine, &error) == KOE_ERR_NOT_FOUND);
  KOE_INIT(&options);
  options.precision = 3;
  EXPECT(koe_engine_open("/no/such/folder", &options, &engine, &error) == KOE_ERR_INVALID_ARGUMENT);
  EXPECT(strncmp(error.message, "precision: 3", 12) == 0);

  // Every pointer that must be there is named where it is not.
  koe_audio* audio = (koe_audio*)&failures;
  EXPECT(koe_synthesize(NULL, "a", 1, NULL, &audio, &error) == KOE_ERR_INVALID_ARGUMENT && audio == NULL);
  EXPECT(strncmp(error.message, "engine: null", 12) == 0);
  EXPECT(koe_synthesize(NULL, "a", 1, NULL, NULL, &error) == KOE_ERR_INVALID_ARGUMENT);
  EXPECT(strncmp(error.message, "out: null", 9) == 0);
  EXPECT(koe_synthesize_chunks(NULL, "a", 1, NULL, NULL, NULL, &error) == KOE_ERR_INVALID_ARGUMENT);
  EXPECT(koe_stream_finish(NULL, &error) == KOE_ERR_INVALID_ARGUMENT && strncmp(error.message, "stream: ", 8) == 0);
  EXPECT(koe_engine_unload(NULL) == 0);

  koe_lexicon* lexicon = NULL;
  EXPECT(koe_lexicon_parse("Koe\t\n", KOE_NUL_TERMINATED, "mine", &lexicon, &error) == KOE_ERR_INVALID_ARGUMENT);
  EXPECT(lexicon == NULL && strncmp(error.message, "mine:1", 6) == 0);
  EXPECT(koe_lexicon_parse(NULL, 3, NULL, &lexicon, &error) == KOE_ERR_INVALID_ARGUMENT);

  const float samples[3] = {0.0f, 0.5f, -2.0f};
  koe_buffer* buffer = NULL;
  EXPECT_OK(koe_encode_audio(samples, 3, "raw", &buffer, &error));
  const unsigned char expected[6] = {0, 0, 0, 0x40, 0, 0x80};
  EXPECT(koe_buffer_size(buffer) == 6 && memcmp(koe_buffer_data(buffer), expected, 6) == 0);
  koe_buffer_free(buffer);
  EXPECT(koe_encode_audio(samples, 3, "mp4", &buffer, &error) == KOE_ERR_INVALID_ARGUMENT);
  EXPECT(buffer == NULL);

  koe_engine_free(NULL);
  koe_audio_free(NULL);
  koe_chunk_free(NULL);
  koe_stream_free(NULL);
  koe_stream_cancel(NULL);
  koe_lexicon_free(NULL);
  koe_phonemes_free(NULL);
  koe_prepared_free(NULL);
  koe_buffer_free(NULL);
  koe_cancel_free(NULL);
  EXPECT(koe_audio_samples(NULL) == NULL && koe_audio_num_samples(NULL) == 0);
}

static void test_text(const koe_engine* engine) {
  koe_engine_info info;
  KOE_INIT(&info);
  EXPECT_OK(koe_engine_get_info(engine, &info, &error));
  EXPECT(info.num_threads == 2 && strlen(info.weights_sha256) == 64);
  koe_voice_info voice;
  KOE_INIT(&voice);
  EXPECT(koe_engine_num_voices(engine) >= 1);
  EXPECT_OK(koe_engine_voice(engine, 0, &voice, &error));
  EXPECT(strlen(voice.id) > 3 && voice.id[2] == '_');
  EXPECT(koe_engine_voice(engine, koe_engine_num_voices(engine), &voice, &error) == KOE_ERR_INVALID_ARGUMENT);
  voice.struct_size = 0;
  EXPECT(koe_engine_voice(engine, 0, &voice, &error) == KOE_ERR_INVALID_ARGUMENT);

  koe_phonemes* phonemes = NULL;
  EXPECT_OK(koe_phonemize(engine, kText, 12, NULL, &phonemes, &error));
  EXPECT(strcmp(koe_phonemes_text(phonemes), "h\xC9\x99l\xCB\x88O w\xCB\x88\xC9\x9C\xC9\xB9ld.") == 0);
  EXPECT(koe_phonemes_num_words(phonemes) == 3 && koe_phonemes_num_unknown_words(phonemes) == 0);
  koe_word_info word;
  KOE_INIT(&word);
  EXPECT_OK(koe_phonemes_word(phonemes, 1, &word, &error));
  EXPECT(strcmp(word.text, "world") == 0 && word.offset == 6 && word.length == 5 && word.confidence > 0.5f);
  koe_phonemes_free(phonemes);

  koe_lexicon* lexicon = NULL;
  EXPECT_OK(koe_lexicon_parse("world\tk\xCB\x88O\n", KOE_NUL_TERMINATED, NULL, &lexicon, &error));
  EXPECT(koe_lexicon_size(lexicon) == 1);
  koe_synthesis_options options;
  KOE_INIT(&options);
  options.lexicon = lexicon;
  EXPECT_OK(koe_phonemize(engine, kText, 12, &options, &phonemes, &error));
  EXPECT(strcmp(koe_phonemes_text(phonemes), "h\xC9\x99l\xCB\x88O k\xCB\x88O.") == 0);
  koe_phonemes_free(phonemes);
  koe_lexicon_free(lexicon);
  EXPECT(koe_phonemize(engine, "\xFF", 1, NULL, &phonemes, &error) == KOE_ERR_INVALID_ARGUMENT);
  options.lexicon = NULL;
  options.voice = "nobody";
  EXPECT(koe_phonemize(engine, kText, 12, &options, &phonemes, &error) == KOE_ERR_INVALID_ARGUMENT);
}

static int same_samples(const koe_audio* a, const float* samples, size_t count) {
  return koe_audio_num_samples(a) == count && memcmp(koe_audio_samples(a), samples, count * sizeof(float)) == 0;
}

static void test_times(const koe_audio* audio) {
  const size_t num_samples = koe_audio_num_samples(audio);
  EXPECT(koe_audio_num_chunks(audio) == 2 && koe_audio_num_sentences(audio) == 2 && koe_audio_num_words(audio) == 7);
  koe_word_time word;
  KOE_INIT(&word);
  size_t end = 0;
  for (size_t i = 0; i < koe_audio_num_words(audio); ++i) {
    EXPECT_OK(koe_audio_word(audio, i, &word, &error));
    EXPECT(strncmp(kText + word.offset, word.text, word.length) == 0);
    EXPECT(word.first_sample + 1 >= end && word.first_sample + word.num_samples <= num_samples);
    end = word.first_sample;
  }
  EXPECT(strcmp(word.text, ".") == 0 && word.sentence == 1);
  koe_sentence_time sentence;
  KOE_INIT(&sentence);
  EXPECT_OK(koe_audio_sentence(audio, 1, &sentence, &error));
  EXPECT(sentence.offset == 13 && sentence.first_word == 3 && sentence.num_words == 4);
  koe_chunk_info chunk;
  KOE_INIT(&chunk);
  EXPECT_OK(koe_audio_chunk(audio, 1, &chunk, &error));
  EXPECT(chunk.offset == 13 && strcmp(chunk.voice, "af_heart") == 0);
  koe_token_time token;
  KOE_INIT(&token);
  EXPECT_OK(koe_audio_token(audio, 1, 0, &token, &error));
  EXPECT(token.id == 0 && token.num_frames >= 1);
  EXPECT(koe_audio_token(audio, 1, chunk.num_tokens, &token, &error) == KOE_ERR_INVALID_ARGUMENT);
  koe_buffer* times = NULL;
  EXPECT_OK(koe_audio_times(audio, KOE_TIMES_SRT, &times, &error));
  EXPECT(strstr(koe_buffer_data(times), "She sells shells.") != NULL);
  koe_buffer_free(times);
  EXPECT_OK(koe_audio_times(audio, KOE_TIMES_JSON, &times, &error));
  EXPECT(koe_buffer_data(times)[0] == '{' && strlen(koe_buffer_data(times)) == koe_buffer_size(times));
  koe_buffer_free(times);
  EXPECT(koe_audio_times(audio, 3, &times, &error) == KOE_ERR_INVALID_ARGUMENT);
}

static void test_prepared(const koe_engine* engine, const koe_audio* whole) {
  koe_prepared* prepared = NULL;
  EXPECT_OK(koe_prepare(engine, kText, KOE_NUL_TERMINATED, NULL, &prepared, &error));
  EXPECT(koe_prepared_num_chunks(prepared) == 2);
  koe_prepared_chunk chunk;
  KOE_INIT(&chunk);
  EXPECT_OK(koe_prepared_get_chunk(prepared, 1, &chunk, &error));
  EXPECT(strcmp(chunk.text, "She sells shells.") == 0 && chunk.voice_row_size == 256 && chunk.estimated_seconds > 0);
  EXPECT(chunk.num_tokens > 2 && chunk.token_ids[0] == 0 && chunk.token_ids[chunk.num_tokens - 1] == 0);
  koe_audio* audio = NULL;
  EXPECT_OK(koe_synthesize_prepared(engine, prepared, 0, 2, NULL, &audio, &error));
  EXPECT(same_samples(whole, koe_audio_samples(audio), koe_audio_num_samples(audio)));
  koe_audio_free(audio);
  EXPECT(koe_synthesize_prepared(engine, prepared, 1, 2, NULL, &audio, &error) == KOE_ERR_INVALID_ARGUMENT);
  EXPECT(koe_synthesize_prepared(engine, prepared, 2, 1, NULL, &audio, &error) == KOE_ERR_INVALID_ARGUMENT);
  koe_prepared_free(prepared);
}

// Reads a stream to its end and compares it with the whole; returns the number of chunks.
static size_t drain(koe_stream* stream, const koe_audio* whole) {
  float* samples = malloc((koe_audio_num_samples(whole) + 1) * sizeof(float));
  size_t count = 0, num_chunks = 0;
  while (samples != NULL) {
    koe_chunk *plan = NULL, *chunk = NULL;
    EXPECT_OK(koe_stream_peek(stream, &plan, &error));
    EXPECT_OK(koe_stream_next(stream, &chunk, &error));
    if (chunk == NULL) {
      EXPECT(plan == NULL);
      break;
    }
    koe_chunk_info info, planned;
    KOE_INIT(&info);
    KOE_INIT(&planned);
    EXPECT_OK(koe_chunk_get_info(chunk, &info, &error));
    EXPECT_OK(koe_chunk_get_info(plan, &planned, &error));
    EXPECT(info.num_samples == planned.num_samples && info.first_sample == planned.first_sample);
    EXPECT(koe_chunk_samples(plan) == NULL && koe_chunk_num_words(plan) == koe_chunk_num_words(chunk));
    koe_word_time word;
    KOE_INIT(&word);
    EXPECT_OK(koe_chunk_word(chunk, 0, &word, &error));
    EXPECT(word.offset == info.offset && koe_chunk_first_word(chunk) == (num_chunks == 0 ? 0u : 3u));
    EXPECT(koe_chunk_first_sample(chunk) == count);
    if (count + koe_chunk_num_samples(chunk) > koe_audio_num_samples(whole)) {
      EXPECT(0 && "more samples than the whole");
    } else {
      memcpy(samples + count, koe_chunk_samples(chunk), koe_chunk_num_samples(chunk) * sizeof(float));
      count += koe_chunk_num_samples(chunk);
    }
    ++num_chunks;
    EXPECT(koe_chunk_is_last(chunk) == (num_chunks == 2));
    koe_chunk_free(plan);
    koe_chunk_free(chunk);
  }
  EXPECT(samples != NULL && same_samples(whole, samples, count));
  free(samples);
  koe_stream_statistics statistics;
  KOE_INIT(&statistics);
  EXPECT_OK(koe_stream_get_statistics(stream, &statistics, &error));
  EXPECT(statistics.num_samples == count && statistics.num_chunks == num_chunks && statistics.first_audio_seconds > 0);
  return num_chunks;
}

static int32_t stop_at_first(void* user_data, const koe_chunk* chunk) {
  EXPECT(koe_chunk_num_samples(chunk) > 0 && koe_chunk_samples(chunk) != NULL);
  ++*(int*)user_data;
  return KOE_STOP;
}

static void test_streams(const koe_engine* engine, const koe_audio* whole) {
  koe_stream* stream = NULL;
  EXPECT_OK(koe_stream_open(engine, kText, KOE_NUL_TERMINATED, NULL, NULL, &stream, &error));
  EXPECT(koe_stream_push(stream, "x", 1, &error) == KOE_ERR_INVALID_ARGUMENT);
  EXPECT(drain(stream, whole) == 2);
  koe_stream_free(stream);

  EXPECT_OK(koe_stream_open(engine, NULL, 0, NULL, NULL, &stream, &error));
  for (size_t i = 0; i < strlen(kText); i += 5) {
    EXPECT_OK(koe_stream_push(stream, kText + i, strlen(kText) - i < 5 ? strlen(kText) - i : 5, &error));
  }
  EXPECT_OK(koe_stream_finish(stream, &error));
  EXPECT(drain(stream, whole) == 2);
  koe_stream_free(stream);

  EXPECT_OK(koe_stream_open(engine, kText, KOE_NUL_TERMINATED, NULL, NULL, &stream, &error));
  koe_stream_cancel(stream);
  koe_chunk* chunk = NULL;
  EXPECT(koe_stream_next(stream, &chunk, &error) == KOE_ERR_CANCELLED && chunk == NULL);
  koe_stream_free(stream);

  int calls = 0;
  EXPECT_OK(koe_synthesize_chunks(engine, kText, KOE_NUL_TERMINATED, NULL, stop_at_first, &calls, &error));
  EXPECT(calls == 1);
}

static void count_progress(void* user_data, double fraction, const char* stage, size_t chunk, size_t num_chunks) {
  EXPECT(fraction >= 0 && fraction <= 1 && strlen(stage) > 0 && chunk <= num_chunks);
  ++*(int*)user_data;
}

static void count_stages(void* user_data, const char* stage, double fraction) {
  EXPECT(fraction >= 0 && fraction <= 1 && strlen(stage) > 0);
  ++*(int*)user_data;
}

static void test_speech(const koe_engine* engine, const char* output) {
  int num_stages = 0, num_progress = 0;
  koe_prewarm_options prewarm;
  KOE_INIT(&prewarm);
  prewarm.progress = count_stages;
  prewarm.user_data = &num_stages;
  EXPECT_OK(koe_engine_prewarm(engine, &prewarm, &error));
  EXPECT(num_stages >= 4);

  koe_synthesis_options options;
  KOE_INIT(&options);
  options.progress = count_progress;
  options.progress_data = &num_progress;
  koe_audio* whole = NULL;
  EXPECT_OK(koe_synthesize(engine, kText, KOE_NUL_TERMINATED, &options, &whole, &error));
  if (whole == NULL) return;
  EXPECT(num_progress > 2);
  test_times(whole);
  test_prepared(engine, whole);
  test_streams(engine, whole);
  EXPECT_OK(koe_write_audio(koe_audio_samples(whole), koe_audio_num_samples(whole), output, NULL, &error));
  EXPECT(koe_write_audio(koe_audio_samples(whole), 10, "/no/such/folder/a.wav", NULL, &error) == KOE_ERR_IO);
  koe_audio_free(whole);

  koe_audio* audio = NULL;
  options.speed = 9;
  EXPECT(koe_synthesize(engine, kText, KOE_NUL_TERMINATED, &options, &audio, &error) == KOE_ERR_INVALID_ARGUMENT);
  options.speed = 0;
  options.chunking = 4;
  EXPECT(koe_synthesize(engine, kText, KOE_NUL_TERMINATED, &options, &audio, &error) == KOE_ERR_INVALID_ARGUMENT);
  options.chunking = KOE_CHUNKING_PACKED;
  koe_cancel* cancel = koe_cancel_create();
  options.cancel = cancel;
  koe_cancel_request(cancel);
  EXPECT(koe_synthesize(engine, kText, KOE_NUL_TERMINATED, &options, &audio, &error) == KOE_ERR_CANCELLED);
  EXPECT(audio == NULL);
  koe_cancel_free(cancel);

  koe_buffer* json = NULL;
  EXPECT_OK(koe_engine_diagnostics_json(engine, &json, &error));
  EXPECT(koe_buffer_data(json)[0] == '{' && strstr(koe_buffer_data(json), "shells") == NULL);
  koe_buffer_free(json);
}

// What is placed, and with what message each mistake is refused; onnxruntime need not be there.
static void test_places(const char* bundle, const char* folder) {
  const struct {
    const char* place;
    const char* models_dir;
    koe_status status;
    const char* message;
  } cases[] = {
      {"all=tpu", folder, KOE_ERR_INVALID_ARGUMENT, "place: 'all=tpu': must be STAGE=onnx:cpu"},
      {"generator=onnx:cpu", NULL, KOE_ERR_INVALID_ARGUMENT, "place: 'generator=onnx:cpu': needs a folder"},
      {"decoder=cpu,generator=coreml,pitch", folder, KOE_ERR_INVALID_ARGUMENT, "place: 'pitch': must be"},
      {"all=onnx:cpu,", folder, KOE_ERR_INVALID_ARGUMENT, "place: '': must be"},
      {"duration=coreml,decoder=onnx:cpu", folder, KOE_ERR_INVALID_ARGUMENT,
       "place: 'decoder=onnx:cpu': beside coreml: one runtime"},
      {"all=onnx:cpu", folder, KOE_ERR_NOT_FOUND, ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    koe_engine_options options;
    KOE_INIT(&options);
    options.place = cases[i].place;
    options.models_dir = cases[i].models_dir;
    koe_engine* engine = NULL;
    EXPECT(koe_engine_open(bundle, &options, &engine, &error) == cases[i].status);
    EXPECT(strncmp(error.message, cases[i].message, strlen(cases[i].message)) == 0);
    koe_engine_free(engine);
  }
  koe_engine_options options;
  KOE_INIT(&options);
  options.place = "all=onnx:cpu,all=cpu";
  koe_engine* engine = NULL;
  EXPECT_OK(koe_engine_open(bundle, &options, &engine, &error));
  koe_engine_free(engine);
}

// What the caller does not allow is too long, not a want of memory.
static void test_memory_limit(const char* bundle) {
  koe_engine_options options;
  KOE_INIT(&options);
  options.num_threads = 2;
  options.max_memory_bytes = 50u << 20;
  koe_engine* engine = NULL;
  koe_audio* audio = NULL;
  EXPECT_OK(koe_engine_open(bundle, &options, &engine, &error));
  if (engine == NULL) return;
  EXPECT(koe_synthesize(engine, kText, KOE_NUL_TERMINATED, NULL, &audio, &error) == KOE_ERR_TOO_LONG);
  EXPECT(strstr(error.message, "memory: ") == error.message);
  EXPECT(audio == NULL);
  koe_engine_free(engine);
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: c_api_test BUNDLE OUTPUT.wav\n");
    return 2;
  }
  KOE_INIT(&error);
  test_without_bundle();
  koe_engine_options options;
  KOE_INIT(&options);
  options.num_threads = 2;
  koe_engine* engine = NULL;
  const char* bundle = getenv("KOE_BUNDLE");
  const koe_status status = koe_engine_open(bundle != NULL ? bundle : argv[1], &options, &engine, &error);
  if (status == KOE_ERR_NOT_FOUND) {
    printf("no bundle: %s\n", error.message);
    return failures == 0 ? 77 : 1;
  }
  EXPECT_OK(status);
  if (engine != NULL) {
    test_places(bundle != NULL ? bundle : argv[1], "/no/such/folder");
    test_text(engine);
    test_speech(engine, argv[2]);
    koe_engine_free(engine);
  }
  test_memory_limit(bundle != NULL ? bundle : argv[1]);
  printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
