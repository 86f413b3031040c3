// SPDX-License-Identifier: Apache-2.0
// koe::Engine over the pipeline: options, lazy loading, chunks, joining, timings.
#if defined(__APPLE__)
#include <sys/sysctl.h>
#else
#include <sched.h>
#endif

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "api/clock.h"
#include "api/dump_file.h"
#include "api/engine_impl.h"
#include "api/guard.h"
#include "api/placed_models.h"
#include "devices/onnx_device.h"
#include "koe/provider.h"
#include "pipeline/dump.h"
#include "text/line_breaks.h"

namespace koe {
namespace {

// Tokens of one call, before they are slowed down: about 12 hours of speech, 4 GB of samples. Longer texts come in
// parts, or through a stream.
constexpr double kSymbolsPerSecond = 14, kMaxSpokenSymbols = 12 * 3600 * kSymbolsPerSecond;

// Share of a chunk's wall time before each stage, and at the end (two cores of a Zen 4, 15 s of audio).
constexpr std::array<double, pipeline::kStages.size() + 1> kStageStart = {0, 0, 0.05, 0.05, 0.065, 0.065, 0.12, 1};

using api::Clock;
using api::SecondsSince;

constexpr double kMaxUnloadAfterSeconds = 365 * 86400.0;

int UsableProcessors() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
#else
  const int count = static_cast<int>(std::min<unsigned>(std::thread::hardware_concurrency(), kMaxThreads));
#endif
  return std::clamp(count, 1, kMaxThreads);
}

std::string CpuName() {
#if defined(__APPLE__)
  char name[256];
  size_t size = sizeof(name);
  if (sysctlbyname("machdep.cpu.brand_string", name, &size, nullptr, 0) == 0) return name;
#endif
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

const char* Version() { return KOE_VERSION; }

Result<Language> ParseLanguage(std::string_view code) {
  if (code == "en-us") return Language::kAmericanEnglish;
  if (code == "en-gb") return Language::kBritishEnglish;
  return Error(ErrorCode::kInvalidArgument, "language: '" + std::string(code) + "': must be en-us or en-gb");
}

const char* LanguageCode(Language language) { return language == Language::kBritishEnglish ? "en-gb" : "en-us"; }

Engine::Engine(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::Open(const std::string& bundle_dir, const EngineOptions& options) {
  return OpenWith(options, [&](bundle::Digests digests) { return bundle::Bundle::Open(bundle_dir, digests); });
}

Result<Engine> Engine::Open(std::shared_ptr<ResourceProvider> provider, const EngineOptions& options,
                            const ProviderProgressCallback& progress, const CancelToken* cancel) {
  return OpenWith(options, [&](bundle::Digests digests) {
    return bundle::Bundle::Open(std::move(provider), digests, progress, cancel);
  });
}

bool Engine::Unload() const { return impl_->Unload(std::chrono::steady_clock::duration::zero()); }

template <typename OpenBundle>
Result<Engine> Engine::OpenWith(const EngineOptions& options, OpenBundle open_bundle) {
  return api::Guard([&]() -> Result<Engine> {
    if (options.num_threads < 0 || options.num_threads > kMaxThreads) {
      return Error(ErrorCode::kInvalidArgument, "threads: " + std::to_string(options.num_threads) + ": must be 0 to " +
                                                    std::to_string(kMaxThreads) + " (0: one for every processor)");
    }
    std::string target_name = options.simd_target;
    const char* forced = std::getenv("KOE_TARGET");
    if (target_name.empty() && forced != nullptr) target_name = forced;
    KOE_TRY(const kernels::Target target, kernels::ParseTarget(target_name));
    if (!(options.unload_after_seconds >= 0) || options.unload_after_seconds > kMaxUnloadAfterSeconds) {
      return Error(ErrorCode::kInvalidArgument,
                   "unload after: " + std::to_string(options.unload_after_seconds) + " s: must be 0 (never) to a year");
    }
    KOE_TRY(auto bundle, open_bundle(options.verify_digests ? bundle::Digests::kOnce : bundle::Digests::kNotChecked));
    const int threads = options.num_threads == 0 ? UsableProcessors() : options.num_threads;
    KOE_TRY(pipeline::Plan plan, pipeline::MakePlan(options.precision, threads));
    KOE_TRY(auto placed, devices::PlaceStages(options.place, options.models_dir, threads, &plan));
    if (!placed.devices.empty()) {
      KOE_CHECK_OK(api::CheckPlacedModels(options.models_dir, *bundle));
      if (options.max_memory_bytes > 0) {
        return Error(ErrorCode::kInvalidArgument, "place: not with a limit of memory: onnxruntime's is its own");
      }
    }
    return Engine(std::make_shared<Impl>(std::move(bundle), kernels::KernelsFor(target), threads, plan,
                                         std::move(placed), options));
  });
}

const char* PrewarmStageName(PrewarmStage stage) {
  switch (stage) {
    case PrewarmStage::kTextPreparation:
      return "text_preparation";
    case PrewarmStage::kModelLoad:
      return "model_load";
    case PrewarmStage::kFirstRun:
      return "first_run";
    case PrewarmStage::kDone:
      break;
  }
  return "done";
}

Result<void> Engine::Prewarm() const { return Prewarm(PrewarmOptions()); }

Result<void> Engine::Prewarm(const PrewarmOptions& options) const {
  return api::Guard([&]() -> Result<void> {
    const auto report = [&](PrewarmStage stage, double fraction) {
      if (options.progress) options.progress(stage, fraction);
    };
    report(PrewarmStage::kTextPreparation, 0);
    SynthesisOptions speech;
    speech.cancel = options.cancel;
    speech.voice = options.voice;
    if (speech.voice.empty()) speech.voice = impl_->bundle->voices().empty() ? "" : impl_->bundle->voices().front();
    std::string text = options.text;
    if (text.empty()) {
      // Phonemes: a bundle need not have dictionaries.
      speech.input_is_phonemes = true;
      text = "h\xC9\x99l\xCB\x88O w\xCB\x88\xC9\x9C\xC9\xB9ld.";
    }
    KOE_TRY(const Prepared prepared, Prepare(text, speech));
    report(PrewarmStage::kModelLoad, 0.02);
    KOE_CHECK_OK(impl_->LoadedSynthesizer(FlagOf(options.cancel)));
    report(PrewarmStage::kFirstRun, 0.6);
    KOE_CHECK_OK(SynthesizePrepared(prepared.chunks, {options.cancel, nullptr}));
    report(PrewarmStage::kDone, 1);
    return {};
  });
}

Result<Phonemization> Engine::Phonemize(std::string_view text, Language language) const {
  PhonemizeOptions options;
  options.language = language;
  return Phonemize(text, options);
}

Result<Phonemization> Engine::Phonemize(std::string_view text, const PhonemizeOptions& options) const {
  return api::Guard([&]() -> Result<Phonemization> {
    KOE_CHECK_OK(api::CheckInput(text));
    KOE_CHECK_OK(api::CheckSpeed(options.speed));
    KOE_TRY(const g2p::EnglishG2P* front_end, impl_->FrontEnd(options.language));
    Phonemization result;
    if (options.chunking) {
      // Any voice: its rows are not used.
      SynthesisOptions speech;
      speech.language = LanguageCode(options.language);
      speech.chunking = *options.chunking;
      speech.lexicon = options.lexicon;
      speech.speed = options.speed;
      speech.cancel = options.cancel;
      speech.markup = false;
      if (!impl_->bundle->voices().empty()) speech.voice = impl_->bundle->voices().front();
      const auto prepared = Prepare(text, speech);
      if (!prepared && prepared.error().code() != ErrorCode::kInvalidArgument) return prepared.error();
      if (prepared) {
        for (const PreparedChunk& chunk : prepared->chunks) {
          result.chunks.push_back({chunk.span.offset, chunk.span.length, chunk.phonemes});
        }
      }
    }
    const bool joins_lines = options.chunking && *options.chunking != Chunking::kKokoro;
    const std::string joined = joins_lines ? text::JoinWrappedLines(text) : std::string();
    if (joins_lines) text = joined;
    KOE_TRY(auto spoken, front_end->Phonemize(text, FlagOf(options.cancel), options.lexicon.entries()));
    result.phonemes = std::move(spoken.phonemes);
    result.words = std::move(spoken.words);
    result.unknown_words = spoken.unknown_words;
    result.dropped_symbols = spoken.dropped_symbols;
    return result;
  });
}

Result<Prepared> Engine::Prepare(std::string_view input, const SynthesisOptions& options) const {
  return api::Guard([&]() -> Result<Prepared> {
    KOE_CHECK_OK(api::CheckInput(input));
    KOE_TRY(const auto preparer, impl_->MakePreparer(options, FlagOf(options.cancel), /*by_sentences=*/false));
    preparer->Append(input);
    preparer->Finish();
    Prepared prepared;
    double symbols = 0;
    while (true) {
      if (options.cancel != nullptr && options.cancel->IsCancelled()) return stages::CancelledError();
      PreparedChunk chunk;
      KOE_TRY(const auto state, preparer->Next(&chunk));
      if (state != api::Preparer::State::kChunk) break;
      symbols += static_cast<double>(chunk.token_ids.size()) / static_cast<double>(chunk.speed);
      if (symbols + chunk.pause_before * kSymbolsPerSecond > kMaxSpokenSymbols) {
        return Error(ErrorCode::kTooLong, "input: more than 12 hours of speech; give it in parts");
      }
      prepared.chunks.push_back(std::move(chunk));
    }
    prepared.chunks.back().pause_after = preparer->pause_at_end();
    for (PreparedWord& word : preparer->TakeSilentWords()) prepared.chunks.back().words.push_back(std::move(word));
    api::ExtendToWords(&prepared.chunks.back());
    for (PreparedChunk& chunk : prepared.chunks) chunk.text = input.substr(chunk.span.offset, chunk.span.length);
    prepared.unknown_words = preparer->unknown_words();
    prepared.g2p_seconds = preparer->seconds();
    return prepared;
  });
}

Result<Audio> Engine::SynthesizePrepared(std::span<const PreparedChunk> chunks, const RunOptions& options) const {
  auto audio = api::Guard([&]() -> Result<Audio> {
    const auto start = Clock::now();
    if (chunks.empty()) return Error(ErrorCode::kInvalidArgument, "chunks: empty: there is nothing to speak");
    KOE_TRY(const auto synthesizer, impl_->LoadedSynthesizer(FlagOf(options.cancel)));
    Impl::Lease workspace(*impl_);
    api::SpeechRun run(*synthesizer, *workspace, FlagOf(options.cancel), /*quick_start=*/false,
                       impl_->options.max_memory_bytes);
    size_t total = 0, done = 0, next = 0;
    for (const PreparedChunk& chunk : chunks) total += chunk.token_ids.size();
    Result<Audio> result{Audio()};
    api::SpeechPorts ports;
    ports.next = [&](PreparedChunk* chunk, bool) -> Result<api::NextChunk> {
      if (next == chunks.size()) return api::NextChunk::kEnd;
      *chunk = chunks[next++];
      return api::NextChunk::kChunk;
    };
    ports.progress = [&](pipeline::StageId stage, double fraction, size_t chunk) {
      if (!options.progress) return;
      const double start_share = kStageStart[static_cast<size_t>(stage)];
      const double share = start_share + fraction * (kStageStart[static_cast<size_t>(stage) + 1] - start_share);
      const auto own = static_cast<double>(chunks[chunk].token_ids.size());
      options.progress({(static_cast<double>(done) + share * own) / static_cast<double>(total),
                        pipeline::StageName(stage), chunk, chunks.size()});
    };
    ports.made = [&](AudioChunk made) -> Result<void> {
      done += chunks[made.plan.index].token_ids.size();
      api::Collect(std::move(made), &*result);
      return {};
    };
    KOE_CHECK_OK(run.Run(ports));
    for (const PreparedChunk& chunk : chunks) {
      for (const PreparedWord& word : chunk.words) {
        if (!word.continues) result->words.push_back(word.info);
      }
    }
    result->sentence_times = api::SentencesOf(result->word_times);
    for (size_t i = 0; i < run.seconds().size(); ++i) {
      result->stages.push_back({pipeline::StageName(pipeline::kStages[i]), run.seconds()[i]});
    }
    result->wall_seconds = SecondsSince(start);
    impl_->Count(run, result->samples.size(), 0);
    if (options.progress) options.progress({1.0, "done", chunks.size() - 1, chunks.size()});
    return result;
  });
  if (!audio) return impl_->CountError(audio.error());
  return audio;
}

Result<Audio> Engine::Synthesize(std::string_view input, const SynthesisOptions& options) const {
  const auto start = Clock::now();
  KOE_TRY(const Prepared prepared, Prepare(input, options));
  KOE_TRY(Audio audio, SynthesizePrepared(prepared.chunks, {options.cancel, options.progress}));
  return api::Guard([&]() -> Result<Audio> {
    audio.unknown_words = prepared.unknown_words;
    if (!options.input_is_phonemes) audio.stages.insert(audio.stages.begin(), {"g2p", prepared.g2p_seconds});
    audio.wall_seconds = SecondsSince(start);
    return std::move(audio);
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
      KOE_CHECK_OK(api::CheckSpeed(options.speed));
      request.speed = options.speed;
    }
    KOE_TRY(const auto synthesizer, impl_->LoadedSynthesizer(FlagOf(options.cancel)));
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
    voices.push_back({id, api::VoiceLanguage(id), gender == 'f' ? "female" : gender == 'm' ? "male" : "unknown"});
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

Diagnostics Engine::GetDiagnostics() const { return impl_->GetDiagnostics(); }

}  // namespace koe
