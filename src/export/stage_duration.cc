// SPDX-License-Identifier: Apache-2.0
// Token ids -> frames per token and the two feature sets. The engine's own is src/stages/duration.
#include <vector>

#include "export/stage_builders.h"

namespace koe::exporter {
namespace {

constexpr int64_t kVocabulary = 178, kEmbedding = 128, kHidden = 768, kHeads = 12, kHeadSize = kHidden / kHeads;
constexpr int64_t kFeedForward = 2048, kText = 512, kStyle = 128, kMaxFramesPerToken = 50;
constexpr float kAlbertEpsilon = 1e-12f, kEpsilon = 1e-5f;
constexpr float kMaskedScore = -1e4f;  // its exponential is 0 in float16 and float32

class DurationBuilder {
 public:
  DurationBuilder(const StageSpec& spec, Graph* graph, WeightStore* weights)
      : g_(*graph), weights_(*weights), blocks_(graph, weights, spec.half ? Type::kF16 : Type::kF32), t_(spec.length) {}

  void Build() {
    const Value ids = g_.Input("input_ids", Type::kI32, {1, t_});
    const Value ref_s = g_.Input("ref_s", Type::kF32, {1, 2 * kStyle});
    const Value speed = g_.Input("speed", Type::kF32, {1});
    const Value mask = g_.Input("attention_mask", Type::kI32, {1, t_});
    const Value float_mask = g_.Cast(mask, blocks_.type());
    const Value rows = g_.ExpandDims(float_mask, 2);  // [1][T][1]

    const Value style = g_.Slice(ref_s, 1, kStyle, 2 * kStyle);
    const Value d = DurationEncoder(Albert(ids, float_mask), g_.Cast(style, blocks_.type()), mask, rows);
    const Value hidden = blocks_.BiLstm("predictor.lstm", d, mask, kText / 2);
    const Value logits = blocks_.Linear("predictor.duration_proj.linear_layer", hidden, kText, kMaxFramesPerToken);
    // In float32 whatever the program's precision: a sum that rounds the other way is a frame more or less.
    const Value sigmoid = g_.Unary(Op::kSigmoid, g_.Cast(logits, Type::kF32));
    const Value frames = g_.Div(g_.Squeeze(g_.ReduceSum(sigmoid, 2), 2), speed);
    const Value rounded = g_.Maximum(g_.Unary(Op::kRound, frames), g_.Scalar(Type::kF32, 1));

    g_.Output("pred_dur", g_.Mul(g_.Cast(rounded, Type::kI32), mask));
    g_.Output("d", g_.Cast(d, Type::kF32));
    g_.Output("t_en", g_.Cast(TextEncoder(ids, mask, g_.ExpandDims(float_mask, 1)), Type::kF32));
    g_.Output("s", style);
    g_.Output("ref_s_out", ref_s);
  }

 private:
  // In float32 whatever the program's precision: real activations have sums of squares beyond float16.
  Value Norm(Value x, const std::string& gamma, const std::string& beta, float epsilon) {
    const int64_t size = g_.shape(x).back();
    const Value normal = g_.LayerNorm(g_.Cast(x, Type::kF32), weights_.Tensor(&g_, gamma, Type::kF32, {size}),
                                      weights_.Tensor(&g_, beta, Type::kF32, {size}), epsilon);
    return g_.Cast(normal, blocks_.type());
  }
  Value AlbertNorm(const std::string& name, Value x) {
    return Norm(x, name + ".weight", name + ".bias", kAlbertEpsilon);
  }

  Value Albert(Value ids, Value float_mask) {
    const Type type = blocks_.type();
    const std::string e = "bert.embeddings.";
    // Every token is of type 0: its row is added to the words once and for all.
    const Value words = weights_.Derived(&g_, e + "words", type, {kVocabulary, kEmbedding}, [&] {
      std::vector<float> table = weights_.Floats(e + "word_embeddings.weight", kVocabulary * kEmbedding);
      const std::vector<float> types = weights_.Floats(e + "token_type_embeddings.weight", 2 * kEmbedding);
      for (size_t i = 0; i < table.size(); ++i) table[i] += types[i % kEmbedding];
      return table;
    });
    const Value positions =
        weights_.Derived(&g_, e + "positions." + std::to_string(t_), type, {1, t_, kEmbedding}, [&] {
          std::vector<float> table = weights_.Floats(e + "position_embeddings.weight", 512 * kEmbedding);
          table.resize(static_cast<size_t>(t_ * kEmbedding));
          return table;
        });
    Value x = AlbertNorm(e + "LayerNorm", g_.Add(g_.Gather(words, ids, 0), positions));
    x = blocks_.Linear("bert.encoder.embedding_hidden_mapping_in", x, kEmbedding, kHidden);

    // 0 for real tokens, very low for padding; [1][1][1][T], added to every score.
    const Value padding = g_.Sub(g_.Scalar(type, 1), g_.ExpandDims(g_.ExpandDims(float_mask, 1), 1));
    const Value bias = g_.Mul(padding, g_.Scalar(type, kMaskedScore));
    const std::string layer = "bert.encoder.albert_layer_groups.0.albert_layers.0.";
    const auto heads = [&](const std::string& part, Value v) {
      const Value y = blocks_.Linear(layer + "attention." + part, v, kHidden, kHidden);
      return g_.Transpose(g_.Reshape(y, {1, t_, kHeads, kHeadSize}), {0, 2, 1, 3});
    };
    for (int i = 0; i < 12; ++i) {
      const Value scores = g_.MatMul(heads("query", x), heads("key", x), true);
      const Value weights = g_.Softmax(g_.Add(g_.Mul(scores, g_.Scalar(type, 0.125f)), bias), 3);
      const Value context = g_.Transpose(g_.MatMul(weights, heads("value", x), false), {0, 2, 1, 3});
      const Value attended =
          blocks_.Linear(layer + "attention.dense", g_.Reshape(context, {1, t_, kHidden}), kHidden, kHidden);
      x = AlbertNorm(layer + "attention.LayerNorm", g_.Add(attended, x));
      const Value wide = g_.Unary(Op::kGelu, blocks_.Linear(layer + "ffn", x, kHidden, kFeedForward));
      const Value narrow = blocks_.Linear(layer + "ffn_output", wide, kFeedForward, kHidden);
      x = AlbertNorm(layer + "full_layer_layer_norm", g_.Add(narrow, x));
    }
    return blocks_.Linear("bert_encoder", x, kHidden, kText);
  }

  // modules.py DurationEncoder: three LSTMs over features and style, each followed by an adaptive layer norm.
  Value DurationEncoder(Value x, Value style, Value mask, Value rows) {
    const Value styles = g_.Tile(g_.ExpandDims(style, 1), {1, t_, 1});
    x = g_.Mul(g_.Concat({x, styles}, 2), rows);
    for (int i = 0; i < 3; ++i) {
      const std::string name = "predictor.text_encoder.lstms.";
      const Value hidden = blocks_.BiLstm(name + std::to_string(2 * i), x, mask, kText / 2);
      const Value projected =
          blocks_.Linear(name + std::to_string(2 * i + 1) + ".fc", g_.ExpandDims(style, 1), kStyle, 2 * kText);
      const auto [gamma, beta] = g_.SplitHalves(projected, 2);
      const Value normal =
          g_.Cast(g_.LayerNorm(g_.Cast(hidden, Type::kF32), std::nullopt, std::nullopt, kEpsilon), blocks_.type());
      const Value scaled = g_.Add(g_.Mul(normal, g_.Add(gamma, g_.Scalar(blocks_.type(), 1))), beta);
      x = g_.Mul(g_.Concat({scaled, styles}, 2), rows);
    }
    return x;
  }

  Value TextEncoder(Value ids, Value mask, Value columns) {
    const Value table = blocks_.Weight("text_encoder.embedding.weight", {kVocabulary, kText});
    Value x = g_.Mul(g_.Transpose(g_.Gather(table, ids, 0), {0, 2, 1}), columns);
    for (int i = 0; i < 3; ++i) {
      const std::string name = "text_encoder.cnn." + std::to_string(i);
      const Value rows = g_.Transpose(blocks_.Conv(name + ".0", x, kText, 5, {.padding = 2}), {0, 2, 1});
      const Value normal = Norm(rows, name + ".1.gamma", name + ".1.beta", kEpsilon);
      x = g_.Mul(g_.LeakyRelu(g_.Transpose(normal, {0, 2, 1}), 0.2f), columns);
    }
    return g_.Transpose(blocks_.BiLstm("text_encoder.lstm", g_.Transpose(x, {0, 2, 1}), mask, kText / 2), {0, 2, 1});
  }

  Graph& g_;
  WeightStore& weights_;
  Blocks blocks_;
  const int64_t t_;
};

}  // namespace

void BuildDuration(const StageSpec& spec, Graph* graph, WeightStore* weights) {
  DurationBuilder(spec, graph, weights).Build();
}

}  // namespace koe::exporter
