// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "c_api/call.h"
#include "c_api/handles.h"
#include "koe/audio_file.h"
#include "koe/bundle.h"

namespace koe::c_api {
namespace {

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t start = 0; !text.empty() && start <= text.size();) {
    const size_t end = std::min(text.find(',', start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

Result<EngineOptions> ReadEngineOptions(const koe_engine_options* given) {
  KOE_TRY(const koe_engine_options c, ReadOptions("options", given));
  EngineOptions options;
  options.num_threads = c.num_threads;
  options.simd_target = OrEmpty(c.simd_target);
  options.verify_digests = c.skip_digests == 0;
  switch (c.unknown_words) {
    case KOE_UNKNOWN_WORDS_DEFAULT:
      break;
    case KOE_UNKNOWN_WORDS_NEURAL:
      options.unknown_words = UnknownWords::kNeural;
      break;
    case KOE_UNKNOWN_WORDS_ESPEAK:
      options.unknown_words = UnknownWords::kEspeak;
      break;
    case KOE_UNKNOWN_WORDS_SPELL:
      options.unknown_words = UnknownWords::kSpell;
      break;
    default:
      return Error(ErrorCode::kInvalidArgument,
                   "unknown_words: " + std::to_string(c.unknown_words) + ": must be 0 to 3");
  }
  switch (c.precision) {
    case KOE_PRECISION_EXACT:
      break;
    case KOE_PRECISION_FAST:
      options.precision = Precision::kFast;
      break;
    case KOE_PRECISION_LOW_MEMORY:
      options.precision = Precision::kLowMemory;
      break;
    default:
      return Error(ErrorCode::kInvalidArgument, "precision: " + std::to_string(c.precision) + ": must be 0 to 2");
  }
  options.max_memory_bytes = c.max_memory_bytes;
  options.unload_after_seconds = c.unload_after_seconds;
  options.misaki_quirks = c.misaki_quirks != 0;
  options.place = SplitAtCommas(OrEmpty(c.place));
  options.models_dir = OrEmpty(c.models_dir);
  return options;
}

Result<AudioFormat> ReadFormat(const char* path, const char* format) {
  return format == nullptr ? AudioFormatOfPath(path) : ParseAudioFormat(format);
}

Result<std::span<const float>> ReadSamples(const float* samples, size_t num_samples) {
  if (samples == nullptr && num_samples != 0) return NullArgument("samples");
  return std::span<const float>(samples, num_samples);
}

}  // namespace
}  // namespace koe::c_api

using namespace koe::c_api;  // NOLINT(google-build-using-namespace): the functions below are its outside

extern "C" {

koe_status koe_engine_open(const char* bundle_dir, const koe_engine_options* options, koe_engine** out,
                           koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_TRY(const koe::EngineOptions engine_options, ReadEngineOptions(options));
    KOE_TRY(const std::string dir, koe::FindBundle(OrEmpty(bundle_dir)));
    KOE_TRY(koe::Engine engine, koe::Engine::Open(dir, engine_options));
    std::vector<koe::VoiceInfo> voices = engine.Voices();
    koe::EngineInfo info = engine.Info();
    *out = new koe_engine{std::move(engine), std::move(voices), std::move(info)};
    return {};
  });
}

void koe_engine_free(koe_engine* engine) { delete engine; }
int32_t koe_engine_unload(const koe_engine* engine) { return engine != nullptr && engine->engine.Unload() ? 1 : 0; }

koe_status koe_engine_prewarm(const koe_engine* engine, const koe_prewarm_options* options, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}}));
    KOE_TRY(const koe_prewarm_options c, ReadOptions("options", options));
    koe::PrewarmOptions prewarm;
    prewarm.text = OrEmpty(c.text);
    prewarm.voice = OrEmpty(c.voice);
    if (c.cancel != nullptr) prewarm.cancel = &c.cancel->token;
    if (c.progress != nullptr) {
      prewarm.progress = [&c](koe::PrewarmStage stage, double fraction) {
        c.progress(c.user_data, koe::PrewarmStageName(stage), fraction);
      };
    }
    return engine->engine.Prewarm(prewarm);
  });
}

size_t koe_engine_num_voices(const koe_engine* engine) { return engine == nullptr ? 0 : engine->voices.size(); }

koe_status koe_engine_voice(const koe_engine* engine, size_t index, koe_voice_info* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}}));
    KOE_CHECK_OK(CheckIndex("voice", index, engine->voices.size()));
    const koe::VoiceInfo& voice = engine->voices[index];
    return WriteStruct("out", koe_voice_info{0, voice.id.c_str(), voice.language.c_str(), voice.gender.c_str()}, out);
  });
}

koe_status koe_engine_get_info(const koe_engine* engine, koe_engine_info* out, koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}}));
    const koe::EngineInfo& info = engine->info;
    koe_engine_info c = {};
    c.bundle_path = info.bundle_path.c_str();
    c.bundle_profile = info.bundle_profile.c_str();
    c.weights_source = info.weights_source.c_str();
    c.weights_sha256 = info.weights_sha256.c_str();
    c.tensor_precision = info.tensor_precision.c_str();
    c.simd_target = info.simd_target.c_str();
    c.cpu = info.cpu.c_str();
    c.num_threads = info.num_threads;
    return WriteStruct("out", c, out);
  });
}

koe_status koe_engine_diagnostics_json(const koe_engine* engine, koe_buffer** out, koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"engine", engine}}));
    *out = new koe_buffer{koe::DiagnosticsJson(engine->engine.GetDiagnostics())};
    return {};
  });
}

koe_status koe_write_audio(const float* samples, size_t num_samples, const char* path, const char* format,
                           koe_error* error) {
  return Call(error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"path", path}}));
    KOE_TRY(const std::span<const float> audio, ReadSamples(samples, num_samples));
    KOE_TRY(const koe::AudioFormat audio_format, ReadFormat(path, format));
    return koe::WriteAudio(audio, path, audio_format);
  });
}

koe_status koe_encode_audio(const float* samples, size_t num_samples, const char* format, koe_buffer** out,
                            koe_error* error) {
  return CallFor(out, error, [&]() -> koe::Result<void> {
    KOE_CHECK_OK(CheckNotNull({{"format", format}}));
    KOE_TRY(const std::span<const float> audio, ReadSamples(samples, num_samples));
    KOE_TRY(const koe::AudioFormat audio_format, koe::ParseAudioFormat(format));
    KOE_TRY(std::string bytes, koe::EncodeAudio(audio, audio_format));
    *out = new koe_buffer{std::move(bytes)};
    return {};
  });
}

}  // extern "C"
