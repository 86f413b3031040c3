// SPDX-License-Identifier: Apache-2.0
#include "stages/prosody/prosody.h"

#include <array>
#include <string>

#include "stages/weight_loader.h"

namespace koe::stages {
namespace {

constexpr size_t kFeatures = 640, kHidden = 512;

// Three residual blocks, the second of which doubles the frame rate, and a projection to one value.
class Curve {
 public:
  Curve(WeightLoader& loader, const std::string& name)
      : blocks_{loader.AdainResidualBlock(name + ".0", kHidden, kHidden, false),
                loader.AdainResidualBlock(name + ".1", kHidden, kHidden / 2, true),
                loader.AdainResidualBlock(name + ".2", kHidden / 2, kHidden / 2, false)},
        projection_(loader.Conv1d(name + "_proj", {.in = kHidden / 2, .out = 1})) {}

  // x [F][512] -> y [2F][1]
  void Run(const nn::Exec& exec, ConstMatrix x, std::span<const float> style, Matrix y) const {
    const Arena::Scope scope(*exec.arena);
    for (const nn::AdainResidualBlock& block : blocks_) {
      if (exec.IsCancelled()) return;
      const Matrix next = exec.arena->AllocateMatrix(block.OutputRows(x.rows), block.out());
      block.Run(exec, x, style, next);
      x = next;
    }
    projection_.Run(exec, x, {}, y, {});
  }

 private:
  std::array<nn::AdainResidualBlock, 3> blocks_;
  nn::Conv1d projection_;
};

class ProsodyCpu final : public Prosody {
 public:
  explicit ProsodyCpu(WeightLoader& loader)
      : shared_(loader.BiLstm("predictor.shared", kFeatures, kHidden / 2)),
        f0_(loader, "predictor.F0"),
        energy_(loader, "predictor.N") {}

  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const nn::Exec& exec = context.exec;
    const ConstMatrix x = input.aligned_duration_features;
    if (x.rows == 0 || x.cols != kFeatures || input.prosody_style.size() != kStyleSize) {
      return Error(ErrorCode::kInvalidArgument, "prosody: input: must be [F][640] and a style of 128");
    }
    const size_t num_f0_frames = kF0FramesPerFrame * x.rows;
    const Matrix f0 = exec.arena->AllocateMatrix(num_f0_frames, 1);
    const Matrix energy = exec.arena->AllocateMatrix(num_f0_frames, 1);
    const Arena::Scope scope(*exec.arena);
    const Matrix shared = exec.arena->AllocateMatrix(x.rows, kHidden);
    shared_.Run(exec, x, shared);
    const nn::Exec f0_exec = exec.Branch(0), energy_exec = exec.Branch(1);
    exec.pool->RunAll({[&] { f0_.Run(f0_exec, shared, input.prosody_style, f0); },
                       [&] { energy_.Run(energy_exec, shared, input.prosody_style, energy); }});
    if (exec.IsCancelled()) return CancelledError();
    context.Observe("F0_pred", f0);
    context.Observe("N_pred", energy);
    return Output{{f0.data, num_f0_frames}, {energy.data, num_f0_frames}};
  }

 private:
  nn::BiLstm shared_;
  Curve f0_, energy_;
};

}  // namespace

Result<std::unique_ptr<Prosody>> MakeProsodyCpu(const bundle::Weights& weights, const kernels::KernelSet& kernels,
                                                const LoadOptions& options) {
  WeightLoader loader(weights, kernels, options);
  return loader.Finish<std::unique_ptr<Prosody>>(std::make_unique<ProsodyCpu>(loader));
}

}  // namespace koe::stages
