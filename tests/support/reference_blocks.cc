// SPDX-License-Identifier: Apache-2.0
#include "support/reference_blocks.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "support/measure.h"

namespace koe::test_support {
namespace {

std::vector<float> RandomWeights(size_t out, size_t terms) {
  return RandomVector(out * terms, 1 / std::sqrt(static_cast<float>(terms)));
}

Reference LeakyRelu(Reference x, double slope) {
  for (double& v : x.value) v = v < 0 ? v * slope : v;
  return x;
}

Reference Snake(Reference x, std::span<const float> alpha) {
  for (size_t i = 0; i < x.value.size(); ++i) {
    const double a = alpha[i % x.cols], sine = std::sin(a * x.value[i]);
    x.value[i] += sine * sine / a;
  }
  return x;
}

}  // namespace

AdaInWeights::AdaInWeights(size_t num_channels)
    : channels(num_channels),
      weight(RandomVector(2 * num_channels * kTestStyleSize, 0.05f)),
      bias(RandomVector(2 * num_channels, 0.1f)) {}

nn::AdaIn AdaInWeights::Make(const kernels::KernelSet& kernels) const {
  return nn::AdaIn(nn::Linear(kernels, weight, bias, kTestStyleSize, 2 * channels));
}

Reference AdaInWeights::Apply(const Reference& x, std::span<const float> style, double* gain) const {
  const Reference row(ConstMatrix(style.data(), 1, style.size()));
  const Reference gamma_beta = Convolved(row, weight, bias, {.in = kTestStyleSize, .out = 2 * channels});
  Reference y = x;
  double raised = 0;
  for (size_t c = 0; c < channels; ++c) {
    double mean = 0, variance = 0;
    for (size_t t = 0; t < x.rows; ++t) mean += x.value[x.At(t, c)] / static_cast<double>(x.rows);
    for (size_t t = 0; t < x.rows; ++t) {
      const double d = x.value[x.At(t, c)] - mean;
      variance += d * d / static_cast<double>(x.rows);
    }
    raised += (mean * mean + variance) / (variance + 1e-5) / static_cast<double>(channels);
    for (size_t t = 0; t < x.rows; ++t) {
      double& v = y.value[y.At(t, c)];
      v = (1 + gamma_beta.value[c]) * (v - mean) / std::sqrt(variance + 1e-5) + gamma_beta.value[channels + c];
    }
  }
  if (x.rows > 1) *gain = std::max(*gain, raised);
  return y;
}

AdainBlockWeights::AdainBlockWeights(size_t num_in, size_t num_out, bool upsamples)
    : in(num_in),
      out(num_out),
      upsample(upsamples),
      norm1(num_in),
      norm2(num_out),
      conv1(RandomWeights(num_out, 3 * num_in)),
      conv1_bias(RandomVector(num_out, 0.1f)),
      conv2(RandomWeights(num_out, 3 * num_out)),
      conv2_bias(RandomVector(num_out, 0.1f)),
      shortcut(num_in == num_out ? std::vector<float>() : RandomWeights(num_out, num_in)),
      pool(upsamples ? RandomWeights(num_in, 3) : std::vector<float>()),
      pool_bias(upsamples ? RandomVector(num_in, 0.1f) : std::vector<float>()) {}

nn::AdainResidualBlock AdainBlockWeights::Make(const kernels::KernelSet& kernels) const {
  nn::AdainResidualBlock::Parts parts;
  parts.norm1 = norm1.Make(kernels);
  parts.norm2 = norm2.Make(kernels);
  parts.conv1 = nn::Conv1d(kernels, conv1, conv1_bias, {.in = in, .out = out, .taps = 3, .padding = 1});
  parts.conv2 = nn::Conv1d(kernels, conv2, conv2_bias, {.in = out, .out = out, .taps = 3, .padding = 1});
  if (!shortcut.empty()) parts.shortcut = nn::Conv1d(kernels, shortcut, {}, {.in = in, .out = out});
  parts.pool_weight.resize(pool.size());
  for (size_t i = 0; i < pool.size(); ++i) parts.pool_weight[i % 3 * in + i / 3] = pool[i];
  parts.pool_bias = pool_bias;
  return nn::AdainResidualBlock(std::move(parts));
}

Reference AdainBlockWeights::Apply(const Reference& x, std::span<const float> style, double* gain) const {
  constexpr double kSlope = 0.2;
  Reference residual = LeakyRelu(norm1.Apply(x, style, gain), kSlope);
  Reference skip = x;
  if (upsample) {
    residual = TransposeConvolved(
        residual, pool, pool_bias,
        {.in = in, .out = in, .taps = 3, .stride = 2, .padding = 1, .output_padding = 1, .groups = in});
    skip = Reference(2 * x.rows, in);
    for (size_t i = 0; i < skip.value.size(); ++i) skip.value[i] = x.value[x.At(i / in / 2, i % in)];
  }
  residual = Convolved(residual, conv1, conv1_bias, {.in = in, .out = out, .taps = 3, .padding = 1});
  residual = Convolved(LeakyRelu(norm2.Apply(residual, style, gain), kSlope), conv2, conv2_bias,
                       {.in = out, .out = out, .taps = 3, .padding = 1});
  if (!shortcut.empty()) skip = Convolved(skip, shortcut, {}, {.in = in, .out = out});
  for (size_t i = 0; i < residual.value.size(); ++i) {
    residual.value[i] = (residual.value[i] + skip.value[i]) / std::sqrt(2.0);
  }
  return residual;
}

SnakeBlockWeights::SnakeBlockWeights(size_t num_channels, size_t num_taps) : channels(num_channels), taps(num_taps) {
  const auto half = [&](size_t dilation) {
    Half h{AdaInWeights(channels),
           RandomVector(channels, 0.2f, 1.0f),
           RandomWeights(channels, taps * channels),
           RandomVector(channels, 0.1f),
           {}};
    h.shape = {
        .in = channels, .out = channels, .taps = taps, .dilation = dilation, .padding = dilation * (taps - 1) / 2};
    return h;
  };
  for (const size_t dilation : {1, 3, 5}) layers.push_back({half(dilation), half(1)});
}

nn::SnakeResidualBlock SnakeBlockWeights::Make(const kernels::KernelSet& kernels) const {
  std::array<nn::SnakeResidualBlock::Layer, 3> made;
  for (size_t j = 0; j < made.size(); ++j) {
    const auto& [first, second] = layers[j];
    made[j].norm1 = first.norm.Make(kernels);
    made[j].norm2 = second.norm.Make(kernels);
    made[j].alpha1 = first.alpha;
    made[j].alpha2 = second.alpha;
    made[j].conv1 = nn::Conv1d(kernels, first.conv, first.bias, first.shape);
    made[j].conv2 = nn::Conv1d(kernels, second.conv, second.bias, second.shape);
  }
  return nn::SnakeResidualBlock(std::move(made));
}

Reference SnakeBlockWeights::Apply(const Reference& x, std::span<const float> style, double* gain) const {
  Reference y = x;
  for (const auto& layer : layers) {
    Reference branch = y;
    for (const Half& half : layer) {
      branch = Convolved(Snake(half.norm.Apply(branch, style, gain), half.alpha), half.conv, half.bias, half.shape);
    }
    for (size_t i = 0; i < y.value.size(); ++i) y.value[i] += branch.value[i];
  }
  return y;
}

double MinBlockSnrDb(size_t convolutions, size_t terms, double norm_gain) {
  constexpr double kSlopeSquared = 4;
  return -10 * std::log10(static_cast<double>(convolutions * terms) * kEps * kEps * kSlopeSquared * norm_gain);
}

}  // namespace koe::test_support
