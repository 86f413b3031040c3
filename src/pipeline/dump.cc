// SPDX-License-Identifier: Apache-2.0
#include "pipeline/dump.h"

#include <algorithm>
#include <deque>
#include <string_view>
#include <utility>

namespace koe::pipeline {
namespace {

// The reference keeps these two time-major; everything else with more than one channel is channels first.
bool IsTimeMajorInReference(std::string_view name) { return name == "bert_dur" || name == "d"; }

class Collector final : public stages::TensorObserver {
 public:
  explicit Collector(TensorMap* tensors) : tensors_(tensors) {}

  void OnTensor(const char* name, ConstMatrix x) override {
    NamedTensor tensor;
    tensor.floats.resize(x.rows * x.cols);
    if (x.cols == 1) {
      tensor.shape = {x.rows};
    } else if (IsTimeMajorInReference(name)) {
      tensor.shape = {x.rows, x.cols};
    } else {
      tensor.shape = {x.cols, x.rows};
    }
    const bool transposed = tensor.shape.size() == 2 && !IsTimeMajorInReference(name);
    for (size_t t = 0; t < x.rows; ++t) {
      for (size_t c = 0; c < x.cols; ++c) tensor.floats[transposed ? c * x.rows + t : t * x.cols + c] = x.Row(t)[c];
    }
    (*tensors_)[name] = std::move(tensor);
  }

 private:
  TensorMap* tensors_;
};

// The golden's tensors as stage inputs: checked against the shape a stage needs, time-major, kept alive.
class GoldenInputs {
 public:
  explicit GoldenInputs(const TensorMap& golden) : golden_(golden) {}

  Result<ConstMatrix> Matrix(const std::string& name, size_t rows, size_t cols) {
    const bool time_major = cols == 1 || IsTimeMajorInReference(name);
    const auto it = golden_.find(name);
    if (it == golden_.end()) return Missing(name);
    const std::vector<size_t> shape = cols == 1    ? std::vector<size_t>{rows}
                                      : time_major ? std::vector<size_t>{rows, cols}
                                                   : std::vector<size_t>{cols, rows};
    if (it->second.shape != shape || it->second.floats.size() != rows * cols) return WrongShape(name, shape);
    const std::vector<float>& src = it->second.floats;
    if (time_major) return ConstMatrix(src.data(), rows, cols);
    std::vector<float>& dst = kept_.emplace_back(src.size());
    for (size_t c = 0; c < cols; ++c) {
      for (size_t t = 0; t < rows; ++t) dst[t * cols + c] = src[c * rows + t];
    }
    return ConstMatrix(dst.data(), rows, cols);
  }

  Result<std::span<const float>> Vector(const std::string& name, size_t size) {
    KOE_TRY(const ConstMatrix matrix, Matrix(name, size, 1));
    return std::span<const float>(matrix.data, size);
  }

  Result<std::span<const int32_t>> Integers(const std::string& name, size_t size) const {
    const auto it = golden_.find(name);
    if (it == golden_.end()) return Missing(name);
    if (it->second.integers.size() != size) return WrongShape(name, {size});
    return std::span<const int32_t>(it->second.integers);
  }

 private:
  static Error Missing(const std::string& name) {
    return Error(ErrorCode::kCorruptBundle, "golden: tensor '" + name + "': missing");
  }
  static Error WrongShape(const std::string& name, const std::vector<size_t>& shape) {
    std::string text;
    for (const size_t d : shape) text += (text.empty() ? "" : ",") + std::to_string(d);
    return Error(ErrorCode::kCorruptBundle, "golden: tensor '" + name + "': must have the shape [" + text + "]");
  }

  const TensorMap& golden_;
  std::deque<std::vector<float>> kept_;
};

}  // namespace

Result<TensorMap> Dump(const Synthesizer& synthesizer, const DumpRequest& request, Workspace& workspace) {
  workspace.arena.Reset();
  TensorMap tensors;
  Collector collector(&tensors);
  const stages::StageContext context = synthesizer.Context(workspace, request.cancelled, &collector);
  stages::StageContext unobserved = context;
  unobserved.observer = nullptr;
  const Model& model = synthesizer.model();
  GoldenInputs golden(request.golden);
  const bool feed = request.feed_stages;
  const size_t num_tokens = request.token_ids.size();
  if (request.voice_row.size() != kVoiceRowSize) {
    return Error(ErrorCode::kInvalidArgument, "dump: voice row: must be 256 values");
  }
  const VoiceRow voice = SplitVoiceRow(request.voice_row);

  tensors["token_ids"] = {{num_tokens}, {}, request.token_ids};
  tensors["ref_s"] = {{request.voice_row.size()}, request.voice_row, {}};
  tensors["speed"] = {{1}, {request.speed}, {}};

  KOE_TRY(auto duration, model.duration->Run({request.token_ids, voice.prosody_style, request.speed}, context));
  tensors["pred_dur"] = {{num_tokens}, {}, {duration.durations.begin(), duration.durations.end()}};
  if (feed) {
    KOE_TRY(duration.durations, golden.Integers("pred_dur", num_tokens));
    KOE_TRY(duration.duration_features, golden.Matrix("d", num_tokens, stages::Duration::kFeatureSize));
    KOE_TRY(duration.text_features, golden.Matrix("t_en", num_tokens, stages::Duration::kHiddenSize));
  }
  KOE_TRY(auto aligned,
          model.alignment->Run({duration.durations, duration.duration_features, duration.text_features}, context));
  const size_t num_frames = aligned.frame_to_token.size();
  const size_t num_f0_frames = num_frames * stages::kF0FramesPerFrame;
  const size_t num_samples = num_frames * stages::kSamplesPerFrame;
  if (feed) {
    KOE_TRY(aligned.aligned_duration_features, golden.Matrix("en", num_frames, stages::Duration::kFeatureSize));
    KOE_TRY(aligned.aligned_text_features, golden.Matrix("asr", num_frames, stages::Duration::kHiddenSize));
  }
  KOE_TRY(auto prosody, model.prosody->Run({aligned.aligned_duration_features, voice.prosody_style}, context));
  if (feed) {
    KOE_TRY(prosody.f0_hz, golden.Vector("F0_pred", num_f0_frames));
    KOE_TRY(prosody.energy, golden.Vector("N_pred", num_f0_frames));
  }
  KOE_TRY(auto decoder,
          model.decoder->Run({aligned.aligned_text_features, prosody.f0_hz, prosody.energy, voice.acoustic_style},
                             context));

  KOE_TRY(const auto clean,
          model.harmonic_source->Run({.f0_hz = prosody.f0_hz, .seed = request.seed, .noise_scale = 0, .source = {}},
                                     unobserved));
  tensors["sine_clean"] = {{num_samples}, {clean.source.begin(), clean.source.end()}, {}};
  stages::HarmonicSource::Input source_input{.f0_hz = prosody.f0_hz, .seed = request.seed, .source = {}};
  if (feed) {
    KOE_TRY(source_input.source, golden.Vector("har_source", num_samples));
  }
  KOE_TRY(const auto source, model.harmonic_source->Run(source_input, context));

  ConstMatrix excitation = source.excitation;
  if (feed || request.use_golden_har) {
    KOE_TRY(excitation, golden.Matrix("har", source.excitation.rows, source.excitation.cols));
    // Fed through the chain, `har` is the golden's; fed by stage, it is our transform of the golden's source signal.
    if (!feed) collector.OnTensor("har", excitation);
  }
  if (feed) {
    KOE_TRY(decoder.decoder_features, golden.Matrix("x_pre", num_f0_frames, stages::Duration::kHiddenSize));
  }
  KOE_TRY(const auto generated,
          model.generator->Run({decoder.decoder_features, excitation, voice.acoustic_style}, context));
  KOE_CHECK_OK(CheckWaveform(*context.exec.kernels, generated.waveform));
  if (generated.waveform.size() != num_samples) return Error(ErrorCode::kInternal, "dump: waveform: unexpected length");
  return tensors;
}

}  // namespace koe::pipeline
