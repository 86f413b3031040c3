// SPDX-License-Identifier: Apache-2.0
// The engine.
#ifndef KOE_ENGINE_H_
#define KOE_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "koe/common.h"
#include "koe/provider.h"
#include "koe/result.h"
#include "koe/speech.h"
#include "koe/stream.h"
#include "koe/text.h"

namespace koe {

// How the model computes (docs/memory.md has what each costs).
//   kExact: float32, convolutions in the fastest forms that keep 100 dB
//   kFast: also forms that keep 84 dB, where they are faster (in 16-bit whole numbers where the CPU has AVX-512 VNNI).
//     The waveform stays 75 dB and more from kExact's; durations and pitch are the same
//   kLowMemory: kExact's samples to the bit; weights stay as the bundle stores them (int8) until they are used: half
//     the memory, a little slower
enum class Precision { kExact, kFast, kLowMemory };

struct EngineOptions {
  int num_threads = 0;      // 0: one for every processor this process may use; 1..256
  std::string simd_target;  // "": $KOE_TARGET, else the best this CPU has; or scalar, avx2, avx512, neon
  Precision precision = Precision::kExact;
  // The most bytes that the model and one synthesis at a time may take, 0 for any number: long text is cut into smaller
  // chunks, and what does not fit even so is kTooLong. Dictionaries, voices and the returned audio do not count.
  size_t max_memory_bytes = 0;
  bool verify_digests = true;  // compare the SHA-256 of every file with the manifest before its bytes are believed
  UnknownWords unknown_words = UnknownWords::kDefault;
  bool misaki_quirks = false;  // repeat what misaki does wrong, too (docs/g2p_en.md): for comparing phonemes
  // Engine::Unload once no call has run for so long; the next call loads the model again. 0: never; at most a year.
  double unload_after_seconds = 0;
  // Stages on other devices, as "generator=onnx:cpu" or "all=onnx:cpu": on ONNX models that `koe export` wrote from the
  // same bundle into models_dir, run by the user's own onnxruntime ($KOE_ONNXRUNTIME_LIBRARY, else the system's); as
  // "all=coreml" on Apple's systems (docs/export.md). Text is cut so that chunks fit the models' sizes by estimate; one
  // that does not is kTooLong. Empty: every stage is native, nothing of this is loaded. Not with max_memory_bytes.
  std::vector<std::string> place = {};
  std::string models_dir = {};
};

struct VoiceInfo {
  std::string id;        // af_heart
  std::string language;  // en-us, en-gb, or the two-letter family of a voice Koe has no front end for: ja, zh, es, ...
  std::string gender;    // female, male
};

struct StagePlan {
  std::string stage;
  std::string device;
  std::string precision;
  int num_threads;
};

struct EngineInfo {
  std::string bundle_path;
  std::string bundle_profile;
  std::string weights_source;    // file name the weights were imported from
  std::string weights_sha256;    // of that file
  std::string tensor_precision;  // int8, fp16, fp32
  std::vector<std::string> languages;
  std::string simd_target;                     // in use
  std::vector<std::string> supported_targets;  // best first
  std::string cpu;
  int num_threads;
  std::vector<StagePlan> plan;
};

struct DumpOptions {
  std::string golden_path;     // safetensors with token_ids, ref_s, speed (and har); empty: phonemes below
  bool use_golden_har = true;  // feed the golden's `har` to the generator, not our own random numbers
  bool feed_stages = false;    // every stage gets the golden's inputs, not the previous stage's output
  std::string phonemes;        // with voice and speed, where there is no golden
  std::string voice = "af_heart";
  float speed = 1.0f;
  uint64_t seed = 0;
  const CancelToken* cancel = nullptr;
};

// How far Engine::Prewarm is.
enum class PrewarmStage { kTextPreparation, kModelLoad, kFirstRun, kDone };
const char* PrewarmStageName(PrewarmStage stage);  // "text_preparation", "model_load", "first_run", "done"

struct PrewarmOptions {
  // Spoken once and thrown away; what is about as long as what is to come makes its memory ready too. "": a short one.
  std::string text;
  std::string voice;  // "": the bundle's first
  const CancelToken* cancel = nullptr;
  // Called on the calling thread when a stage starts, with the share of the call that is done.
  std::function<void(PrewarmStage stage, double fraction)> progress;
};

// What an engine has done since it was opened, for logs: it never holds text.
struct Diagnostics {
  uint64_t syntheses = 0;  // calls and streams that ended without an error
  uint64_t chunks = 0;     // of those, as all that follows
  uint64_t samples = 0;
  uint64_t cancelled = 0;         // calls and streams
  uint64_t errors = 0;            // other than those
  double front_end_seconds = 0;   // wall, text to tokens
  double model_load_seconds = 0;  // 0 before
  std::vector<StageTime> stages;  // wall seconds, all chunks
  uint64_t workspace_bytes = 0;   // kept for activations, in workspaces that are not in use
  std::string weights_sha256;     // as EngineInfo
  std::string last_error;         // its code's name and its message up to the first ':', as "invalid_argument: voice"
};
// One object on one line.
std::string DiagnosticsJson(const Diagnostics& diagnostics);

struct RunOptions {
  const CancelToken* cancel = nullptr;
  ProgressCallback progress;
};

// Thread-safe: any number of threads may call the const members of one engine; they share its thread pool.
class Engine {
 public:
  // Reads and checks the bundle's manifest; weights are checked and packed at the first call that needs them (or by
  // Prewarm). kNotFound: no bundle there. kCorruptBundle: a file is not what the manifest says.
  // kInvalidArgument: options. With EngineOptions::place also kNotFound (onnxruntime, models) and kUnsupported (an old
  // onnxruntime, models of another form).
  static Result<Engine> Open(const std::string& bundle_dir, const EngineOptions& options);
  // The same on what a provider offers, which is prepared (downloaded, perhaps) first. Errors also those of the
  // provider.
  static Result<Engine> Open(std::shared_ptr<ResourceProvider> provider, const EngineOptions& options,
                             const ProviderProgressCallback& progress = {}, const CancelToken* cancel = nullptr);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  // Loads the weights and runs one short synthesis, so that the next call runs at full speed.
  Result<void> Prewarm() const;
  Result<void> Prewarm(const PrewarmOptions& options) const;

  // Frees the model and the memory for activations, 330 MB and more; the next call loads it again. False, and nothing
  // is done, while a call runs or where nothing is loaded. EngineOptions::unload_after_seconds does this by itself.
  bool Unload() const;

  // Errors: kInvalidArgument (unknown voice, speed outside 0.25..4 or not finite, nothing to speak, invalid UTF-8,
  // phonemes of which none is in the vocabulary), kTooLong (over 10 MiB of input, or more than about 12 hours of
  // speech; a chunk that fits no model of a placed stage, or not max_memory_bytes), kCorruptBundle, kCancelled,
  // kOutOfMemory, kInternal (audio that is not finite).
  Result<Audio> Synthesize(std::string_view input, const SynthesisOptions& options) const;

  // Synthesize in two steps: the first needs no weights. Errors as Synthesize; SynthesizePrepared also kInvalidArgument
  // for a chunk whose tokens, voice row or speed are out of range. progress is not called by Prepare.
  Result<Prepared> Prepare(std::string_view input, const SynthesisOptions& options) const;
  // Fills in neither Audio::stages' g2p nor unknown_words.
  Result<Audio> SynthesizePrepared(std::span<const PreparedChunk> chunks, const RunOptions& options = {}) const;

  // Audio while it is made (koe/stream.h). The text is copied. kInvalidArgument as Synthesize; what is wrong further on
  // in the text is an error of Stream::Next.
  Result<Stream> OpenStream(std::string_view input, const SynthesisOptions& options,
                            const StreamOptions& stream_options = {}) const;
  // The same for text that is still being written: Stream::Push and Finish. Not for phonemes.
  Result<Stream> OpenStream(const SynthesisOptions& options, const StreamOptions& stream_options = {}) const;
  // Gives each chunk to `sink` on this thread as soon as it is made; the next one is made after sink returns. Memory
  // does not grow with the text. A sink that returns false ends the call without an error.
  Result<StreamStatistics> Synthesize(std::string_view input, const SynthesisOptions& options,
                                      const AudioSink& sink) const;

  // Text to phonemes, without loading the model's weights. Errors: kInvalidArgument (invalid UTF-8, speed), kTooLong,
  // kCancelled, kCorruptBundle, kNotFound (no dictionary of that language, or not what pronounces unknown words: no
  // letter-to-sound model in the bundle, no espeak-ng), kUnsupported (espeak-ng without its data).
  Result<Phonemization> Phonemize(std::string_view text, const PhonemizeOptions& options) const;
  Result<Phonemization> Phonemize(std::string_view text, Language language) const;

  // Every stage's tensors for one chunk, written as safetensors under the reference implementation's names and in its
  // layout (channels first), float32, pred_dur int32. Errors: as Synthesize; kCorruptBundle for a malformed golden.
  Result<void> Dump(const DumpOptions& options, const std::string& output_path) const;

  std::vector<VoiceInfo> Voices() const;
  EngineInfo Info() const;
  Diagnostics GetDiagnostics() const;

 private:
  struct Impl;
  friend class Stream;
  template <typename OpenBundle>
  static Result<Engine> OpenWith(const EngineOptions& options, OpenBundle open_bundle);
  explicit Engine(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // streams hold it too
};

}  // namespace koe

#endif  // KOE_ENGINE_H_
