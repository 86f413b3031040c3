// SPDX-License-Identifier: Apache-2.0
// Koe: text to speech with Kokoro-82M. Text in, 24 kHz mono float PCM out.
//
//   auto engine = koe::Engine::Open("models/kokoro-82m", {});
//   if (!engine) { use(engine.error().message()); }
//   auto audio = engine->Synthesize("Hello world.", {});
//   if (audio) { auto written = koe::WriteAudio(audio->samples, "hello.wav", koe::AudioFormat::kWav); }
//
// Conventions: text is UTF-8; offsets are bytes into the caller's text; samples are float, 24,000 a second, nominally
// within [-1, 1] and never clipped here; every fallible function returns Result and nothing throws.
#ifndef KOE_KOE_H_
#define KOE_KOE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "koe/result.h"

namespace koe {

inline constexpr int kSampleRateHz = 24000;
inline constexpr int kSamplesPerDurationFrame = 600;  // duration frames: 40 a second
inline constexpr float kMinSpeed = 0.25f, kMaxSpeed = 4.0f;
inline constexpr int kMaxThreads = 256;
inline constexpr size_t kMaxInputBytes = size_t{10} << 20;  // of one call
inline constexpr int kMaxPhonemesPerChunk = 510;            // positions of ALBERT less the two boundary tokens

// "0.1.0"
const char* Version();

// ---------------------------------------------------------------------------------------------------------------------
// Engine

// How a stage computes. kExact is the reference arithmetic in float32.
enum class Precision { kExact };

// What pronounces a word that no dictionary has.
//   kDefault: kNeural where the bundle has such a model, else kSpell
//   kNeural: the bundle's letter-to-sound model
//   kEspeak: the user's own espeak-ng (GPL; never linked), loaded by the first call that needs it: $KOE_ESPEAK_LIBRARY,
//     else the system's; $KOE_ESPEAK_DATA is where its data lie
//   kSpell: letter by letter
enum class UnknownWords { kDefault, kNeural, kEspeak, kSpell };

struct EngineOptions {
  int num_threads = 0;      // 0: one for every processor this process may use; 1..256
  std::string simd_target;  // "": $KOE_TARGET, else the best this CPU has; or scalar, avx2, avx512, neon
  Precision precision = Precision::kExact;
  bool verify_digests = true;  // compare the SHA-256 of every file with the manifest before its bytes are believed
  UnknownWords unknown_words = UnknownWords::kDefault;
  bool misaki_quirks = false;  // repeat what misaki does wrong, too (docs/g2p_en.md): for comparing phonemes
};

// Set from any thread to end a running call early; the call then returns kCancelled. Must outlive that call.
class CancelToken {
 public:
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool IsCancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  const std::atomic<bool>& flag() const { return cancelled_; }

 private:
  std::atomic<bool> cancelled_{false};
};

// Called on the calling thread, between stages and within the long one. fraction is in [0, 1] over the whole call and
// never falls.
struct Progress {
  double fraction;
  const char* stage;  // name of the stage that starts now, or "done"
  size_t chunk;       // index of the chunk
  size_t num_chunks;
};
using ProgressCallback = std::function<void(const Progress&)>;

enum class Language { kAmericanEnglish, kBritishEnglish };
// "en-us" and "en-gb"; anything else is kInvalidArgument and names both.
Result<Language> ParseLanguage(std::string_view code);
const char* LanguageCode(Language language);

// Where long text is cut; each chunk is synthesised by itself.
//   kSentences: each sentence is a chunk; one of more than 15 s by estimate (14 characters a second) is cut at clauses,
//     else between words. Hard-wrapped lines are joined.
//   kKokoro: as the Python package: each line by itself, as many words as fit 510 phonemes, cut at punctuation.
enum class Chunking { kSentences, kKokoro };

// A user's own pronunciations, asked before the dictionaries (docs/user_lexicon.md). Immutable and thread-safe; copies
// share the entries.
class UserLexicon {
 public:
  UserLexicon();  // no entries
  // Lines "word<TAB>phonemes" or "word<TAB>tag<TAB>phonemes". kInvalidArgument: "name:3: phonemes: 'g' (U+0067): ...",
  // the first thing that is wrong with its line; kTooLong: more than 64 MiB or a million entries.
  static Result<UserLexicon> Parse(std::string_view text, const std::string& name = "lexicon");
  // The same from a file or pipe. Also kNotFound, kIo.
  static Result<UserLexicon> Load(const std::string& path);
  // All of them in one: where several have a word, the last one's pronunciations count.
  static UserLexicon Layer(std::span<const UserLexicon> lexicons);
  size_t size() const;  // words

  struct Entries;                                            // src/g2p/user_lexicon.h
  const Entries* entries() const { return entries_.get(); }  // null where there are none

 private:
  explicit UserLexicon(std::shared_ptr<const Entries> entries);
  std::shared_ptr<const Entries> entries_;
};

struct SynthesisOptions {
  std::string voice = "af_heart";
  float speed = 1.0f;              // finite, 0.25..4; durations are divided by it
  std::string language;            // "": from the voice (b*: en-gb, else en-us); or en-us, en-gb
  bool input_is_phonemes = false;  // the input is a string of Kokoro's phoneme symbols, not text
  Chunking chunking = Chunking::kSentences;
  UserLexicon lexicon;
  uint64_t seed = 0;  // of the harmonic source's noise; the same seed gives the same samples
  const CancelToken* cancel = nullptr;
  ProgressCallback progress;
};

struct PhonemizeOptions {
  Language language = Language::kAmericanEnglish;
  UserLexicon lexicon;
  // Fills in Phonemization::chunks, for speech at this speed.
  std::optional<Chunking> chunking = std::nullopt;
  float speed = 1.0f;
  const CancelToken* cancel = nullptr;
};

// One word (or punctuation mark) as the front end saw it.
struct WordInfo {
  std::string text;      // as in the input
  size_t offset = 0;     // bytes into the input
  size_t length = 0;     // bytes
  std::string phonemes;  // empty where nothing is spoken
  std::string tag;       // Penn tag, as far as the front end knows it
  // markup, lexicon (the user's), gold, silver, stem, letters, number, neural, espeak, spelled, punctuation, unknown
  std::string source;
  float confidence = 1;    // [0, 1]: the estimated probability that the phonemes are right
  std::string whitespace;  // what follows in phonemes: "" or " "
};

// A chunk as it would be synthesised.
struct ChunkPreview {
  size_t text_offset = 0;  // bytes into the input, of this chunk's first word
  size_t text_length = 0;  // bytes
  std::string phonemes;
};

struct Phonemization {
  std::string phonemes;  // what the model gets
  std::vector<WordInfo> words;
  std::vector<ChunkPreview> chunks;  // where they were asked for
  size_t unknown_words = 0;          // words that no dictionary has (sources neural, espeak, spelled)
  size_t dropped_symbols = 0;        // characters that are neither spoken nor in the model's vocabulary
};

struct TokenInfo {
  int32_t id;          // 0 at both ends of a chunk
  int32_t num_frames;  // duration frames of 600 samples, at least 1
};

struct ChunkInfo {
  size_t text_offset = 0;  // bytes into the input, of this chunk's first word
  size_t text_length = 0;  // bytes
  std::string phonemes;
  size_t dropped_symbols = 0;     // phoneme characters that the vocabulary lacks
  std::vector<TokenInfo> tokens;  // with both boundary tokens
  size_t first_sample = 0;        // in Audio::samples
  size_t num_samples = 0;         // 600 x sum of frames (neighbours overlap by the 120 samples of their cross-fade)
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
  double seconds() const { return static_cast<double>(samples.size()) / sample_rate_hz; }
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

// Thread-safe: any number of threads may call the const members of one engine; they share its thread pool.
class Engine {
 public:
  // Reads and checks the bundle's manifest; weights are checked and packed at the first call that needs them (or by
  // Prewarm). kNotFound: no bundle there. kCorruptBundle: a file is not what the manifest says.
  // kInvalidArgument: options.
  static Result<Engine> Open(const std::string& bundle_dir, const EngineOptions& options);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  // Loads the weights and runs one short synthesis, so that the next call runs at full speed.
  Result<void> Prewarm() const;

  // Errors: kInvalidArgument (unknown voice, speed outside 0.25..4 or not finite, nothing to speak, invalid UTF-8,
  // phonemes of which none is in the vocabulary), kTooLong (over 10 MiB of input, or more than about 12 hours of
  // speech), kCorruptBundle, kCancelled, kOutOfMemory, kInternal (audio that is not finite).
  Result<Audio> Synthesize(std::string_view input, const SynthesisOptions& options) const;

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

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Audio files

// kOgg: Vorbis. kOpus: Opus in Ogg. kRaw: signed 16-bit little-endian samples, no header.
enum class AudioFormat { kWav, kFlac, kMp3, kOgg, kOpus, kRaw };
// By name ("wav", "flac", "mp3", "ogg", "opus", "raw", in any case) or by the ending of a file name. kInvalidArgument
// names all six.
Result<AudioFormat> ParseAudioFormat(std::string_view name);
Result<AudioFormat> AudioFormatOfPath(std::string_view path);

// Writes mono 24 kHz. WAV, FLAC and raw hold 16-bit samples, round(32768 x) clipped to what fits; nothing is
// normalised. The same samples give the same bytes. A file is written beside its final name and renamed into place (a
// symbolic link is followed; a pipe or device is written directly); on failure nothing is left. kInvalidArgument for
// samples that are not finite or for none, kUnsupported for a format this build of libsndfile lacks, kTooLong for a WAV
// file of 4 GiB, kIo otherwise.
Result<void> WriteAudio(std::span<const float> samples, const std::string& path, AudioFormat format);
// The same bytes in memory, for streams.
Result<std::string> EncodeAudio(std::span<const float> samples, AudioFormat format);

// ---------------------------------------------------------------------------------------------------------------------
// Bundles

struct BundleBuildOptions {
  std::string weights_path;         // .onnx (int8, fp16, fp32), .pth, .safetensors
  std::string vocab_path;           // "": the vocabulary that is compiled in (Kokoro v1.0's 114 symbols)
  std::string voices_dir;           // <id>.bin or <id>.pt files
  std::string lexicons_dir;         // us_gold.json, us_silver.json, gb_gold.json, gb_silver.json; "": none
  std::string g2p_dir;              // en.tagger and en.l2s, each where it is there (data/g2p); "": none
  std::string output_dir;           // must not exist, or be a bundle (which is replaced), or be empty
  std::string profile = "full";     // starter (af_heart), full (every voice found), custom (`voices`)
  std::vector<std::string> voices;  // for custom
  std::function<void(double fraction, const std::string& what)> progress;
  const CancelToken* cancel = nullptr;  // looked at between files and tensors
};
// Built beside output_dir and renamed into place: on any error (kCancelled too) output_dir is as it was.
Result<void> BuildBundle(const BundleBuildOptions& options);

struct BundleReport {
  std::string path, profile, generated_by, weights_source, weights_sha256, tensor_precision;
  std::vector<std::string> languages, voices;
  size_t num_files = 0;
  uint64_t num_bytes = 0;
  size_t num_tensors = 0;
};
// Reads the manifest only.
Result<BundleReport> ReadBundle(const std::string& dir);
// Re-hashes every file, checks that the manifests cover the folder exactly, every tensor's name, type and shape, and
// that every value is finite.
Result<BundleReport> ValidateBundle(const std::string& dir);
// --bundle DIR, $KOE_BUNDLE, ./models/kokoro-82m, $XDG_DATA_HOME/koe/kokoro-82m, /usr/share/koe/kokoro-82m, in this
// order; a given dir is not searched past. kNotFound lists the places.
Result<std::string> FindBundle(const std::string& given_dir);

}  // namespace koe

#endif  // KOE_KOE_H_
