// SPDX-License-Identifier: Apache-2.0
// What the stages are made of. Activations are [1][channels][time] in the program's precision unless said otherwise.
#ifndef KOE_EXPORT_BLOCKS_H_
#define KOE_EXPORT_BLOCKS_H_

#include <optional>
#include <string>

#include "export/graph.h"
#include "export/weight_store.h"

namespace koe::exporter {

// Which frames of a padded sequence are real. Without a mask all are.
struct Mask {
  std::optional<Value> values;  // [1][1][time], 1 or 0
  std::optional<Value> fill;    // [1][1][1]: the share of ones
};

// How a style becomes scale and shift: the published prosody and decoder have linear layers, the generator has 1x1
// convolutions.
enum class StyleForm { kLinear, kConv };

class Blocks {
 public:
  Blocks(Graph* graph, WeightStore* weights, Type type) : g_(*graph), weights_(*weights), type_(type) {}

  Type type() const { return type_; }
  Value Weight(const std::string& name, Shape shape) { return weights_.Tensor(&g_, name, type_, std::move(shape)); }
  // `values` [1][1][time], computed or an input.
  Mask MaskOf(Value values);
  Value Apply(const Mask& mask, Value x) { return mask.values ? g_.Mul(x, *mask.values) : x; }

  // [..][in] -> [..][out]; names as in the checkpoint, without ".weight".
  Value Linear(const std::string& name, Value x, int64_t in, int64_t out);
  Value Conv(const std::string& name, Value x, int64_t out, int64_t taps, Graph::Convolution options = {},
             bool has_bias = true);
  // Instance norm over the real frames, scaled and shifted by the style, zero elsewhere. style: [1][128] for kLinear,
  // [1][128][1] for kConv.
  Value AdaIn(const std::string& name, Value x, Value style, StyleForm form, const Mask& mask);
  // AdainResBlk1d; out_mask is the mask of the block's output, which has twice the frames where it upsamples.
  Value ResidualBlock(const std::string& name, Value x, Value style, const Mask& mask, const Mask& out_mask,
                      int64_t out, bool upsamples);
  // AdaINResBlock1 of the generator.
  Value SnakeBlock(const std::string& name, Value x, Value style, const Mask& mask, int64_t taps);

  // Both directions of an LSTM over the real steps, in float32 as older Core ML demands. x [1][T][in], step_mask
  // [1][T] int32 -> [1][T][2 hidden], zero at the padded steps.
  Value BiLstm(const std::string& name, Value x, std::optional<Value> step_mask, int64_t hidden);

 private:
  Value Snake(const std::string& alpha, Value x);
  Value Lstm(const std::string& name, const std::string& suffix, Value x, int64_t hidden);

  Graph& g_;
  WeightStore& weights_;
  const Type type_;
};

}  // namespace koe::exporter

#endif  // KOE_EXPORT_BLOCKS_H_
