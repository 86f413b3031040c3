// SPDX-License-Identifier: Apache-2.0
#include "pipeline/synthesizer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

namespace koe::pipeline {
namespace {

// Of the arena that a front is made in: 0 and 1 are those of the duration stage.
constexpr size_t kFrameArena = 2;

// Adds the wall time of its life to one stage.
class StageTimer {
 public:
  StageTimer(StageSeconds* seconds, StageId stage)
      : total_((*seconds)[static_cast<size_t>(stage)]), start_(std::chrono::steady_clock::now()) {}
  ~StageTimer() { total_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  double& total_;
  std::chrono::steady_clock::time_point start_;
};

template <typename Stage>
auto RunTimed(const Stage& stage, StageId id, const typename Stage::Input& input, const stages::StageContext& context,
              StageSeconds* seconds) {
  const StageTimer timer(seconds, id);
  return stage.Run(input, context);
}

}  // namespace

Result<void> CheckWaveform(const kernels::KernelSet& kernels, std::span<const float> waveform) {
  if (kernels.elementwise.all_finite(waveform.data(), waveform.size())) return {};
  return Error(ErrorCode::kInternal, "audio: waveform: not finite");
}

Result<stages::Duration::Output> Synthesizer::TokenStages(const TokensRequest& request,
                                                          const stages::StageContext& context, OnProgress on_progress,
                                                          StageSeconds* seconds) const {
  on_progress(StageId::kDuration, 0);
  return RunTimed(
      *model_.duration, StageId::kDuration,
      stages::Duration::Input{request.token_ids, SplitVoiceRow(request.voice_row).prosody_style, request.speed},
      context, seconds);
}

Result<FrontResult> Synthesizer::FrameStages(const TokensRequest& request, const stages::Duration::Output& duration,
                                             const stages::StageContext& context, OnProgress on_progress,
                                             StageSeconds* seconds) const {
  const auto run = [&](const auto& stage, StageId id, const auto& input) {
    on_progress(id, 0);
    return RunTimed(stage, id, input, context, seconds);
  };
  const VoiceRow voice = SplitVoiceRow(request.voice_row);
  KOE_TRY(const auto aligned,
          run(*model_.alignment, StageId::kAlignment,
              stages::Alignment::Input{duration.durations, duration.duration_features, duration.text_features}));
  KOE_TRY(const auto prosody, run(*model_.prosody, StageId::kProsody,
                                  stages::Prosody::Input{aligned.aligned_duration_features, voice.prosody_style}));

  // The harmonic source needs only the pitch: it runs beside the decoder, in an arena of its own. Either may run on a
  // worker, so neither reports.
  on_progress(StageId::kDecoder, 0);
  on_progress(StageId::kHarmonicSource, 0);
  stages::StageContext source_context = context;
  source_context.exec = context.exec.Branch(0);
  stages::StageContext decoder_context = context;
  decoder_context.exec = context.exec.Branch(1);  // where the energy was made: that memory is free again
  std::optional<Result<stages::Decoder::Output>> decoded;
  std::optional<Result<stages::HarmonicSource::Output>> excited;
  context.exec.pool->RunAll(
      {[&] {
         decoded.emplace(RunTimed(*model_.decoder, StageId::kDecoder,
                                  {aligned.aligned_text_features, prosody.f0_hz, prosody.energy, voice.acoustic_style},
                                  decoder_context, seconds));
       },
       [&] {
         excited.emplace(RunTimed(*model_.harmonic_source, StageId::kHarmonicSource,
                                  {.f0_hz = prosody.f0_hz, .seed = request.seed, .source = {}}, source_context,
                                  seconds));
       }});
  KOE_TRY(const auto decoder, std::move(*decoded));
  KOE_TRY(const auto source, std::move(*excited));
  return FrontResult{duration.durations, decoder.decoder_features, source.excitation, voice.acoustic_style};
}

Result<std::span<const float>> Synthesizer::GeneratorStage(const FrontResult& front,
                                                           const stages::StageContext& context,
                                                           FunctionRef<void(StageId, double)> on_progress,
                                                           StageSeconds* seconds) const {
  const std::function<void(double)> report = [&](double fraction) { on_progress(StageId::kGenerator, fraction); };
  stages::StageContext reporting = context;
  reporting.progress = &report;
  report(0);
  KOE_TRY(const auto generated,
          RunTimed(*model_.generator, StageId::kGenerator,
                   stages::Generator::Input{front.decoder_features, front.excitation, front.acoustic_style}, reporting,
                   seconds));
  KOE_CHECK_OK(CheckWaveform(kernels_, generated.waveform));
  return std::span<const float>(generated.waveform);
}

Result<FrontResult> Synthesizer::RunFront(const TokensRequest& request, Workspace& workspace, size_t result,
                                          const std::atomic<bool>* cancelled,
                                          FunctionRef<void(StageId, double)> on_progress, StageSeconds* seconds) const {
  const auto check = [&](size_t needed) -> Result<void> {
    if (needed <= request.max_bytes) return {};
    return Error(ErrorCode::kTooLong, "memory: " + std::to_string(needed) +
                                          " bytes needed: " + std::to_string(request.max_bytes) + " are allowed");
  };
  if (model_.saves_memory) workspace.arena.Release();
  const size_t num_tokens = request.token_ids.size();
  Arena token_plan{Arena::CountOnly()};
  CountTokenStages(request.token_ids, &token_plan);
  KOE_CHECK_OK(check(model_.weight_bytes + token_plan.PeakBytes()));
  Arena& tokens = workspace.front;
  tokens.Reserve(token_plan);
  KOE_TRY(const auto duration, TokenStages(request, Context(tokens, cancelled, nullptr), on_progress, seconds));

  const auto num_frames =
      static_cast<size_t>(std::accumulate(duration.durations.begin(), duration.durations.end(), int64_t{0}));
  Arena frame_plan{Arena::CountOnly()};
  CountFrameStages(num_frames, &frame_plan);
  if (request.max_bytes != kNoMemoryLimit) {  // the generator's part has to be counted for it
    KOE_CHECK_OK(check(PeakBytes(token_plan, frame_plan, num_tokens, num_frames)));
  }
  Arena& frames = workspace.front.Child(kFrameArena);
  frames.Reserve(frame_plan);
  KOE_TRY(const FrontResult front,
          FrameStages(request, duration, Context(frames, cancelled, nullptr), on_progress, seconds));

  // A small part of what it took is needed from now on.
  Arena result_plan{Arena::CountOnly()};
  CountResult(num_tokens, num_frames, &result_plan);
  Arena& kept = workspace.results[result];
  kept.Reserve(result_plan);
  const auto keep = [&](ConstMatrix from) {
    const Matrix to = kept.AllocateMatrix(from.rows, from.cols);
    for (size_t row = 0; row < from.rows; ++row) std::copy_n(from.Row(row), from.cols, to.Row(row));
    return to;
  };
  const std::span<int32_t> durations = kept.Allocate<int32_t>(num_tokens);
  std::copy(front.durations.begin(), front.durations.end(), durations.begin());
  const FrontResult own{durations, keep(front.decoder_features), keep(front.excitation), front.acoustic_style};
  if (model_.saves_memory) workspace.front.Release();
  return own;
}

Result<std::span<const float>> Synthesizer::RunGenerator(const FrontResult& front, Workspace& workspace,
                                                         const std::atomic<bool>* cancelled,
                                                         FunctionRef<void(StageId, double)> on_progress,
                                                         StageSeconds* seconds) const {
  Arena plan{Arena::CountOnly()};
  CountGenerator(front.decoder_features.rows / stages::kF0FramesPerFrame, &plan);
  workspace.arena.Reserve(plan);
  return GeneratorStage(front, Context(workspace.arena, cancelled, nullptr), on_progress, seconds);
}

void Synthesizer::RunSideBySide(FunctionRef<void()> generate, FunctionRef<void()> front) const {
  bool generated = false;
  std::atomic<bool> front_taken{false};
  pool_.ParallelFor(2, [&](size_t, size_t slot) {
    if (slot == 0 && !generated) {  // slot 0 is this thread, which reports progress
      generated = true;
      generate();
    } else if (!front_taken.exchange(true)) {
      front();
    }
  });
  if (!generated) generate();
  if (!front_taken) front();
}

Result<ChunkResult> Synthesizer::Run(const ChunkRequest& request, Workspace& workspace,
                                     const std::atomic<bool>* cancelled, FunctionRef<void(StageId, double)> on_progress,
                                     StageSeconds* seconds) const {
  on_progress(StageId::kTokens, 0);
  // Its output is the caller's, not the workspace's.
  KOE_TRY(auto tokens, RunTimed(*model_.tokens, StageId::kTokens, {request.phonemes},
                                Context(workspace, cancelled, nullptr), seconds));
  const TokensRequest front_request{tokens.token_ids, VoiceTableRow(request.voice, tokens.num_symbols), request.speed,
                                    request.seed};
  KOE_TRY(const FrontResult front, RunFront(front_request, workspace, 0, cancelled, on_progress, seconds));
  KOE_TRY(const auto waveform, RunGenerator(front, workspace, cancelled, on_progress, seconds));
  return ChunkResult{std::move(tokens), front.durations, waveform};
}

namespace {

constexpr float kNoStyle[stages::kStyleSize] = {}, kNoVoice[kVoiceRowSize] = {};
constexpr auto kNoProgress = [](StageId, double) {};

}  // namespace

void Synthesizer::CountTokenStages(std::span<const int32_t> token_ids, Arena* counter) const {
  ThreadPool idle(pool_.num_threads(), ThreadPool::Idle());
  StageSeconds seconds{};
  (void)TokenStages({token_ids, kNoVoice}, {{&kernels_, &idle, counter}}, kNoProgress, &seconds);
}

void Synthesizer::CountFrameStages(size_t num_frames, Arena* counter) const {
  ThreadPool idle(pool_.num_threads(), ThreadPool::Idle());
  Arena inputs{Arena::CountOnly()};
  const auto frames = static_cast<int32_t>(num_frames);
  const stages::Duration::Output duration{{&frames, 1},
                                          inputs.AllocateMatrix(1, stages::Duration::kFeatureSize),
                                          inputs.AllocateMatrix(1, stages::Duration::kHiddenSize)};
  StageSeconds seconds{};
  (void)FrameStages({{}, kNoVoice}, duration, {{&kernels_, &idle, counter}}, kNoProgress, &seconds);
}

void Synthesizer::CountGenerator(size_t num_frames, Arena* counter) const {
  ThreadPool idle(pool_.num_threads(), ThreadPool::Idle());
  Arena inputs{Arena::CountOnly()};
  const size_t f0_frames = stages::kF0FramesPerFrame * num_frames;
  const stages::Generator::Input input{
      inputs.AllocateMatrix(f0_frames, stages::Duration::kHiddenSize),
      inputs.AllocateMatrix(kernels::StftFrames(f0_frames * stages::kSamplesPerF0Frame), kernels::kStftChannels),
      kNoStyle};
  (void)model_.generator->Run(input, {{&kernels_, &idle, counter}});
}

void Synthesizer::CountResult(size_t num_tokens, size_t num_frames, Arena* counter) const {
  const size_t f0_frames = stages::kF0FramesPerFrame * num_frames;
  counter->Allocate<int32_t>(num_tokens);
  counter->AllocateMatrix(f0_frames, stages::Duration::kHiddenSize);
  counter->AllocateMatrix(kernels::StftFrames(f0_frames * stages::kSamplesPerF0Frame), kernels::kStftChannels);
}

size_t Synthesizer::PeakBytes(const Arena& tokens, const Arena& frames, size_t num_tokens, size_t num_frames) const {
  Arena result{Arena::CountOnly()}, generator{Arena::CountOnly()};
  CountResult(num_tokens, num_frames, &result);
  CountGenerator(num_frames, &generator);
  const size_t front = tokens.PeakBytes() + frames.PeakBytes();
  if (model_.saves_memory) {
    return model_.weight_bytes + 2 * result.PeakBytes() + std::max(front, generator.PeakBytes());
  }
  return model_.weight_bytes + 2 * result.PeakBytes() + front + generator.PeakBytes();
}

size_t Synthesizer::PeakBytes(size_t num_tokens, size_t num_frames) const {
  const std::vector<int32_t> token_ids(num_tokens);
  Arena tokens{Arena::CountOnly()}, frames{Arena::CountOnly()};
  CountTokenStages(token_ids, &tokens);
  CountFrameStages(num_frames, &frames);
  return PeakBytes(tokens, frames, num_tokens, num_frames);
}

}  // namespace koe::pipeline
