// SPDX-License-Identifier: Apache-2.0
#include "stages/duration/duration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "nn/layer_norm.h"
#include "stages/duration/albert.h"
#include "stages/duration/text_encoder.h"
#include "stages/weight_loader.h"

namespace koe::stages {
namespace {

constexpr size_t kHidden = Duration::kHiddenSize;
constexpr size_t kFeatures = Duration::kFeatureSize;

// Three LSTMs over features and style, each followed by an adaptive layer norm (modules.py DurationEncoder).
class DurationEncoder {
 public:
  explicit DurationEncoder(WeightLoader& loader) {
    for (size_t i = 0; i < lstms_.size(); ++i) {
      const std::string name = "predictor.text_encoder.lstms.";
      lstms_[i] = loader.BiLstm(name + std::to_string(2 * i), kFeatures, kHidden / 2);
      style_[i] = loader.Linear(name + std::to_string(2 * i + 1) + ".fc", kStyleSize, 2 * kHidden);
    }
  }

  // x [T][512] -> y [T][640]: features, then the style again in every row.
  void Run(const nn::Exec& exec, ConstMatrix x, std::span<const float> style, Matrix y) const {
    const Arena::Scope scope(*exec.arena);
    const Matrix hidden = exec.arena->AllocateMatrix(x.rows, kHidden);
    const std::span<float> gamma_beta = exec.arena->Allocate<float>(2 * kHidden);
    for (size_t t = 0; t < x.rows && !exec.CountsOnly(); ++t) {
      std::copy_n(x.Row(t), kHidden, y.Row(t));
      std::copy(style.begin(), style.end(), y.Row(t) + kHidden);
    }
    for (size_t i = 0; i < lstms_.size() && !exec.IsCancelled(); ++i) {
      lstms_[i].Run(exec, y, hidden);
      style_[i].Run(exec, style, gamma_beta);
      for (size_t c = 0; c < kHidden && !exec.CountsOnly(); ++c) gamma_beta[c] += 1.0f;
      nn::LayerNorm(exec, hidden, {}, gamma_beta.first(kHidden), gamma_beta.subspan(kHidden), 1e-5f,
                    y.Cols(0, kHidden));
    }
  }

 private:
  std::array<nn::BiLstm, 3> lstms_;
  std::array<nn::Linear, 3> style_;
};

class DurationCpu final : public Duration {
 public:
  explicit DurationCpu(WeightLoader& loader)
      : albert_(loader),
        projection_(loader.Linear("bert_encoder", kAlbertSize, kHidden)),
        text_encoder_(loader),
        duration_encoder_(loader),
        lstm_(loader.BiLstm("predictor.lstm", kFeatures, kHidden / 2)),
        duration_projection_(loader.Linear("predictor.duration_proj.linear_layer", kHidden, kMaxFramesPerToken)) {}

  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const nn::Exec& exec = context.exec;
    const size_t num_tokens = input.token_ids.size();
    if (num_tokens == 0 || num_tokens > kMaxTokens) {
      return Error(ErrorCode::kInvalidArgument, "token count: " + std::to_string(num_tokens) + ": must be 1..512");
    }
    for (const int32_t id : input.token_ids) {
      if (id < 0 || static_cast<size_t>(id) >= Albert::kVocabulary) {
        return Error(ErrorCode::kInvalidArgument, "token id: " + std::to_string(id) + ": must be 0..177");
      }
    }
    if (input.prosody_style.size() != kStyleSize) {
      return Error(ErrorCode::kInvalidArgument,
                   "duration: style: " + std::to_string(input.prosody_style.size()) + " values: must be 128");
    }
    if (!std::isfinite(input.speed) || input.speed < kMinStageSpeed) {
      return Error(ErrorCode::kInvalidArgument, "speed: " + std::to_string(input.speed) + ": must be at least 0.01");
    }

    const Matrix albert = exec.arena->AllocateMatrix(num_tokens, kAlbertSize);
    const Matrix projected = exec.arena->AllocateMatrix(num_tokens, kHidden);
    const Matrix features = exec.arena->AllocateMatrix(num_tokens, kFeatures);
    const Matrix text_features = exec.arena->AllocateMatrix(num_tokens, kHidden);
    const Matrix logits = exec.arena->AllocateMatrix(num_tokens, kMaxFramesPerToken);
    const nn::Exec duration_exec = exec.Branch(0), text_exec = exec.Branch(1);
    exec.pool->RunAll({[&] {
                         albert_.Run(duration_exec, input.token_ids, albert);
                         projection_.Run(duration_exec, albert, projected);
                         duration_encoder_.Run(duration_exec, projected, input.prosody_style, features);
                         const Matrix hidden = duration_exec.arena->AllocateMatrix(num_tokens, kHidden);
                         lstm_.Run(duration_exec, features, hidden);
                         duration_projection_.Run(duration_exec, hidden, logits);
                       },
                       [&] { text_encoder_.Run(text_exec, input.token_ids, text_features); }});
    if (exec.IsCancelled()) return CancelledError();
    context.Observe("bert_dur", albert);
    context.Observe("d_en", projected);
    context.Observe("d", features);
    context.Observe("t_en", text_features);

    const Matrix frames = exec.arena->AllocateMatrix(num_tokens, 1);
    const std::span<int32_t> durations = exec.arena->Allocate<int32_t>(num_tokens);
    if (exec.CountsOnly()) return Output{durations, features, text_features};
    exec.kernels->math.sigmoid(logits.data, num_tokens * kMaxFramesPerToken, logits.data);
    for (size_t t = 0; t < num_tokens; ++t) {
      float sum = 0;
      for (const float p : logits.RowSpan(t)) sum += p;
      frames.data[t] = sum / input.speed;
      if (!std::isfinite(frames.data[t])) {
        return Error(ErrorCode::kInternal, "duration: token " + std::to_string(t) + ": not finite");
      }
      // Half to even, as torch.round. 50 sigmoids sum to at most 50, whatever the weights: no integer overflow.
      durations[t] = static_cast<int32_t>(std::max(std::nearbyint(frames.data[t]), 1.0f));
    }
    context.Observe("duration", frames);
    return Output{durations, features, text_features};
  }

 private:
  Albert albert_;
  nn::Linear projection_;
  TextEncoder text_encoder_;
  DurationEncoder duration_encoder_;
  nn::BiLstm lstm_;
  nn::Linear duration_projection_;
};

}  // namespace

Result<std::unique_ptr<Duration>> MakeDurationCpu(const bundle::Weights& weights, const kernels::KernelSet& kernels,
                                                  const LoadOptions& options) {
  WeightLoader loader(weights, kernels, options);
  return loader.Finish<std::unique_ptr<Duration>>(std::make_unique<DurationCpu>(loader));
}

}  // namespace koe::stages
