// SPDX-License-Identifier: Apache-2.0
// koe::Engine over the pipeline: options, lazy loading, chunks, joining, timings.
#include <sched.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "api/dump_file.h"
#include "api/front_end.h"
#include "api/guard.h"
#include "audio/join.h"
#include "base/utf8.h"
#include "bundle/bundle.h"
#include "g2p/chunker.h"
#include "g2p/g2p.h"
#include "koe/koe.h"
#include "pipeline/dump.h"
#include "pipeline/synthesizer.h"
#include "text/line_breaks.h"

namespace koe {
namespace {

// Phonemes of one call, before they are slowed down: about 12 hours of speech (14 a second), 4 GB of samples. Longer
// texts come in parts.
constexpr double kMaxSpokenPhonemes = 12 * 3600 * 14;

int UsableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
  return std::clamp(count, 1, kMaxThreads);
}

std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

Result<void> CheckSpeed(float speed) {
  if (std::isfinite(speed) && speed >= kMinSpeed && speed <= kMaxSpeed) return {};
  return Error(ErrorCode::kInvalidArgument, "speed: " + std::to_string(speed) + ": must be 0.25 to 4");
}

Result<void> CheckInput(std::string_view input) {
  if (input.size() > kMaxInputBytes) {
    return Error(ErrorCode::kTooLong, "input: " + std::to_string(input.size()) + " bytes: at most " +
                                          std::to_string(kMaxInputBytes) + " at once");
  }
  if (const auto offset = FindInvalidUtf8(input)) {
    return Error(ErrorCode::kInvalidArgument, "input: byte " + std::to_string(*offset) + ": not valid UTF-8");
  }
  return {};
}

// The families of Kokoro's voice names: language letter, then f or m.
const char* VoiceLanguage(const std::string& id) {
  switch (id.empty() ? '\0' : id[0]) {
    case 'a':
      return "en-us";
    case 'b':
      return "en-gb";
    case 'e':
      return "es";
    case 'f':
      return "fr";
    case 'h':
      return "hi";
    case 'i':
      return "it";
    case 'j':
      return "ja";
    case 'p':
      return "pt";
    case 'z':
      return "zh";
    default:
      return "unknown";
  }
}

Result<Language> ChooseLanguage(const SynthesisOptions& options) {
  if (!options.language.empty()) return ParseLanguage(options.language);
  const std::string language = VoiceLanguage(options.voice);
  if (language == "en-gb") return Language::kBritishEnglish;
  if (language == "en-us" || language == "unknown") return Language::kAmericanEnglish;
  return Error(ErrorCode::kUnsupported,
               "voice: '" + options.voice + "': speaks " + language +
                   ", for which there is no text front end: give phonemes, or a language (en-us, en-gb)");
}

const std::atomic<bool>* FlagOf(const CancelToken* cancel) { return cancel != nullptr ? &cancel->flag() : nullptr; }

// Chunks of one text get noise of their own, so that a long text does not repeat one noise.
uint64_t ChunkSeed(uint64_t seed, size_t chunk) { return seed + chunk * 0x9E3779B97F4A7C15u; }

// Share of a chunk's wall time before each stage, and at the end (two cores of a Zen 4, 15 s of audio).
constexpr std::array<double, pipeline::kStages.size() + 1> kStageStart = {0, 0, 0.05, 0.05, 0.065, 0.065, 0.12, 1};

// Chunks with nothing that the model has a symbol for are left out: one of them must not fail a whole text.
void DropUnspeakable(const bundle::Vocab& vocab, std::vector<g2p::Chunk>* chunks) {
  std::erase_if(*chunks, [&](const g2p::Chunk& chunk) {
    size_t position = 0;
    while (const auto symbol = DecodeUtf8(chunk.phonemes, &position)) {
      if (*symbol != U' ' && vocab.Find(*symbol)) return false;
    }
    return true;
  });
}

std::vector<g2p::Chunk> CutIntoChunks(Chunking chunking, std::string_view text, const g2p::PhonemeText& spoken,
                                      float speed) {
  return chunking == Chunking::kKokoro ? g2p::ChunkKokoro(spoken)
                                       : g2p::ChunkSentences(text, spoken, static_cast<double>(speed));
}

}  // namespace

const char* Version() { return KOE_VERSION; }

Result<Language> ParseLanguage(std::string_view code) {
  if (code == "en-us") return Language::kAmericanEnglish;
  if (code == "en-gb") return Language::kBritishEnglish;
  return Error(ErrorCode::kInvalidArgument, "language: '" + std::string(code) + "': must be en-us or en-gb");
}

const char* LanguageCode(Language language) { return language == Language::kBritishEnglish ? "en-gb" : "en-us"; }

struct Engine::Impl {
  Impl(std::shared_ptr<const bundle::Bundle> b, const kernels::KernelSet& k, int threads, const pipeline::Plan& p,
       const EngineOptions& o)
      : bundle(std::move(b)), kernels(k), num_threads(threads), plan(p), options(o) {}

  // The model and its threads, made at the first call: phonemes and facts need neither. It lives as long as the engine.
  Result<const pipeline::Synthesizer*> LoadedSynthesizer() {
    const std::lock_guard<std::mutex> lock(load_mutex);
    if (!synthesizer) {
      if (!pool) pool.emplace(static_cast<size_t>(num_threads));
      KOE_TRY(const auto weights, bundle->OpenWeights());
      const pipeline::DeviceResources resources{
          weights.get(), &kernels, [vocab = &bundle->vocab()](char32_t symbol) { return vocab->Find(symbol); }};
      KOE_TRY(model, pipeline::LoadModel(plan, resources, *pool));
      synthesizer.emplace(*model, kernels, *pool);
    }
    return &*synthesizer;
  }

  Result<const g2p::EnglishG2P*> FrontEnd(Language language) {
    const std::lock_guard<std::mutex> lock(front_end_mutex);
    const bool british = language == Language::kBritishEnglish;
    auto& front_end = front_ends[british ? 1 : 0];
    if (front_end == nullptr) {
      api::FrontEndOptions front_end_options(options);
      front_end_options.kernels = &kernels;
      const auto& other = front_ends[british ? 0 : 1];
      if (other != nullptr) front_end_options.letter_to_sound = other->letter_to_sound();
      KOE_TRY(front_end, api::FrontEnd::Open(*bundle, language, front_end_options));
    }
    return &front_end->g2p();
  }

  // Takes a workspace out of the pool and puts it back when done.
  class Lease {
   public:
    explicit Lease(Impl& impl) : impl_(impl) {
      const std::lock_guard<std::mutex> lock(impl.workspace_mutex);
      if (impl.workspaces.empty()) {
        impl.workspaces.reserve(impl.num_workspaces + 1);
        workspace_ = std::make_unique<pipeline::Workspace>();
        ++impl.num_workspaces;
      } else {
        workspace_ = std::move(impl.workspaces.back());
        impl.workspaces.pop_back();
      }
    }
    ~Lease() {
      const std::lock_guard<std::mutex> lock(impl_.workspace_mutex);
      // Room was made when it was made, so this does not throw.
      impl_.workspaces.push_back(std::move(workspace_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    pipeline::Workspace& operator*() { return *workspace_; }

   private:
    Impl& impl_;
    std::unique_ptr<pipeline::Workspace> workspace_;
  };

  std::shared_ptr<const bundle::Bundle> bundle;
  const kernels::KernelSet& kernels;
  const int num_threads;
  const pipeline::Plan plan;
  const EngineOptions options;
  std::mutex load_mutex, front_end_mutex, workspace_mutex;
  std::optional<ThreadPool> pool;
  std::optional<pipeline::Model> model;
  std::optional<pipeline::Synthesizer> synthesizer;
  std::array<std::unique_ptr<const api::FrontEnd>, 2> front_ends;  // American, British
  std::vector<std::unique_ptr<pipeline::Workspace>> workspaces;
  size_t num_workspaces = 0;  // those here and those that are leased
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::Open(const std::string& bundle_dir, const EngineOptions& options) {
  return api::Guard([&]() -> Result<Engine> {
    if (options.num_threads < 0 || options.num_threads > kMaxThreads) {
      return Error(ErrorCode::kInvalidArgument, "threads: " + std::to_string(options.num_threads) + ": must be 0 to " +
                                                    std::to_string(kMaxThreads) + " (0: one for every processor)");
    }
    std::string target_name = options.simd_target;
    const char* forced = std::getenv("KOE_TARGET");
    if (target_name.empty() && forced != nullptr) target_name = forced;
    KOE_TRY(const kernels::Target target, kernels::ParseTarget(target_name));
    KOE_TRY(auto bundle, bundle::Bundle::Open(bundle_dir, options.verify_digests ? bundle::Digests::kOnce
                                                                                 : bundle::Digests::kNotChecked));
    const int threads = options.num_threads == 0 ? UsableProcessors() : options.num_threads;
    KOE_TRY(const pipeline::Plan plan, pipeline::MakePlan(options.precision, threads));
    return Engine(std::make_unique<Impl>(std::move(bundle), kernels::KernelsFor(target), threads, plan, options));
  });
}

Result<void> Engine::Prewarm() const {
  SynthesisOptions options;
  options.input_is_phonemes = true;
  if (!impl_->bundle->voices().empty()) options.voice = impl_->bundle->voices().front();
  KOE_CHECK_OK(Synthesize("h\xC9\x99l\xCB\x88O w\xCB\x88\xC9\x9C\xC9\xB9ld.", options));
  return {};
}

Result<Phonemization> Engine::Phonemize(std::string_view text, Language language) const {
  PhonemizeOptions options;
  options.language = language;
  return Phonemize(text, options);
}

Result<Phonemization> Engine::Phonemize(std::string_view text, const PhonemizeOptions& options) const {
  return api::Guard([&]() -> Result<Phonemization> {
    KOE_CHECK_OK(CheckInput(text));
    KOE_CHECK_OK(CheckSpeed(options.speed));
    KOE_TRY(const g2p::EnglishG2P* front_end, impl_->FrontEnd(options.language));
    const bool joins_lines = options.chunking == Chunking::kSentences;
    const std::string joined = joins_lines ? text::JoinWrappedLines(text) : std::string();
    if (joins_lines) text = joined;
    KOE_TRY(auto spoken, front_end->Phonemize(text, FlagOf(options.cancel), options.lexicon.entries()));
    Phonemization result;
    if (options.chunking) {
      std::vector<g2p::Chunk> chunks = CutIntoChunks(*options.chunking, text, spoken, options.speed);
      DropUnspeakable(impl_->bundle->vocab(), &chunks);
      for (g2p::Chunk& chunk : chunks) {
        result.chunks.push_back({chunk.text_offset, chunk.text_length, std::move(chunk.phonemes)});
      }
    }
    result.phonemes = std::move(spoken.phonemes);
    result.words = std::move(spoken.words);
    result.unknown_words = spoken.unknown_words;
    result.dropped_symbols = spoken.dropped_symbols;
    return result;
  });
}

Result<Audio> Engine::Synthesize(std::string_view input, const SynthesisOptions& options) const {
  return api::Guard([&]() -> Result<Audio> {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const auto seconds_since = [](Clock::time_point t) {
      return std::chrono::duration<double>(Clock::now() - t).count();
    };
    KOE_CHECK_OK(CheckSpeed(options.speed));
    KOE_CHECK_OK(CheckInput(input));
    KOE_TRY(const std::span<const float> voice, impl_->bundle->LoadVoice(options.voice));

    Audio audio;
    std::vector<g2p::Chunk> chunks;
    if (options.input_is_phonemes) {
      chunks = g2p::ChunkPhonemes(input);
    } else {
      KOE_TRY(const Language language, ChooseLanguage(options));
      KOE_TRY(const g2p::EnglishG2P* front_end, impl_->FrontEnd(language));
      const auto g2p_start = Clock::now();
      const bool joins_lines = options.chunking == Chunking::kSentences;
      const std::string joined = joins_lines ? text::JoinWrappedLines(input) : std::string();
      const std::string_view text = joins_lines ? std::string_view(joined) : input;
      KOE_TRY(auto spoken, front_end->Phonemize(text, FlagOf(options.cancel), options.lexicon.entries()));
      chunks = CutIntoChunks(options.chunking, text, spoken, options.speed);
      audio.words = std::move(spoken.words);
      audio.unknown_words = spoken.unknown_words;
      audio.stages.push_back({"g2p", seconds_since(g2p_start)});
    }
    DropUnspeakable(impl_->bundle->vocab(), &chunks);
    if (chunks.empty()) {
      return Error(ErrorCode::kInvalidArgument,
                   input.empty() ? "input: empty: there is nothing to speak" : "input: nothing in it can be spoken");
    }
    size_t total_symbols = 0, done_symbols = 0;
    for (const g2p::Chunk& chunk : chunks) total_symbols += CountCodePoints(chunk.phonemes);
    if (static_cast<double>(total_symbols) / static_cast<double>(options.speed) > kMaxSpokenPhonemes) {
      return Error(ErrorCode::kTooLong, "input: " + std::to_string(total_symbols) + " phonemes at speed " +
                                            std::to_string(options.speed) +
                                            ": more than 12 hours of speech; give it in parts");
    }
    KOE_TRY(const pipeline::Synthesizer* synthesizer, impl_->LoadedSynthesizer());
    Impl::Lease workspace(*impl_);
    pipeline::StageSeconds stage_seconds{};
    Joiner joiner;
    for (size_t i = 0; i < chunks.size(); ++i) {
      const size_t chunk_symbols = CountCodePoints(chunks[i].phonemes);
      const auto report = [&](pipeline::StageId stage, double fraction) {
        if (!options.progress) return;
        const double start_share = kStageStart[static_cast<size_t>(stage)];
        const double share = start_share + fraction * (kStageStart[static_cast<size_t>(stage) + 1] - start_share);
        options.progress({(static_cast<double>(done_symbols) + share * static_cast<double>(chunk_symbols)) /
                              static_cast<double>(total_symbols),
                          pipeline::StageName(stage), i, chunks.size()});
      };
      KOE_TRY(const pipeline::ChunkResult result,
              synthesizer->Run({chunks[i].phonemes, voice, options.speed, ChunkSeed(options.seed, i)}, *workspace,
                               FlagOf(options.cancel), report, &stage_seconds));
      ChunkInfo info;
      info.text_offset = chunks[i].text_offset;
      info.text_length = chunks[i].text_length;
      info.phonemes = chunks[i].phonemes;
      info.dropped_symbols = result.tokens.dropped_symbols;
      for (size_t t = 0; t < result.durations.size(); ++t) {
        info.tokens.push_back({result.tokens.token_ids[t], result.durations[t]});
      }
      info.first_sample = joiner.Push(result.waveform, &audio.samples);
      info.num_samples = result.waveform.size();
      audio.chunks.push_back(std::move(info));
      done_symbols += chunk_symbols;
    }
    joiner.Finish(&audio.samples);
    for (size_t i = 0; i < stage_seconds.size(); ++i) {
      audio.stages.push_back({pipeline::StageName(pipeline::kStages[i]), stage_seconds[i]});
    }
    audio.wall_seconds = seconds_since(start);
    if (options.progress) options.progress({1.0, "done", chunks.size() - 1, chunks.size()});
    return audio;
  });
}

Result<void> Engine::Dump(const DumpOptions& options, const std::string& output_path) const {
  return api::Guard([&]() -> Result<void> {
    pipeline::DumpRequest request;
    if (!options.golden_path.empty()) {
      KOE_TRY(request, api::ReadGolden(options.golden_path));
      request.use_golden_har = options.use_golden_har;
      request.feed_stages = options.feed_stages;
    } else {
      KOE_CHECK_OK(CheckSpeed(options.speed));
      request.speed = options.speed;
    }
    KOE_TRY(const pipeline::Synthesizer* synthesizer, impl_->LoadedSynthesizer());
    if (options.golden_path.empty()) {
      KOE_TRY(const std::span<const float> voice, impl_->bundle->LoadVoice(options.voice));
      KOE_TRY(const auto tokens, synthesizer->model().tokens->Run({options.phonemes}, {}));
      const auto row = pipeline::VoiceTableRow(voice, tokens.num_symbols);
      request.token_ids = tokens.token_ids;
      request.voice_row.assign(row.begin(), row.end());
    }
    Impl::Lease workspace(*impl_);
    request.seed = options.seed;
    request.cancelled = FlagOf(options.cancel);
    KOE_TRY(const pipeline::TensorMap tensors, pipeline::Dump(*synthesizer, request, *workspace));
    return api::WriteTensors(tensors, output_path);
  });
}

std::vector<VoiceInfo> Engine::Voices() const {
  std::vector<VoiceInfo> voices;
  for (const std::string& id : impl_->bundle->voices()) {
    const char gender = id.size() > 1 ? id[1] : '\0';
    voices.push_back({id, VoiceLanguage(id), gender == 'f' ? "female" : gender == 'm' ? "male" : "unknown"});
  }
  return voices;
}

EngineInfo Engine::Info() const {
  const bundle::RuntimeManifest& manifest = impl_->bundle->manifest();
  EngineInfo info;
  info.bundle_path = impl_->bundle->dir();
  info.bundle_profile = manifest.bundle_profile;
  info.weights_source = manifest.weights_source.file_name;
  info.weights_sha256 = manifest.weights_source.sha256;
  info.tensor_precision = manifest.tensor_precision;
  info.languages = manifest.supported_languages;
  info.simd_target = kernels::TargetName(impl_->kernels.target);
  for (const kernels::Target target : kernels::SupportedTargets()) {
    info.supported_targets.emplace_back(kernels::TargetName(target));
  }
  info.cpu = CpuName();
  info.num_threads = impl_->num_threads;
  for (const pipeline::Placement& placement : impl_->plan) {
    info.plan.push_back({pipeline::StageName(placement.stage), placement.device->name(),
                         pipeline::PrecisionName(placement.precision), placement.num_threads});
  }
  return info;
}

}  // namespace koe
