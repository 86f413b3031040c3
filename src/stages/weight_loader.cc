// SPDX-License-Identifier: Apache-2.0
#include "stages/weight_loader.h"

namespace koe::stages {

nn::WeightView WeightLoader::View(const std::string& name, size_t size) {
  const bundle::StoredTensor* tensor = weights_.Find(name);
  if (tensor == nullptr || tensor->num_elements() != size) {
    if (error_.empty()) error_ = name + (tensor == nullptr ? ": not in the tensor table" : ": unexpected size");
    return zeros_.emplace_back(size);
  }
  nn::WeightView view;
  view.data = tensor->data;
  view.size = size;
  view.scales = tensor->scales;
  view.zero_points = tensor->zero_points;
  switch (tensor->dtype) {
    case bundle::DType::kF32:
      view.type = nn::WeightView::Type::kF32;
      break;
    case bundle::DType::kF16:
      view.type = nn::WeightView::Type::kF16;
      break;
    case bundle::DType::kI8:
      view.type = nn::WeightView::Type::kI8;
      break;
    case bundle::DType::kU8:
      view.type = nn::WeightView::Type::kU8;
      break;
  }
  return view;
}

std::vector<float> WeightLoader::Floats(const std::string& name, size_t size) {
  std::vector<float> values(size);
  View(name, size).ToFloats(kernels_, values.data());
  return values;
}

nn::Linear WeightLoader::Linear(const std::string& name, size_t in, size_t out) {
  if (IsCancelled()) return {};
  return Counted(
      nn::Linear(kernels_, View(name + ".weight", in * out), Floats(name + ".bias", out), in, out, Storage()));
}

nn::Conv1d WeightLoader::Conv1d(const std::string& name, const nn::ConvShape& shape, bool has_bias) {
  if (IsCancelled()) return {};
  const kernels::ConvPlan plan = shape.stride == 1 ? kernels::ChooseConvPlan(kernels_.target, options_.convolutions,
                                                                             shape.taps, shape.in, shape.out)
                                                   : kernels::ConvPlan();
  return Counted(nn::Conv1d(kernels_, View(name + ".weight", shape.in * shape.out * shape.taps),
                            has_bias ? Floats(name + ".bias", shape.out) : std::vector<float>(), shape, plan,
                            options_.pool));
}

nn::ConvTranspose1d WeightLoader::ConvTranspose1d(const std::string& name, size_t in, size_t out, size_t stride) {
  if (IsCancelled()) return {};
  return Counted(nn::ConvTranspose1d(
      kernels_, Floats(name + ".weight", in * out * 2 * stride), Floats(name + ".bias", out), in, out, stride,
      kernels::ChooseConvPlan(kernels_.target, options_.convolutions, 2, in, stride * out)));
}

nn::BiLstm WeightLoader::BiLstm(const std::string& name, size_t in, size_t hidden) {
  if (IsCancelled()) return {};
  nn::WeightView weights[2][2];
  std::vector<float> biases[2][2];
  for (size_t d = 0; d < 2; ++d) {
    const std::string suffix = d == 0 ? "_l0" : "_l0_reverse";
    weights[d][0] = View(name + ".weight_ih" + suffix, 4 * hidden * in);
    weights[d][1] = View(name + ".weight_hh" + suffix, 4 * hidden * hidden);
    biases[d][0] = Floats(name + ".bias_ih" + suffix, 4 * hidden);
    biases[d][1] = Floats(name + ".bias_hh" + suffix, 4 * hidden);
  }
  const auto direction = [&](size_t d) {
    return nn::LstmDirectionWeights{weights[d][0], weights[d][1], biases[d][0], biases[d][1]};
  };
  return Counted(nn::BiLstm(kernels_, direction(0), direction(1), in, hidden, Storage()));
}

nn::AdaIn WeightLoader::AdaIn(const std::string& name, size_t channels) {
  return nn::AdaIn(Linear(name + ".fc", kStyleSize, 2 * channels));
}

nn::AdainResidualBlock WeightLoader::AdainResidualBlock(const std::string& name, size_t in, size_t out, bool upsample) {
  nn::AdainResidualBlock::Parts parts;
  parts.norm1 = AdaIn(name + ".norm1", in);
  parts.norm2 = AdaIn(name + ".norm2", out);
  parts.conv1 = Conv1d(name + ".conv1", {.in = in, .out = out, .taps = 3, .padding = 1});
  parts.conv2 = Conv1d(name + ".conv2", {.in = out, .out = out, .taps = 3, .padding = 1});
  if (in != out) parts.shortcut = Conv1d(name + ".conv1x1", {.in = in, .out = out}, false);
  if (upsample) {
    // [channels][1][3] -> [3][channels]
    const std::vector<float> weight = Floats(name + ".pool.weight", in * 3);
    parts.pool_weight.resize(in * 3);
    for (size_t c = 0; c < in; ++c) {
      for (size_t k = 0; k < 3; ++k) parts.pool_weight[k * in + c] = weight[c * 3 + k];
    }
    parts.pool_bias = Floats(name + ".pool.bias", in);
  }
  return nn::AdainResidualBlock(std::move(parts));
}

nn::SnakeResidualBlock WeightLoader::SnakeResidualBlock(const std::string& name, size_t channels, size_t taps) {
  constexpr size_t kDilations[3] = {1, 3, 5};
  std::array<nn::SnakeResidualBlock::Layer, 3> layers;
  for (size_t j = 0; j < 3; ++j) {
    const std::string index = "." + std::to_string(j);
    const auto conv = [&](const std::string& part, size_t dilation) {
      return Conv1d(
          name + part + index,
          {.in = channels, .out = channels, .taps = taps, .dilation = dilation, .padding = dilation * (taps - 1) / 2});
    };
    layers[j].norm1 = AdaIn(name + ".adain1" + index, channels);
    layers[j].norm2 = AdaIn(name + ".adain2" + index, channels);
    layers[j].alpha1 = Floats(name + ".alpha1" + index, channels);
    layers[j].alpha2 = Floats(name + ".alpha2" + index, channels);
    layers[j].conv1 = conv(".convs1", kDilations[j]);
    layers[j].conv2 = conv(".convs2", 1);
  }
  return nn::SnakeResidualBlock(std::move(layers));
}

}  // namespace koe::stages
