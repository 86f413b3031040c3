// SPDX-License-Identifier: Apache-2.0
// koe/publish.h: src/bundle's functions, and the check that a bundle speaks.
#include "koe/publish.h"

#include <cmath>
#include <string>

#include "api/guard.h"
#include "bundle/publish.h"
#include "koe/koe.h"

namespace koe {
namespace {

// "hello" in Kokoro's phonemes: any voice has the row that five symbols take, and no dictionary is needed.
constexpr char kWord[] = "h\xC9\x99l\xCB\x88O";
// Speech at -60 dB of full scale is no speech; Kokoro's "hello" stands near -20 dB.
constexpr double kLeastRms = 1e-3;

Result<void> SpeakOneWord(const std::string& dir) {
  KOE_TRY(const Engine engine, Engine::Open(dir, {}));
  const std::vector<VoiceInfo> voices = engine.Voices();
  if (voices.empty()) return Error(ErrorCode::kCorruptBundle, "bundle: '" + dir + "': no voices: nothing can speak");
  for (const VoiceInfo& voice : {voices.front(), voices.back()}) {
    SynthesisOptions options;
    options.voice = voice.id;
    options.input_is_phonemes = true;
    KOE_TRY(const Audio audio, engine.Synthesize(kWord, options));
    size_t num_frames = 0;
    for (const ChunkInfo& chunk : audio.chunks) {
      for (const TokenInfo& token : chunk.tokens) num_frames += static_cast<size_t>(token.num_frames);
    }
    double squares = 0;
    for (const float sample : audio.samples) squares += static_cast<double>(sample) * static_cast<double>(sample);
    const double rms = audio.samples.empty() ? 0 : std::sqrt(squares / static_cast<double>(audio.samples.size()));
    if (audio.samples.size() != num_frames * kSamplesPerDurationFrame || !(rms >= kLeastRms)) {
      return Error(ErrorCode::kCorruptBundle, "bundle: '" + dir + "': voice '" + voice.id + "' says " +
                                                  std::to_string(audio.samples.size()) + " samples of level " +
                                                  std::to_string(rms) + ": no speech");
    }
  }
  return {};
}

}  // namespace

Result<std::string> GenerateSigningKey(const std::string& secret_path, const std::string& public_path) {
  return api::Guard([&] { return bundle::GenerateSigningKey(secret_path, public_path); });
}

Result<std::string> SignBundle(const std::string& path, const std::string& secret_key_path) {
  return api::Guard([&] { return bundle::SignBundle(path, secret_key_path); });
}

Result<void> VerifyBundle(const std::string& path, const std::string& public_key) {
  return api::Guard([&] { return bundle::VerifyBundle(path, public_key); });
}

Result<std::vector<BundleChange>> DiffBundles(const std::string& before_dir, const std::string& after_dir) {
  return api::Guard([&] { return bundle::DiffBundles(before_dir, after_dir); });
}

Result<BundleReport> ValidateBundleDeep(const std::string& dir) {
  return api::Guard([&]() -> Result<BundleReport> {
    KOE_TRY(BundleReport report, ValidateBundle(dir));
    KOE_CHECK_OK(SpeakOneWord(dir));
    return report;
  });
}

Result<PublishReport> PublishBundle(const PublishOptions& options) {
  return api::Guard([&] { return bundle::PublishBundle(options); });
}

}  // namespace koe
