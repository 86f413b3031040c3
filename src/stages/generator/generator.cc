// SPDX-License-Identifier: Apache-2.0
#include "stages/generator/generator.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "stages/weight_loader.h"

namespace koe::stages {
namespace {

constexpr size_t kIn = 512;
constexpr size_t kUpsampled[2] = {256, 128};  // channels after each upsampling
constexpr size_t kRates[2] = {10, 6};
constexpr size_t kResidualTaps[3] = {3, 7, 11};
constexpr float kLeakySlope = 0.1f;
constexpr float kPostLeakySlope = 0.01f;  // PyTorch's default: the reference gives none there
constexpr float kOneThird = 1.0f / 3.0f;
constexpr size_t kNoiseTaps[2] = {7, 11};
constexpr size_t kRowsPerTask = 4 * kernels::kStatsBlockRows;

// Work of one residual block in units of its taps; a tap of the second level costs 1.5 of the first (a quarter of the
// products at six times the rate).
constexpr double kTapWork[2] = {1.0, 1.5};
constexpr double kTotalWork = kTapWork[0] * (7 + 3 + 7 + 11) + kTapWork[1] * (11 + 3 + 7 + 11);

const char* const kNames[2][3] = {{"ups0", "x_source0", "mrf0"}, {"ups1", "x_source1", "mrf1"}};

class GeneratorCpu final : public Generator {
 public:
  explicit GeneratorCpu(WeightLoader& loader) {
    const std::string name = "decoder.generator.";
    for (size_t i = 0; i < 2; ++i) {
      Level& level = levels_[i];
      const std::string index = std::to_string(i);
      const size_t channels = kUpsampled[i];
      level.upsample = loader.ConvTranspose1d(name + "ups." + index, i == 0 ? kIn : kUpsampled[0], channels, kRates[i]);
      level.noise_conv = loader.Conv1d(name + "noise_convs." + index,
                                       i == 0 ? nn::ConvShape{.in = kernels::kStftChannels,
                                                              .out = channels,
                                                              .taps = 2 * kRates[1],
                                                              .stride = kRates[1],
                                                              .padding = (kRates[1] + 1) / 2}
                                              : nn::ConvShape{.in = kernels::kStftChannels, .out = channels});
      level.noise_block = loader.SnakeResidualBlock(name + "noise_res." + index, channels, kNoiseTaps[i]);
      for (size_t j = 0; j < 3; ++j) {
        level.blocks[j] =
            loader.SnakeResidualBlock(name + "resblocks." + std::to_string(3 * i + j), channels, kResidualTaps[j]);
      }
    }
    conv_post_ = loader.Conv1d(name + "conv_post",
                               {.in = kUpsampled[1], .out = kernels::kStftChannels, .taps = 7, .padding = 3});
  }

  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const nn::Exec& exec = context.exec;
    const size_t num_samples = input.decoder_features.rows * kSamplesPerF0Frame;
    const size_t num_frames = kernels::StftFrames(num_samples);
    if (input.decoder_features.empty() || input.decoder_features.cols != kIn || input.excitation.rows != num_frames ||
        input.excitation.cols != kernels::kStftChannels || input.acoustic_style.size() != kStyleSize) {
      return Error(ErrorCode::kInvalidArgument, "generator: input: must be [2F][512], [120F+1][22] and a style of 128");
    }
    const std::span<float> waveform = exec.arena->Allocate<float>(num_samples);
    const Arena::Scope scope(*exec.arena);
    // Four buffers of the second level's size are the most that is alive: the first level lies where the second one's
    // blocks work later.
    const size_t level0_rows = input.decoder_features.rows * kRates[0];
    const Matrix level1 = exec.arena->AllocateMatrix(num_frames, kUpsampled[1]);
    const Matrix product1 = levels_[1].upsample.AllocateProduct(exec, level0_rows);
    Matrix merged1;
    {
      const Arena::Scope level0_scope(*exec.arena);
      const Matrix level0 = exec.arena->AllocateMatrix(level0_rows, kUpsampled[0]);
      {
        const Arena::Scope product_scope(*exec.arena);
        const Matrix product0 = levels_[0].upsample.AllocateProduct(exec, input.decoder_features.rows);
        RunBlocks(context, 0, Merge(context, 0, input.decoder_features, input, level0, product0), input, level0);
      }
      if (exec.IsCancelled()) return CancelledError();
      merged1 = Merge(context, 1, level0, input, level1, product1);
    }
    RunBlocks(context, 1, merged1, input, level1);
    if (exec.IsCancelled()) return CancelledError();

    const Matrix spectrum = exec.arena->AllocateMatrix(num_frames, kernels::kStftChannels);
    conv_post_.Run(exec, level1, {.kind = nn::ConvPrologue::Kind::kLeakyRelu, .slope = kPostLeakySlope}, spectrum, {});
    context.Observe("conv_post", spectrum);
    constexpr size_t kSamplesPerTask = 1024 * kernels::kStftHop;
    exec.pool->ParallelFor(CeilDiv(num_samples, kSamplesPerTask), [&](size_t i, size_t) {
      const size_t first = i * kSamplesPerTask;
      exec.kernels->stft.istft(spectrum.data, spectrum.stride, num_frames, first,
                               std::min(kSamplesPerTask, num_samples - first), waveform.data() + first);
    });
    if (exec.IsCancelled()) return CancelledError();
    context.Observe("waveform", Matrix(waveform.data(), num_samples, 1));
    return Output{waveform};
  }

 private:
  struct Level {
    nn::ConvTranspose1d upsample;
    nn::Conv1d noise_conv;
    nn::SnakeResidualBlock noise_block;
    std::array<nn::SnakeResidualBlock, 3> blocks;
  };

  static void Report(const StageContext& context, size_t index, size_t taps) {
    context.Report((index == 0 ? 0 : kTapWork[0] * (7 + 3 + 7 + 11)) / kTotalWork +
                   kTapWork[index] * static_cast<double>(taps) / kTotalWork);
  }

  // upsample(x) in `product`, beside noise_block(noise_conv(excitation)) in `excited`. Returns the former with as many
  // rows as the latter.
  Matrix Merge(const StageContext& context, size_t index, ConstMatrix x, const Input& input, Matrix excited,
               Matrix product) const {
    const nn::Exec& exec = context.exec;
    const Level& level = levels_[index];
    const Arena::Scope scope(*exec.arena);
    const size_t rows = excited.rows, channels = excited.cols;
    {
      // In the product's place, which is not needed yet.
      const Matrix noise(product.data, rows, channels);
      const Arena::Scope noise_scope(*exec.arena);
      nn::ChannelStats stats(exec, rows, channels, level.noise_conv.stats_rows());
      level.noise_conv.Run(exec, input.excitation, {}, noise, {.stats = &stats});
      level.noise_block.Run(exec, noise, stats, input.acoustic_style, excited);
    }
    context.Observe(kNames[index][1], excited);
    Report(context, index, kNoiseTaps[index]);
    const Matrix upsampled =
        level.upsample.Run(exec, x, {.kind = nn::ConvPrologue::Kind::kLeakyRelu, .slope = kLeakySlope}, product);
    context.Observe(kNames[index][0], upsampled);
    if (upsampled.rows + 1 != rows) return upsampled;
    // One frame of reflection on the left; the row before the upsampled ones is ours to write.
    const Matrix merged(upsampled.data - channels, rows, channels);
    if (!exec.CountsOnly()) std::copy_n(merged.Row(2), channels, merged.Row(0));
    return merged;
  }

  // y = mean of the three residual blocks over merged + y.
  void RunBlocks(const StageContext& context, size_t index, Matrix merged, const Input& input, Matrix y) const {
    const nn::Exec& exec = context.exec;
    const Level& level = levels_[index];
    const Arena::Scope scope(*exec.arena);
    const size_t rows = y.rows, channels = y.cols;
    nn::ChannelStats stats(exec, rows, channels);
    exec.pool->ParallelFor(CeilDiv(rows, kRowsPerTask), [&](size_t i, size_t) {
      const size_t first = i * kRowsPerTask, last = std::min(rows, first + kRowsPerTask);
      exec.kernels->elementwise.add_scale(merged.Row(first), y.Row(first), 1.0f, (last - first) * channels,
                                          merged.Row(first));
      stats.Accumulate(*exec.kernels, merged, first, last);
    });
    size_t taps_done = kNoiseTaps[index];
    for (size_t j = 0; j < 3 && !exec.IsCancelled(); ++j) {
      const bool is_first = j == 0, is_last = j == 2;
      level.blocks[j].Run(exec, merged, stats, input.acoustic_style, y,
                          {.addend = is_first ? ConstMatrix() : ConstMatrix(y), .scale = is_last ? kOneThird : 1.0f});
      taps_done += kResidualTaps[j];
      Report(context, index, taps_done);
    }
    context.Observe(kNames[index][2], y);
  }

  std::array<Level, 2> levels_;
  nn::Conv1d conv_post_;
};

}  // namespace

Result<std::unique_ptr<Generator>> MakeGeneratorCpu(const bundle::Weights& weights, const kernels::KernelSet& kernels,
                                                    const LoadOptions& options) {
  WeightLoader loader(weights, kernels, options);
  return loader.Finish<std::unique_ptr<Generator>>(std::make_unique<GeneratorCpu>(loader));
}

}  // namespace koe::stages
