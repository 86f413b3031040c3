// SPDX-License-Identifier: Apache-2.0
#include "nn/residual_blocks.h"

#include <algorithm>
#include <utility>

namespace koe::nn {
namespace {

constexpr float kLeakySlope = 0.2f;
constexpr float kInvSqrt2 = 0.70710678118654752f;
constexpr size_t kRowsPerTask = 96;

ConvPrologue LeakyAffine(const kernels::ChannelAffine& affine) {
  return {.kind = ConvPrologue::Kind::kLeakyReluAffine, .slope = kLeakySlope, .affine = affine};
}

ConvPrologue SnakeAffine(const kernels::ChannelAffine& affine, const std::vector<float>& alpha,
                         const std::vector<float>& inv_alpha) {
  return {
      .kind = ConvPrologue::Kind::kSnakeAffine, .affine = affine, .alpha = alpha.data(), .inv_alpha = inv_alpha.data()};
}

}  // namespace

void AdainResidualBlock::Run(const Exec& exec, ConstMatrix x, std::span<const float> style, Matrix y) const {
  const Arena::Scope scope(*exec.arena);
  const kernels::KernelSet& kernels = *exec.kernels;
  const kernels::ChannelAffine affine1 = parts_.norm1.Run(exec, ComputeStats(exec, x), style);

  const Matrix hidden = exec.arena->AllocateMatrix(y.rows, out());
  ChannelStats hidden_stats(exec, y.rows, out(), parts_.conv1.stats_rows());
  if (upsamples()) {
    const Matrix activated = exec.arena->AllocateMatrix(x.rows, x.cols);
    const Matrix pooled = exec.arena->AllocateMatrix(y.rows, x.cols);
    const size_t tasks = CeilDiv(x.rows, kRowsPerTask);
    exec.pool->ParallelFor(tasks, [&](size_t i, size_t) {
      const size_t first = i * kRowsPerTask, rows = std::min(kRowsPerTask, x.rows - first);
      kernels.activation.leaky_relu_affine(x.Row(first), x.stride, rows, x.cols, affine1, kLeakySlope,
                                           activated.Row(first), activated.stride);
    });
    exec.pool->ParallelFor(tasks, [&](size_t i, size_t) {
      const size_t first = i * kRowsPerTask, rows = std::min(kRowsPerTask, x.rows - first);
      kernels.conv_transpose1d.depthwise_x2(activated.data, activated.stride, x.rows, x.cols, parts_.pool_weight.data(),
                                            parts_.pool_bias.data(), first, rows, pooled.data, pooled.stride);
    });
    parts_.conv1.Run(exec, pooled, {}, hidden, {.stats = &hidden_stats});
  } else {
    parts_.conv1.Run(exec, x, LeakyAffine(affine1), hidden, {.stats = &hidden_stats});
  }
  const kernels::ChannelAffine affine2 = parts_.norm2.Run(exec, hidden_stats, style);

  ConstMatrix shortcut = x;
  if (parts_.shortcut.has_value()) {
    const Matrix projected = exec.arena->AllocateMatrix(x.rows, out());
    parts_.shortcut->Run(exec, x, {}, projected, {});
    shortcut = projected;
  }
  if (upsamples()) {
    // Nearest neighbour; after the 1x1 convolution, which does not look at neighbours, instead of before it.
    const Matrix doubled = exec.arena->AllocateMatrix(y.rows, out());
    exec.pool->ParallelFor(CeilDiv(y.rows, kRowsPerTask), [&](size_t i, size_t) {
      for (size_t t = i * kRowsPerTask; t < std::min(y.rows, (i + 1) * kRowsPerTask); ++t) {
        std::copy_n(shortcut.Row(t / 2), out(), doubled.Row(t));
      }
    });
    shortcut = doubled;
  }
  parts_.conv2.Run(exec, hidden, LeakyAffine(affine2), y, {.residual = shortcut, .scale = kInvSqrt2});
}

SnakeResidualBlock::SnakeResidualBlock(std::array<Layer, 3> layers) : layers_(std::move(layers)) {
  for (size_t j = 0; j < layers_.size(); ++j) {
    for (const float alpha : layers_[j].alpha1) inv_alpha_[j][0].push_back(1.0f / alpha);
    for (const float alpha : layers_[j].alpha2) inv_alpha_[j][1].push_back(1.0f / alpha);
  }
}

void SnakeResidualBlock::Run(const Exec& exec, ConstMatrix x, const ChannelStats& x_stats, std::span<const float> style,
                             Matrix y, const BlockSum& sum) const {
  const Arena::Scope scope(*exec.arena);
  const Matrix work = sum.addend.empty() ? y : exec.arena->AllocateMatrix(x.rows, x.cols);
  const Matrix hidden = exec.arena->AllocateMatrix(x.rows, x.cols);
  ChannelStats stats = x_stats;
  ConstMatrix input = x;
  for (size_t j = 0; j < layers_.size(); ++j) {
    const Layer& layer = layers_[j];
    ChannelStats hidden_stats(exec, x.rows, x.cols, layer.conv1.stats_rows());
    const kernels::ChannelAffine affine1 = layer.norm1.Run(exec, stats, style);
    layer.conv1.Run(exec, input, SnakeAffine(affine1, layer.alpha1, inv_alpha_[j][0]), hidden,
                    {.stats = &hidden_stats});
    const kernels::ChannelAffine affine2 = layer.norm2.Run(exec, hidden_stats, style);
    const bool is_last = j + 1 == layers_.size();
    if (!is_last) stats = ChannelStats(exec, x.rows, x.cols, layer.conv2.stats_rows());
    ConvEpilogue epilogue{.residual = input, .stats = is_last ? nullptr : &stats};
    if (is_last) {
      epilogue.addend = sum.addend;
      epilogue.scale = sum.scale;
    }
    layer.conv2.Run(exec, hidden, SnakeAffine(affine2, layer.alpha2, inv_alpha_[j][1]), is_last ? y : work, epilogue);
    input = work;
  }
}

}  // namespace koe::nn
