// SPDX-License-Identifier: Apache-2.0
// koe.h's engine and bundles without a model, so that the command line's contract can be tested anywhere: every failure
// is available at will. Sound is a tone of 600 samples for each character.
//
// Bundles: any folder that holds a file "fake-bundle". Words in the text act:
//   [cancel-wait] waits for cancellation (10 s at most)   [slow] takes 1.5 s and reports progress
//   [internal] [memory] [corrupt] [io] fail with that code   [throw] [bad-alloc] throw, which no engine may
//   [nan] gives a sample that is not finite   [none] gives no samples   [random] gives other samples each time
//   xyzzy and words that start so are in no dictionary: spelled, or guessed as --oov says
// A user's lexicon is asked for whole words; misaki's quirks are a q at the end of the phonemes. A chunk ends after a
// full stop (kSentences) or at the end (kKokoro). espeak-ng is missing where the bundle holds a file "no-espeak".
#include <sys/stat.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <new>
#include <stdexcept>
#include <thread>

#include "g2p/user_lexicon.h"
#include "koe/bench.h"
#include "koe/export.h"
#include "koe/kernel_rates.h"
#include "koe/koe.h"
#include "koe/publish.h"

namespace koe {
namespace {

const std::vector<VoiceInfo> kVoices = {
    {"af_heart", "en-us", "female"},
    {"am_adam", "en-us", "male"},
    {"bf_emma", "en-gb", "female"},
    {"jf_alpha", "ja", "female"},
};

bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

bool Has(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

Result<void> FailIfAsked(std::string_view text) {
  if (Has(text, "[internal]")) return Error(ErrorCode::kInternal, "generator: frame 3: not finite");
  if (Has(text, "[memory]")) return Error(ErrorCode::kOutOfMemory, "arena: 3 GB: not available");
  if (Has(text, "[corrupt]")) return Error(ErrorCode::kCorruptBundle, "weights.safetensors: sha256: differs");
  if (Has(text, "[io]")) return Error(ErrorCode::kIo, "weights.safetensors: read: input/output error");
  if (Has(text, "[throw]")) throw std::runtime_error("as asked\nby the test");
  if (Has(text, "[bad-alloc]")) throw std::bad_alloc();
  return {};
}

struct Guess {
  const char* source;
  float confidence;
};
Guess GuessOf(UnknownWords how) {
  if (how == UnknownWords::kNeural) return {"neural", 0.25f};
  return how == UnknownWords::kEspeak ? Guess{"espeak", 0.5f} : Guess{"spelled", 0};
}

std::vector<WordInfo> Words(std::string_view text, const EngineOptions& engine, const UserLexicon& lexicon) {
  std::vector<WordInfo> words;
  size_t at = 0;
  while ((at = text.find_first_not_of(" \n", at)) != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(" \n", at), text.size());
    WordInfo word;
    word.text = text.substr(at, end - at);
    word.offset = at;
    word.length = end - at;
    word.phonemes = "ˈ" + word.text;
    word.tag = "NN";
    word.source = "gold";
    const g2p::UserWord* users = lexicon.entries() == nullptr ? nullptr : lexicon.entries()->Find(word.text, word.text);
    if (users != nullptr) {
      word.source = "lexicon";
      word.phonemes = users->pronunciations[0].phonemes;
    } else if (word.text.starts_with("xyzzy")) {
      word.source = GuessOf(engine.unknown_words).source;
      word.confidence = GuessOf(engine.unknown_words).confidence;
    }
    word.whitespace = end < text.size() ? " " : "";
    words.push_back(word);
    at = end;
  }
  return words;
}

size_t CountUnknown(const std::vector<WordInfo>& words) {
  size_t count = 0;
  for (const WordInfo& word : words) count += word.text.starts_with("xyzzy") && word.source != "lexicon" ? 1 : 0;
  return count;
}

// Waits, reporting progress, until the time is over or the call is cancelled.
bool WaitIsCancelled(double seconds, const SynthesisOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  for (double elapsed = 0; elapsed < seconds;) {
    if (options.cancel != nullptr && options.cancel->IsCancelled()) return true;
    if (options.progress) options.progress({elapsed / seconds, "generator", elapsed < seconds / 2 ? 0u : 1u, 2});
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return false;
}

}  // namespace

const char* Version() { return "0.0.0-fake"; }

Result<Language> ParseLanguage(std::string_view code) {
  if (code == "en-us") return Language::kAmericanEnglish;
  if (code == "en-gb") return Language::kBritishEnglish;
  return Error(ErrorCode::kInvalidArgument, "language: '" + std::string(code) + "': must be en-us or en-gb");
}

const char* LanguageCode(Language language) { return language == Language::kAmericanEnglish ? "en-us" : "en-gb"; }

struct Engine::Impl {
  std::string bundle;
  int num_threads;
  EngineOptions options;
  // Before text is read, as the engine does it.
  Result<void> OpenEspeak() const {
    if (options.unknown_words != UnknownWords::kEspeak || !Exists(bundle + "/no-espeak")) return {};
    return Error(ErrorCode::kNotFound, "espeak: libespeak-ng: not found (libespeak-ng.so.1)");
  }
};

Engine::Engine(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::Open(const std::string& bundle_dir, const EngineOptions& options) {
  const char* forced = std::getenv("KOE_TARGET");
  const std::string target = !options.simd_target.empty() ? options.simd_target : forced != nullptr ? forced : "scalar";
  if (target != "scalar") return Error(ErrorCode::kUnsupported, "SIMD target: " + target + ": this CPU has scalar");
  if (Exists(bundle_dir + "/newer")) return Error(ErrorCode::kUnsupported, "bundle: schema 9: newer than this build");
  if (!Exists(bundle_dir + "/fake-bundle")) {
    return Error(ErrorCode::kCorruptBundle, "bundle: '" + bundle_dir + "': no manifest");
  }
  return Engine(std::make_shared<Impl>(Impl{bundle_dir, options.num_threads == 0 ? 2 : options.num_threads, options}));
}

Result<void> Engine::Prewarm() const { return {}; }
bool Engine::Unload() const { return false; }

Result<Audio> Engine::Synthesize(std::string_view input, const SynthesisOptions& options) const {
  const auto start = std::chrono::steady_clock::now();
  KOE_CHECK_OK(FailIfAsked(input));
  const double wait_seconds = Has(input, "[cancel-wait]") ? 10 : Has(input, "[slow]") ? 1.5 : 0;
  if (WaitIsCancelled(wait_seconds, options)) return Error(ErrorCode::kCancelled, "synthesis: cancelled in generator");
  Audio audio;
  if (!Has(input, "[none]")) audio.samples.resize(static_cast<size_t>(600 * std::ceil(input.size() / options.speed)));
  static int num_calls = 0;
  const double gain = Has(input, "[random]") ? 0.1 * ++num_calls : 0.5;
  const double radians = 0.1 + 1e-4 * static_cast<double>(options.seed);
  for (size_t n = 0; n < audio.samples.size(); ++n) {
    audio.samples[n] = static_cast<float>(gain * std::sin(radians * static_cast<double>(n)));
  }
  if (Has(input, "[nan]")) audio.samples[7] = std::numeric_limits<float>::quiet_NaN();
  KOE_CHECK_OK(impl_->OpenEspeak());
  if (!options.input_is_phonemes) audio.words = Words(input, impl_->options, options.lexicon);
  audio.unknown_words = CountUnknown(audio.words);
  ChunkInfo chunk;
  chunk.text_length = input.size();
  chunk.phonemes = input;
  if (options.chunking == Chunking::kKokoro) chunk.phonemes += "k";
  chunk.dropped_symbols = Has(input, "[") ? 2 : 0;
  chunk.tokens = {{0, 1}, {50, 2}, {0, 1}};
  chunk.num_samples = audio.samples.size();
  audio.chunks = {chunk};
  audio.stages = {{"duration", 0.25}, {"generator", 0.5}};
  audio.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return audio;
}

// All of it as one chunk.
Result<StreamStatistics> Engine::Synthesize(std::string_view input, const SynthesisOptions& options,
                                            const AudioSink& sink) const {
  KOE_TRY(Audio audio, Synthesize(input, options));
  StreamStatistics statistics;
  statistics.num_chunks = audio.chunks.size();
  statistics.num_samples = audio.samples.size();
  statistics.wall_seconds = audio.wall_seconds;
  statistics.unknown_words = audio.unknown_words;
  statistics.stages = audio.stages;
  AudioChunk chunk;
  chunk.plan.info = audio.chunks.front();
  chunk.samples = std::move(audio.samples);
  chunk.is_last = true;
  sink(chunk);
  return statistics;
}

// One chunk, made when it is asked for.
struct Stream::Impl {
  std::function<Result<Audio>()> make;
  bool is_done = false;
};

Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;
StreamStatistics Stream::Statistics() const { return {}; }
std::vector<SentenceTime> Stream::Sentences() const { return {}; }

Result<std::optional<AudioChunk>> Stream::Next() {
  if (impl_->is_done) return std::optional<AudioChunk>();
  impl_->is_done = true;
  KOE_TRY(Audio audio, impl_->make());
  AudioChunk chunk;
  chunk.samples = std::move(audio.samples);
  chunk.is_last = true;
  return std::optional<AudioChunk>(std::move(chunk));
}

Result<Stream> Engine::OpenStream(std::string_view input, const SynthesisOptions& options, const StreamOptions&) const {
  const std::string text(input);
  return Stream(
      std::make_unique<Stream::Impl>(Stream::Impl{[this, text, options] { return Synthesize(text, options); }}));
}

Result<Phonemization> Engine::Phonemize(std::string_view text, const PhonemizeOptions& options) const {
  KOE_CHECK_OK(FailIfAsked(text));
  KOE_CHECK_OK(impl_->OpenEspeak());
  Phonemization result;
  result.words = Words(text, impl_->options, options.lexicon);
  if (Has(text, "[")) result.dropped_symbols = 2;
  for (size_t begin = 0; options.chunking && begin < text.size();) {
    const size_t stop = *options.chunking == Chunking::kSentences ? text.find('.', begin) : std::string_view::npos;
    const size_t end = stop == std::string_view::npos ? text.size() : stop + 1;
    const size_t start = text.find_first_not_of(" \n", begin);
    if (start < end) result.chunks.push_back({start, end - start, "ˈ" + std::string(text.substr(start, end - start))});
    begin = end;
  }
  for (const WordInfo& word : result.words) result.phonemes += word.phonemes + word.whitespace;
  if (options.language == Language::kBritishEnglish) result.phonemes += "ː";
  if (impl_->options.misaki_quirks) result.phonemes += "q";
  result.unknown_words = CountUnknown(result.words);
  return result;
}

Result<void> Engine::Dump(const DumpOptions& options, const std::string& output_path) const {
  KOE_CHECK_OK(FailIfAsked(options.phonemes));
  if (!options.golden_path.empty() && !Exists(options.golden_path)) {
    return Error(ErrorCode::kNotFound, "golden: '" + options.golden_path + "': No such file or directory");
  }
  std::ofstream(output_path) << options.golden_path << ' ' << options.use_golden_har << options.feed_stages << ' '
                             << options.phonemes << ' ' << options.voice << ' ' << options.speed;
  return {};
}

std::vector<VoiceInfo> Engine::Voices() const { return kVoices; }

EngineInfo Engine::Info() const {
  EngineInfo info;
  info.bundle_path = impl_->bundle;
  info.bundle_profile = "full";
  info.weights_source = "fake.onnx";
  info.weights_sha256 = std::string(64, '0');
  info.tensor_precision = "int8";
  info.languages = {"en-us", "en-gb"};
  info.simd_target = "scalar";
  info.supported_targets = {"scalar"};
  info.cpu = "Fake CPU";
  info.num_threads = impl_->num_threads;
  info.plan = {{"duration", "cpu", "exact", impl_->num_threads}, {"generator", "cpu", "exact", impl_->num_threads}};
  return info;
}

Result<void> BuildBundle(const BundleBuildOptions& options) {
  if (!Exists(options.weights_path)) {
    return Error(ErrorCode::kNotFound, "weights: '" + options.weights_path + "': No such file or directory");
  }
  if (Has(options.weights_path, "unknown-form")) return Error(ErrorCode::kUnsupported, "weights: opset 99: unknown");
  SynthesisOptions wait;
  wait.cancel = options.cancel;
  if (Has(options.weights_path, "slow") && WaitIsCancelled(10, wait)) {
    return Error(ErrorCode::kCancelled, "bundle: cancelled");
  }
  if (mkdir(options.output_dir.c_str(), 0777) != 0) {
    return Error(ErrorCode::kIo, "bundle: '" + options.output_dir + "': cannot be made");
  }
  std::ofstream(options.output_dir + "/fake-bundle") << options.profile;
  return {};
}

Result<BundleReport> ReadBundle(const std::string& dir) {
  if (!Exists(dir + "/fake-bundle")) return Error(ErrorCode::kCorruptBundle, "bundle: '" + dir + "': no manifest");
  BundleReport report;
  report.path = dir;
  std::ifstream(dir + "/fake-bundle") >> report.profile;
  report.languages = {"en-us", "en-gb"};
  for (const VoiceInfo& voice : kVoices) report.voices.push_back(voice.id);
  report.num_files = 1;
  report.num_bytes = 1500000;
  report.num_tensors = 3;
  return report;
}

Result<BundleReport> ValidateBundle(const std::string& dir) {
  if (Exists(dir + "/flipped")) return Error(ErrorCode::kCorruptBundle, "bundle: weights.safetensors: sha256 differs");
  return ReadBundle(dir);
}

Result<BundleReport> ValidateBundleDeep(const std::string& dir) {
  if (Exists(dir + "/mute")) return Error(ErrorCode::kCorruptBundle, "bundle: '" + dir + "': no speech");
  return ValidateBundle(dir);
}

Result<std::vector<BundleChange>> DiffBundles(const std::string& before_dir, const std::string& after_dir) {
  KOE_CHECK_OK(ReadBundle(before_dir));
  KOE_CHECK_OK(ReadBundle(after_dir));
  if (before_dir == after_dir) return std::vector<BundleChange>{};
  return std::vector<BundleChange>{{BundleChange::Kind::kField, "serial", "1", "2"},
                                   {BundleChange::Kind::kAdded, "voices/x.bin", "", "4 bytes"},
                                   {BundleChange::Kind::kRemoved, "voices/y.bin", "5 bytes", ""}};
}

Result<std::string> GenerateSigningKey(const std::string& secret_path, const std::string& public_path) {
  if (Exists(secret_path)) return Error(ErrorCode::kInvalidArgument, "key: '" + secret_path + "': there already");
  std::ofstream(secret_path) << "secret";
  std::ofstream(public_path) << "public";
  return std::string(64, 'a');
}

Result<std::string> SignBundle(const std::string& path, const std::string& secret_key_path) {
  if (!Exists(secret_key_path)) return Error(ErrorCode::kNotFound, "file: " + secret_key_path + ": missing");
  KOE_CHECK_OK(ReadBundle(path));
  std::ofstream(path + "/HostedManifest.json.sig") << "signature";
  return path + "/HostedManifest.json.sig";
}

Result<void> VerifyBundle(const std::string& path, const std::string&) {
  if (Exists(path + "/HostedManifest.json.sig")) return {};
  return Error(ErrorCode::kCorruptBundle, "signature: " + path + ": missing");
}

Result<PublishReport> PublishBundle(const PublishOptions& options) {
  KOE_CHECK_OK(ReadBundle(options.bundle_dir));
  if (mkdir(options.site_dir.c_str(), 0777) != 0) {
    return Error(ErrorCode::kIo, "site: '" + options.site_dir + "': cannot be made");
  }
  PublishReport report;
  report.serial = options.serial != 0 ? options.serial : 1;
  report.revision = "r1";
  report.hosted_path = "HostedManifest.json";
  report.hosted_sha256 = std::string(64, 'b');
  report.profiles = {"starter"};
  report.num_bytes = 1500000;
  return report;
}

Result<std::string> FindBundle(const std::string& given_dir) {
  const char* from_environment = std::getenv("KOE_BUNDLE");
  const std::string dir = !given_dir.empty() ? given_dir : from_environment != nullptr ? from_environment : "";
  if (!dir.empty() && Exists(dir)) return dir;
  return Error(ErrorCode::kNotFound, "bundle: not found: looked in " + (dir.empty() ? "$KOE_BUNDLE" : dir));
}

const char* ExportStageName(ExportStage stage) {
  constexpr const char* kNames[] = {"duration", "f0ntrain", "decoder_pre", "decoder_har_post"};
  return kNames[static_cast<size_t>(stage)];
}

// One package a stage and size, nothing in it.
Result<ExportReport> ExportModel(const ExportOptions& options) {
  KOE_CHECK_OK(FailIfAsked(options.output_dir));
  ExportReport report;
  report.output_dir = options.output_dir;
  for (const ExportStage stage : options.stages) {
    for (const int size : stage == ExportStage::kDuration ? options.tokens : options.buckets) {
      report.packages.push_back({ExportStageName(stage), stage, {size}, "00", 1000, {{"model", 1000, "00"}}});
      report.bytes += 1000;
    }
  }
  return report;
}

// A folder with the name of the manifest in it.
Result<SdkBundleReport> BuildSdkBundle(const SdkBundleOptions& options) {
  KOE_CHECK_OK(FailIfAsked(options.output_dir));
  mkdir(options.output_dir.c_str(), 0777);
  std::ofstream(options.output_dir + "/KokoroRuntimeManifest.json") << options.profile;
  return ValidateSdkBundle(options.output_dir);
}

Result<SdkBundleReport> ValidateSdkBundle(const std::string& dir) {
  if (Exists(dir + "/flipped")) return Error(ErrorCode::kCorruptBundle, "file: voices/a.bin: SHA-256 is another");
  SdkBundleReport report;
  report.path = dir;
  std::ifstream(dir + "/KokoroRuntimeManifest.json") >> report.profile;
  report.buckets = {15};
  report.tokens = {128};
  report.packages = {"kokoro_duration_t128"};
  report.voices = {"af_heart"};
  report.num_files = 4;
  report.num_bytes = 1500000;
  return report;
}

bool IsSdkBundle(const std::string& dir) { return Exists(dir + "/KokoroRuntimeManifest.json"); }

struct FrontEndBench::Impl {};
FrontEndBench::FrontEndBench(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FrontEndBench::FrontEndBench(FrontEndBench&&) noexcept = default;
FrontEndBench& FrontEndBench::operator=(FrontEndBench&&) noexcept = default;
FrontEndBench::~FrontEndBench() = default;

Result<FrontEndBench> FrontEndBench::Open(const std::string& bundle_dir, Language) {
  if (!Exists(bundle_dir + "/fake-bundle")) return Error(ErrorCode::kNotFound, "bundle: '" + bundle_dir + "': none");
  return FrontEndBench(std::make_unique<Impl>());
}
double FrontEndBench::open_seconds() const { return 0.001; }

// A word for each four bytes, a microsecond a byte; "[cancel-wait]" waits for cancellation.
Result<FrontEndRun> FrontEndBench::Run(std::string_view text, const CancelToken* cancel) const {
  KOE_CHECK_OK(FailIfAsked(text.substr(0, 64)));
  SynthesisOptions wait;
  wait.cancel = cancel;
  if (Has(text.substr(0, 64), "[cancel-wait]") && WaitIsCancelled(10, wait)) {
    return Error(ErrorCode::kCancelled, "synthesis: cancelled: on request");
  }
  const double seconds = 1e-6 * static_cast<double>(text.size());
  return FrontEndRun{
      seconds, seconds / 2, seconds / 8, seconds / 8, seconds / 4, seconds / 2, text.size(), text.size() / 4, 1};
}

Result<double> MeasurePeakFlops(const std::string&, int num_threads) { return 1e9 * num_threads; }
BuildFacts Build() { return {Version(), "0123456789ab", "fake++ 1.0"}; }
// A million operations a frame.
std::vector<StageWork> NominalWork(size_t, size_t num_frames) {
  return {{"generator", 1e6 * static_cast<double>(num_frames)}};
}
Result<KernelBenchReport> BenchKernels(const KernelBenchOptions& options) {
  if (options.simd_target == "no_such") return Error(ErrorCode::kUnsupported, "target: 'no_such': none");
  if (options.progress) options.progress(0.5, "conv");
  return KernelBenchReport{"fake", 2, 1e11, 2e11, {{"conv", "fft34", 0.01, 0.005, 9.2e10, 0.008, 0.0015}}};
}
Result<std::vector<std::string>> MeasureConvPlans(const KernelBenchOptions&) {
  return std::vector<std::string>{"{Target::kFake, 3,},", "{Target::kFake, 7,},"};
}

}  // namespace koe
