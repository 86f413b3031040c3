// SPDX-License-Identifier: Apache-2.0
// Sources: Kokoro istftnet.py and modules.py; the masked norm is the reference exporter's (reference export.md 1.3).
#include "export/blocks.h"

#include <array>
#include <numeric>
#include <utility>
#include <vector>

namespace koe::exporter {
namespace {

constexpr float kInstanceNormEpsilon = 1e-5f;
constexpr float kMinFill = 1e-4f;  // no division by zero where a caller masks everything
constexpr float kInvSqrt2 = 0.70710678118654752f;
constexpr int64_t kStyle = 128;

}  // namespace

Mask Blocks::MaskOf(Value values) {
  // The mean, not the sum: a sum of 144,000 ones is beyond float16.
  return {values, g_.Maximum(g_.ReduceMean(values, 2), g_.Scalar(type_, kMinFill))};
}

Value Blocks::Linear(const std::string& name, Value x, int64_t in, int64_t out) {
  return g_.Linear(x, Weight(name + ".weight", {out, in}), Weight(name + ".bias", {out}));
}

Value Blocks::Conv(const std::string& name, Value x, int64_t out, int64_t taps, Graph::Convolution options,
                   bool has_bias) {
  std::optional<Value> bias;
  if (has_bias) bias = Weight(name + ".bias", {out});
  return g_.Conv(x, Weight(name + ".weight", {out, g_.shape(x)[1], taps}), bias, options);
}

Value Blocks::AdaIn(const std::string& name, Value x, Value style, StyleForm form, const Mask& mask) {
  const int64_t channels = g_.shape(x)[1];
  const auto over_fill = [&](Value mean) { return mask.fill ? g_.Div(mean, *mask.fill) : mean; };
  const Value mean = over_fill(g_.ReduceMean(Apply(mask, x), 2));
  const Value centred = g_.Sub(x, mean);
  const Value valid = Apply(mask, centred);
  const Value variance = over_fill(g_.ReduceMean(g_.Mul(valid, valid), 2));
  const Value deviation = g_.Unary(Op::kSqrt, g_.Add(variance, g_.Scalar(type_, kInstanceNormEpsilon)));

  const std::string fc = name + ".fc";
  const Value weight =
      Weight(fc + ".weight", form == StyleForm::kLinear ? Shape{2 * channels, kStyle} : Shape{2 * channels, kStyle, 1});
  const Value bias = Weight(fc + ".bias", {2 * channels});
  const Value projected =
      form == StyleForm::kLinear ? g_.ExpandDims(g_.Linear(style, weight, bias), 2) : g_.Conv(style, weight, bias, {});
  const auto [gamma, beta] = g_.SplitHalves(projected, 1);
  // One factor a channel: dividing the whole signal as well would round it once more.
  const Value scale = g_.Div(g_.Add(gamma, g_.Scalar(type_, 1)), deviation);
  return Apply(mask, g_.Add(g_.Mul(centred, scale), beta));
}

Value Blocks::ResidualBlock(const std::string& name, Value x, Value style, const Mask& mask, const Mask& out_mask,
                            int64_t out, bool upsamples) {
  constexpr float kSlope = 0.2f;
  const int64_t in = g_.shape(x)[1], frames = g_.shape(x)[2];
  const auto norm = [&](const std::string& part, Value v, const Mask& m) {
    return g_.LeakyRelu(AdaIn(name + part, v, style, StyleForm::kLinear, m), kSlope);
  };
  Value hidden = norm(".norm1", x, mask);
  Value shortcut = x;
  if (upsamples) {
    // A depthwise transposed convolution with padding 1 and output padding 1: the whole result without its first frame.
    // Beyond the last real frame it leaves the bias, which the next convolution must not see.
    const Value pooled = g_.ConvTranspose(hidden, Weight(name + ".pool.weight", {in, 1, 3}),
                                          Weight(name + ".pool.bias", {in}), {.stride = 2, .groups = in});
    hidden = Apply(out_mask, g_.Slice(pooled, 2, 1, 2 * frames + 1));
    shortcut = g_.Upsample2(shortcut);
  }
  hidden = Conv(name + ".conv1", hidden, out, 3, {.padding = 1});
  hidden = Conv(name + ".conv2", norm(".norm2", hidden, out_mask), out, 3, {.padding = 1});
  if (in != out) shortcut = Conv(name + ".conv1x1", shortcut, out, 1, {}, false);
  return g_.Mul(g_.Add(hidden, shortcut), g_.Scalar(type_, kInvSqrt2));
}

Value Blocks::Snake(const std::string& alpha, Value x) {
  const int64_t channels = g_.shape(x)[1];
  const auto size = static_cast<size_t>(channels);
  const Value inverse = weights_.Derived(&g_, alpha + ".inverse", type_, {1, channels, 1}, [&] {
    std::vector<float> values = weights_.Floats(alpha, size);
    for (float& v : values) v = 1.0f / v;
    return values;
  });
  const Value sine = g_.Unary(Op::kSin, g_.Mul(x, Weight(alpha, {1, channels, 1})));
  return g_.Add(x, g_.Mul(inverse, g_.Mul(sine, sine)));
}

Value Blocks::SnakeBlock(const std::string& name, Value x, Value style, const Mask& mask, int64_t taps) {
  constexpr std::array<int64_t, 3> kDilations = {1, 3, 5};
  const int64_t channels = g_.shape(x)[1];
  for (size_t j = 0; j < kDilations.size(); ++j) {
    const std::string index = "." + std::to_string(j);
    const auto half = [&](const std::string& side, Value v, int64_t dilation) {
      const Value normal = AdaIn(name + ".adain" + side + index, v, style, StyleForm::kConv, mask);
      return Conv(name + ".convs" + side + index, Snake(name + ".alpha" + side + index, normal), channels, taps,
                  {.dilation = dilation, .padding = dilation * (taps - 1) / 2});
    };
    x = g_.Add(x, half("2", half("1", x, kDilations[j]), 1));
  }
  return x;
}

Value Blocks::Lstm(const std::string& name, const std::string& suffix, Value x, int64_t hidden) {
  constexpr Type kFloat = Type::kF32;
  const int64_t in = g_.shape(x)[2];
  const std::string key = name + ".bias_l0" + suffix;
  const auto rows = static_cast<size_t>(4 * hidden);
  const Value bias = weights_.Derived(&g_, key, kFloat, {4 * hidden}, [&] {
    std::vector<float> sum = weights_.Floats(name + ".bias_ih_l0" + suffix, rows);
    const std::vector<float> recurrent = weights_.Floats(name + ".bias_hh_l0" + suffix, rows);
    for (size_t i = 0; i < rows; ++i) sum[i] += recurrent[i];
    return sum;
  });
  return g_.Lstm(x, weights_.Tensor(&g_, name + ".weight_ih_l0" + suffix, kFloat, {4 * hidden, in}),
                 weights_.Tensor(&g_, name + ".weight_hh_l0" + suffix, kFloat, {4 * hidden, hidden}), bias);
}

Value Blocks::BiLstm(const std::string& name, Value x, std::optional<Value> step_mask, int64_t hidden) {
  const int64_t steps = g_.shape(x)[1];
  std::vector<int32_t> counting(static_cast<size_t>(steps));
  std::iota(counting.begin(), counting.end(), 0);
  // Row t of the reversed sequence: n - 1 - t within the n real steps, t itself beyond. All in integers: float16 cannot
  // count to 1,200.
  const Value position = g_.Integers({1, steps}, counting);
  const int32_t one = 1;
  const Value ones = g_.Integers({1, 1}, {&one, 1});
  Value reversed;
  if (step_mask) {
    const Value last = g_.Sub(g_.ReduceSum(*step_mask, 1), ones);
    const Value within = g_.Mul(*step_mask, g_.Sub(last, position));
    reversed = g_.Add(within, g_.Mul(g_.Sub(ones, *step_mask), position));
  } else {
    const auto last = static_cast<int32_t>(steps - 1);
    reversed = g_.Sub(g_.Integers({1, 1}, {&last, 1}), position);
  }
  const auto reverse = [&](Value v) {
    const Value index = g_.Tile(g_.ExpandDims(reversed, 2), {1, 1, g_.shape(v)[2]});
    return g_.GatherAlongAxis(v, index, 1);
  };
  const auto run = [&](const std::string& suffix, Value v) {
    return g_.Transpose(Lstm(name, suffix, g_.Transpose(v, {1, 0, 2}), hidden), {1, 0, 2});
  };
  const Value in = g_.Cast(x, Type::kF32);
  const Value both = g_.Concat({run("", in), reverse(run("_reverse", reverse(in)))}, 2);
  const Value y = g_.Cast(both, type_);
  return step_mask ? g_.Mul(y, g_.Cast(g_.ExpandDims(*step_mask, 2), type_)) : y;
}

}  // namespace koe::exporter
