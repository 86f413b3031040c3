// SPDX-License-Identifier: Apache-2.0
#include "pipeline/synthesizer.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

namespace koe::pipeline {
namespace {

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

Result<FrontResult> Synthesizer::FrontStages(const TokensRequest& request, const stages::StageContext& context,
                                             FunctionRef<void(StageId, double)> on_progress,
                                             StageSeconds* seconds) const {
  const auto run = [&](const auto& stage, StageId id, const auto& input) {
    on_progress(id, 0);
    return RunTimed(stage, id, input, context, seconds);
  };
  const VoiceRow voice = SplitVoiceRow(request.voice_row);
  KOE_TRY(const auto duration, run(*model_.duration, StageId::kDuration,
                                   stages::Duration::Input{request.token_ids, voice.prosody_style, request.speed}));
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
  std::optional<Result<stages::Decoder::Output>> decoded;
  std::optional<Result<stages::HarmonicSource::Output>> excited;
  pool_.RunAll({[&] {
                  decoded.emplace(
                      RunTimed(*model_.decoder, StageId::kDecoder,
                               {aligned.aligned_text_features, prosody.f0_hz, prosody.energy, voice.acoustic_style},
                               context, seconds));
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

Result<FrontResult> Synthesizer::RunFront(const TokensRequest& request, Arena& arena,
                                          const std::atomic<bool>* cancelled,
                                          FunctionRef<void(StageId, double)> on_progress, StageSeconds* seconds) const {
  arena.Reset();
  return FrontStages(request, Context(arena, cancelled, nullptr), on_progress, seconds);
}

Result<std::span<const float>> Synthesizer::RunGenerator(const FrontResult& front, Arena& arena,
                                                         const std::atomic<bool>* cancelled,
                                                         FunctionRef<void(StageId, double)> on_progress,
                                                         StageSeconds* seconds) const {
  arena.Reset();
  return GeneratorStage(front, Context(arena, cancelled, nullptr), on_progress, seconds);
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
  workspace.arena.Reset();
  const stages::StageContext context = Context(workspace, cancelled, nullptr);
  on_progress(StageId::kTokens, 0);
  KOE_TRY(auto tokens, RunTimed(*model_.tokens, StageId::kTokens, {request.phonemes}, context, seconds));
  const TokensRequest front_request{tokens.token_ids, VoiceTableRow(request.voice, tokens.num_symbols), request.speed,
                                    request.seed};
  KOE_TRY(const FrontResult front, FrontStages(front_request, context, on_progress, seconds));
  KOE_TRY(const auto waveform, GeneratorStage(front, context, on_progress, seconds));
  return ChunkResult{std::move(tokens), front.durations, waveform};
}

}  // namespace koe::pipeline
