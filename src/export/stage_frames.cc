// SPDX-License-Identifier: Apache-2.0
// The two stages at 40 and 80 frames a second: pitch and energy, and the decoder without its generator. The engine's
// own are src/stages/prosody and src/stages/decoder.
#include "export/stage_builders.h"

namespace koe::exporter {
namespace {

constexpr int64_t kText = 512, kFeatures = 640, kStyle = 128, kWide = 1024;

// The mask of the input frames and of the doubled frames.
struct FrameMasks {
  Mask frames, doubled;
};

FrameMasks Masks(const StageSpec& spec, Graph* g, Blocks* blocks, std::optional<Value>* input) {
  if (spec.card) return {};
  *input = g->Input("mask", Type::kF32, {1, 1, spec.length}, 1.0f);
  const Value mask = g->Cast(**input, blocks->type());
  return {blocks->MaskOf(mask), blocks->MaskOf(g->Upsample2(mask))};
}

}  // namespace

void BuildF0Ntrain(const StageSpec& spec, Graph* graph, WeightStore* weights) {
  Graph& g = *graph;
  Blocks blocks(graph, weights, spec.half ? Type::kF16 : Type::kF32);
  const Value en = g.Input("en", Type::kF32, {1, kFeatures, spec.length});
  const Value s = g.Cast(g.Input("s", Type::kF32, {1, kStyle}), blocks.type());
  std::optional<Value> mask_input, steps;
  const FrameMasks masks = Masks(spec, graph, &blocks, &mask_input);
  if (mask_input) steps = g.Squeeze(g.Cast(*mask_input, Type::kI32), 1);

  const Value features = g.Transpose(en, {0, 2, 1});
  const Value shared = g.Transpose(blocks.BiLstm("predictor.shared", features, steps, kText / 2), {0, 2, 1});
  for (const std::string branch : {"F0", "N"}) {
    const std::string name = "predictor." + branch;
    Value x = blocks.ResidualBlock(name + ".0", shared, s, masks.frames, masks.frames, kText, false);
    x = blocks.ResidualBlock(name + ".1", x, s, masks.frames, masks.doubled, kText / 2, true);
    x = blocks.ResidualBlock(name + ".2", x, s, masks.doubled, masks.doubled, kText / 2, false);
    const Value curve = blocks.Apply(masks.doubled, blocks.Conv(name + "_proj", x, 1, 1));
    g.Output(branch + "_pred", g.Cast(g.Squeeze(curve, 1), Type::kF32));
  }
}

void BuildDecoderPre(const StageSpec& spec, Graph* graph, WeightStore* weights) {
  Graph& g = *graph;
  Blocks blocks(graph, weights, spec.half ? Type::kF16 : Type::kF32);
  const Type type = blocks.type();
  const Value text = g.Cast(g.Input("asr", Type::kF32, {1, kText, spec.length}), type);
  const Value f0 = g.Cast(g.Input("f0", Type::kF32, {1, 1, 2 * spec.length}), type);
  const Value energy = g.Cast(g.Input("n_input", Type::kF32, {1, 1, 2 * spec.length}), type);
  const Value ref_s = g.Input("ref_s", Type::kF32, {1, 2 * kStyle});
  const Value style = g.Cast(g.Slice(ref_s, 1, 0, kStyle), type);
  std::optional<Value> mask_input;
  const FrameMasks masks = Masks(spec, graph, &blocks, &mask_input);

  const Graph::Convolution halving{.stride = 2, .padding = 1};
  const Value pitch = blocks.Conv("decoder.F0_conv", f0, 1, 3, halving);
  const Value loudness = blocks.Conv("decoder.N_conv", energy, 1, 3, halving);
  const Value residual = blocks.Conv("decoder.asr_res.0", text, 64, 1);
  Value x = blocks.ResidualBlock("decoder.encode", g.Concat({text, pitch, loudness}, 1), style, masks.frames,
                                 masks.frames, kWide, false);
  for (int i = 0; i < 4; ++i) {
    const bool is_last = i == 3;
    x = blocks.ResidualBlock("decoder.decode." + std::to_string(i), g.Concat({x, residual, pitch, loudness}, 1), style,
                             masks.frames, is_last ? masks.doubled : masks.frames, is_last ? kText : kWide, is_last);
  }
  g.Output("x_pre", g.Cast(blocks.Apply(masks.doubled, x), Type::kF32));
}

}  // namespace koe::exporter
