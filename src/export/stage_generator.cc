// SPDX-License-Identifier: Apache-2.0
// Decoder features and excitation -> waveform. The engine's own is src/stages/generator.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "export/stage_builders.h"

namespace koe::exporter {
namespace {

constexpr int64_t kIn = 512, kStyle = 128, kSpectrum = 22, kBins = kSpectrum / 2, kFft = 20, kHop = 5;
constexpr std::array<int64_t, 2> kChannels = {256, 128}, kRates = {10, 6}, kNoiseTaps = {7, 11};
constexpr std::array<int64_t, 3> kTaps = {3, 7, 11};

double Window(size_t n) { return 0.5 * (1 - std::cos(2 * std::numbers::pi * static_cast<double>(n) / kFft)); }

// Inverse DFT of one side of a spectrum under the Hann window, [11][1][20]: inner bins stand for their mirror images
// too. The overlap-add is divided afterwards by the sum of squared windows.
std::vector<float> Basis(bool imaginary) {
  std::vector<float> basis;
  for (size_t k = 0; k < kBins; ++k) {
    const double gain = (k == 0 || k + 1 == kBins ? 1.0 : 2.0) / kFft;
    for (size_t n = 0; n < kFft; ++n) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(k * n % kFft) / kFft;
      basis.push_back(static_cast<float>(gain * Window(n) * (imaginary ? std::sin(angle) : std::cos(angle))));
    }
  }
  return basis;
}

std::vector<float> SquaredWindow() {
  std::vector<float> values(kFft);
  for (size_t n = 0; n < kFft; ++n) values[n] = static_cast<float>(Window(n) * Window(n));
  return values;
}

// 1 / the sum of squared windows over a native length: 1 / 1.5 but for the five samples at each end.
std::vector<float> InverseEnvelope(int64_t num_samples) {
  const std::vector<float> squared = SquaredWindow();
  const int64_t frames = num_samples / kHop + 1;
  std::vector<float> inverse(static_cast<size_t>(num_samples));
  for (int64_t i = 0; i < num_samples; ++i) {
    const int64_t position = i + kFft / 2;
    double sum = 0;
    for (int64_t f = std::max<int64_t>(0, (position - kFft) / kHop); f < frames && f * kHop <= position; ++f) {
      if (position - f * kHop < kFft) sum += static_cast<double>(squared[static_cast<size_t>(position - f * kHop)]);
    }
    inverse[static_cast<size_t>(i)] = static_cast<float>(1 / sum);
  }
  return inverse;
}

class GeneratorBuilder {
 public:
  GeneratorBuilder(const StageSpec& spec, Graph* graph, WeightStore* weights)
      : spec_(spec),
        g_(*graph),
        weights_(*weights),
        blocks_(graph, weights, spec.half ? Type::kF16 : Type::kF32),
        frames_(2 * spec.length),
        spectra_(60 * frames_ + 1) {}

  void Build() {
    const Type type = blocks_.type();
    Value x = g_.Cast(g_.Input("x_pre", Type::kF32, {1, kIn, frames_}), type);
    const Value ref_s = g_.Input("ref_s", Type::kF32, {1, 2 * kStyle});
    // The card's packages take twice the frames and use the first half.
    Value har = g_.Input("har", Type::kF32, {1, kSpectrum, spec_.card ? 2 * spectra_ - 1 : spectra_});
    if (spec_.card) har = g_.Slice(har, 2, 0, spectra_);
    har = g_.Cast(har, type);
    const Value style = g_.ExpandDims(g_.Cast(g_.Slice(ref_s, 1, 0, kStyle), type), 2);
    std::array<Mask, 2> masks;
    if (!spec_.card) {
      const Value mask = g_.Cast(g_.Input("mask", Type::kF32, {1, 1, frames_}, 1.0f), type);
      masks = {MaskAt(mask, 10, 0), MaskAt(mask, 60, 1)};
      x = g_.Mul(x, mask);  // an upsampled frame reaches into its neighbour's time
    }
    har = blocks_.Apply(masks[1], har);
    for (size_t level = 0; level < 2; ++level) {
      x = Level(level, x, har, style, masks[level]);
      if (level == 0) x = blocks_.Apply(masks[0], x);
    }
    const Value waveform = Tail(g_.LeakyRelu(x, 0.01f), masks[1]);
    g_.Output("waveform", g_.Cast(waveform, spec_.half && spec_.half_output ? Type::kF16 : Type::kF32));
  }

 private:
  // Every frame `repeats` times, behind `left` frames of reflection. The index is a constant: computed in the graph it
  // overflows at 30 s.
  Mask MaskAt(Value mask, int64_t repeats, int64_t left) {
    std::vector<int32_t> index(static_cast<size_t>(left + repeats * frames_));
    for (size_t i = 0; i < index.size(); ++i) {
      index[i] = static_cast<int32_t>(std::max<int64_t>(0, static_cast<int64_t>(i) - left) / repeats);
    }
    return blocks_.MaskOf(g_.Gather(mask, g_.Integers({static_cast<int64_t>(index.size())}, index), 2));
  }

  Value Level(size_t level, Value x, Value har, Value style, const Mask& mask) {
    const std::string name = "decoder.generator.", index = std::to_string(level);
    const int64_t channels = kChannels[level], rate = kRates[level];
    Value source = level == 0 ? blocks_.Conv(name + "noise_convs.0", har, channels, 12, {.stride = 6, .padding = 3})
                              : blocks_.Conv(name + "noise_convs.1", har, channels, 1);
    source = blocks_.SnakeBlock(name + "noise_res." + index, source, style, mask, kNoiseTaps[level]);

    x = g_.LeakyRelu(x, 0.1f);
    x = g_.ConvTranspose(x, blocks_.Weight(name + "ups." + index + ".weight", {g_.shape(x)[1], channels, 2 * rate}),
                         blocks_.Weight(name + "ups." + index + ".bias", {channels}),
                         {.stride = rate, .padding = rate / 2});
    if (level == 1) x = g_.ReflectLeft(x);
    x = g_.Add(x, source);
    std::optional<Value> sum;
    for (size_t j = 0; j < 3; ++j) {
      const Value y = blocks_.SnakeBlock(name + "resblocks." + std::to_string(3 * level + j), x, style, mask, kTaps[j]);
      sum = sum ? g_.Add(*sum, y) : y;
    }
    return g_.Mul(*sum, g_.Scalar(blocks_.type(), 1.0f / 3.0f));
  }

  // Spectrum and inverse transform. A logarithm of a magnitude rounded to float16 is 0.4 % of the magnitude.
  Value Tail(Value x, const Mask& mask) {
    const Type type = spec_.float_tail ? Type::kF32 : blocks_.type();
    const std::string post = "decoder.generator.conv_post.";
    x = g_.Conv(g_.Cast(blocks_.Apply(mask, x), type),
                weights_.Tensor(&g_, post + "weight", type, {kSpectrum, g_.shape(x)[1], 7}),
                weights_.Tensor(&g_, post + "bias", type, {kSpectrum}), {.padding = 3});
    const auto [log_magnitude, argument] = g_.SplitHalves(x, 1);
    const Value magnitude = g_.Unary(Op::kExp, log_magnitude), phase = g_.Unary(Op::kSin, argument);
    const auto valid = [&](Value v) { return mask.values ? g_.Mul(v, g_.Cast(*mask.values, type)) : v; };
    const Value real = valid(g_.Mul(magnitude, g_.Unary(Op::kCos, phase)));
    const Value imaginary = valid(g_.Mul(magnitude, g_.Unary(Op::kSin, phase)));
    // A padding of half a window trims what torch.istft trims.
    const Graph::Convolution overlap{.stride = kHop, .padding = kFft / 2};
    const auto add_up = [&](const std::string& key, Value v, bool is_imaginary) {
      const Value basis = weights_.Derived(&g_, key, type, {kBins, 1, kFft}, [&] { return Basis(is_imaginary); });
      return g_.ConvTranspose(v, basis, std::nullopt, overlap);
    };
    const Value sum = g_.Sub(add_up("istft.real", real, false), add_up("istft.imaginary", imaginary, true));
    if (!mask.values) {
      const int64_t num_samples = g_.shape(sum)[2];
      const Value inverse = weights_.Derived(&g_, "istft.envelope." + std::to_string(num_samples), type,
                                             {1, 1, num_samples}, [&] { return InverseEnvelope(num_samples); });
      return g_.Mul(sum, inverse);
    }
    // The sum of squared windows ends where the real frames end. It is at least 1.25 under them and 0 beyond.
    const Value squared = weights_.Derived(&g_, "istft.window", type, {1, 1, kFft}, SquaredWindow);
    const Value envelope = g_.ConvTranspose(g_.Cast(*mask.values, type), squared, std::nullopt, overlap);
    return g_.Div(sum, g_.Maximum(envelope, g_.Scalar(type, 1)));
  }

  const StageSpec spec_;
  Graph& g_;
  WeightStore& weights_;
  Blocks blocks_;
  const int64_t frames_, spectra_;  // 80 and 4,800 a second
};

}  // namespace

void BuildGenerator(const StageSpec& spec, Graph* graph, WeightStore* weights) {
  GeneratorBuilder(spec, graph, weights).Build();
}

Result<Graph> BuildStage(const StageSpec& spec, WeightStore* weights) {
  Graph graph;
  switch (spec.stage) {
    case ExportStage::kDuration:
      BuildDuration(spec, &graph, weights);
      break;
    case ExportStage::kF0Ntrain:
      BuildF0Ntrain(spec, &graph, weights);
      break;
    case ExportStage::kDecoderPre:
      BuildDecoderPre(spec, &graph, weights);
      break;
    case ExportStage::kGenerator:
      BuildGenerator(spec, &graph, weights);
      break;
  }
  KOE_CHECK_OK(graph.Check());
  KOE_CHECK_OK(weights->Check());
  return graph;
}

}  // namespace koe::exporter
