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

double MeanSquare(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// A convolution of x whose outputs have `terms` products each.
void AddConvNoise(const Reference& x, std::span<const float> weight, size_t terms, double* noise) {
  double squares = 0;
  for (const float w : weight) squares += double{w} * w;
  squares *= static_cast<double>(terms) / static_cast<double>(weight.size());
  *noise = (*noise + static_cast<double>(terms) * kEps * kEps * MeanSquare(x.value)) * squares;
}

Reference LeakyRelu(Reference x, double slope) {
  for (double& v : x.value) v = v < 0 ? v * slope : v;
  return x;
}

constexpr double kSnakeSlope = 2;  // 1 + |sin(2 alpha x)|

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

Reference AdaInWeights::Apply(const Reference& x, std::span<const float> style, double* noise) const {
  const Reference row(ConstMatrix(style.data(), 1, style.size()));
  const Reference gamma_beta = Convolved(row, weight, bias, {.in = kTestStyleSize, .out = 2 * channels});
  Reference y = x;
  double after = 0;
  for (size_t c = 0; c < channels; ++c) {
    double mean = 0, variance = 0;
    for (size_t t = 0; t < x.rows; ++t) mean += x.value[x.At(t, c)] / static_cast<double>(x.rows);
    for (size_t t = 0; t < x.rows; ++t) {
      const double d = x.value[x.At(t, c)] - mean;
      variance += d * d / static_cast<double>(x.rows);
    }
    const double slope = 1 + gamma_beta.value[c];
    const double rounded_mean = kEps * kEps * mean * mean;
    after += slope * slope * (*noise + rounded_mean) / (variance + 1e-5) / static_cast<double>(channels);
    for (size_t t = 0; t < x.rows; ++t) {
      double& v = y.value[y.At(t, c)];
      v = (1 + gamma_beta.value[c]) * (v - mean) / std::sqrt(variance + 1e-5) + gamma_beta.value[channels + c];
    }
  }
  *noise = x.rows > 1 ? after : 0;
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

Reference AdainBlockWeights::Apply(const Reference& x, std::span<const float> style, double* noise) const {
  constexpr double kSlope = 0.2;
  Reference residual = LeakyRelu(norm1.Apply(x, style, noise), kSlope);
  Reference skip = x;
  double skip_noise = 0;
  if (upsample) {
    AddConvNoise(residual, pool, 3, noise);
    residual = TransposeConvolved(
        residual, pool, pool_bias,
        {.in = in, .out = in, .taps = 3, .stride = 2, .padding = 1, .output_padding = 1, .groups = in});
    skip = Reference(2 * x.rows, in);
    for (size_t i = 0; i < skip.value.size(); ++i) skip.value[i] = x.value[x.At(i / in / 2, i % in)];
  }
  AddConvNoise(residual, conv1, 3 * in, noise);
  residual = Convolved(residual, conv1, conv1_bias, {.in = in, .out = out, .taps = 3, .padding = 1});
  residual = LeakyRelu(norm2.Apply(residual, style, noise), kSlope);
  AddConvNoise(residual, conv2, 3 * out, noise);
  residual = Convolved(residual, conv2, conv2_bias, {.in = out, .out = out, .taps = 3, .padding = 1});
  if (!shortcut.empty()) {
    AddConvNoise(skip, shortcut, in, &skip_noise);
    skip = Convolved(skip, shortcut, {}, {.in = in, .out = out});
  }
  *noise = (*noise + skip_noise) / 2;
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

Reference SnakeBlockWeights::Apply(const Reference& x, std::span<const float> style, double* noise) const {
  Reference y = x;
  for (const auto& layer : layers) {
    Reference branch = y;
    double branch_noise = *noise;
    for (const Half& half : layer) {
      branch = Snake(half.norm.Apply(branch, style, &branch_noise), half.alpha);
      branch_noise *= kSnakeSlope * kSnakeSlope;
      AddConvNoise(branch, half.conv, taps * channels, &branch_noise);
      branch = Convolved(branch, half.conv, half.bias, half.shape);
    }
    *noise += branch_noise;
    for (size_t i = 0; i < y.value.size(); ++i) y.value[i] += branch.value[i];
  }
  return y;
}

double MinBlockSnrDb(const Reference& want, double noise) { return 10 * std::log10(MeanSquare(want.value) / noise); }

}  // namespace koe::test_support
