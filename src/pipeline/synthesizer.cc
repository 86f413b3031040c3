// SPDX-License-Identifier: Apache-2.0
#include "pipeline/synthesizer.h"

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

Result<ChunkResult> Synthesizer::Run(const ChunkRequest& request, Workspace& workspace,
                                     const std::atomic<bool>* cancelled, FunctionRef<void(StageId, double)> on_progress,
                                     StageSeconds* seconds) const {
  workspace.arena.Reset();
  const stages::StageContext context = Context(workspace, cancelled, nullptr);
  const auto run = [&](const auto& stage, StageId id, const auto& input) {
    const std::function<void(double)> report = [&](double fraction) { on_progress(id, fraction); };
    stages::StageContext reporting = context;
    reporting.progress = &report;
    report(0);
    return RunTimed(stage, id, input, reporting, seconds);
  };

  KOE_TRY(auto tokens, run(*model_.tokens, StageId::kTokens, stages::Tokens::Input{request.phonemes}));
  const VoiceRow voice = ChooseVoiceRow(request.voice, tokens.num_symbols);
  KOE_TRY(const auto duration, run(*model_.duration, StageId::kDuration,
                                   stages::Duration::Input{tokens.token_ids, voice.prosody_style, request.speed}));
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

  KOE_TRY(const auto generated,
          run(*model_.generator, StageId::kGenerator,
              stages::Generator::Input{decoder.decoder_features, source.excitation, voice.acoustic_style}));
  KOE_CHECK_OK(CheckWaveform(kernels_, generated.waveform));
  return ChunkResult{std::move(tokens), duration.durations, generated.waveform};
}

}  // namespace koe::pipeline
