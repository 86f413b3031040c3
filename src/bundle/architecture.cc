// SPDX-License-Identifier: Apache-2.0
// Source of names and shapes: the official checkpoint's modules (StyleTTS 2 / Kokoro `model.py`, `modules.py`,
// `istftnet.py`); of the places: the ONNX release's graph.
#include "bundle/architecture.h"

namespace koe::bundle {
namespace {

using Kind = OnnxSource::Kind;
using Shape = std::vector<size_t>;

// kokoro's config.json without the training-only keys, and the constants that follow from it.
constexpr char kConfig[] = R"({
  "sample_rate_hz": 24000, "n_token": 178, "hidden_dim": 512, "style_dim": 128, "n_layer": 3, "max_dur": 50,
  "dim_in": 64, "text_encoder_kernel_size": 5,
  "plbert": {"hidden_size": 768, "embedding_size": 128, "num_attention_heads": 12, "intermediate_size": 2048,
             "max_position_embeddings": 512, "num_hidden_layers": 12},
  "istftnet": {"upsample_rates": [10, 6], "upsample_kernel_sizes": [20, 12], "upsample_initial_channel": 512,
               "gen_istft_n_fft": 20, "gen_istft_hop_size": 5, "resblock_kernel_sizes": [3, 7, 11],
               "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]]}
})";

// Lists tensors in the order of the flow, each with its place in the graph.
class Table {
 public:
  explicit Table(Architecture* architecture) : a_(*architecture) {}

  void Add(const std::string& name, Shape shape, Kind kind, const std::string& place, size_t direction = 0) {
    a_.tensors.push_back({name, std::move(shape)});
    a_.onnx.push_back({kind, place, direction});
  }
  void Named(const std::string& name, Shape shape, const std::string& place) {
    Add(name, std::move(shape), Kind::kInitializer, place);
  }
  void Linear(const std::string& name, size_t out, size_t in, const std::string& node, const std::string& bias) {
    Add(name + ".weight", {out, in}, Kind::kLinearWeight, node);
    Named(name + ".bias", {out}, bias + ".bias");
  }
  void Norm(const std::string& name, size_t channels, const std::string& place) {
    Named(name + ".weight", {channels}, place + ".weight");
    Named(name + ".bias", {channels}, place + ".bias");
  }
  void Conv(const std::string& name, Shape shape, const std::string& node, const std::string& bias) {
    const size_t out = shape[0];
    Add(name + ".weight", std::move(shape), Kind::kNodeWeight, node);
    if (!bias.empty()) Named(name + ".bias", {out}, bias + ".bias");
  }
  // shape [in][out / groups][taps]
  void TransposedConv(const std::string& name, Shape shape, size_t out, const std::string& node,
                      const std::string& bias) {
    Add(name + ".weight", std::move(shape), Kind::kNodeWeight, node);
    Named(name + ".bias", {out}, bias + ".bias");
  }
  void Lstm(const std::string& name, size_t in, const std::string& node) {
    constexpr size_t kHidden = 256;
    for (size_t direction = 0; direction < 2; ++direction) {
      const std::string suffix = direction == 0 ? "" : "_reverse";
      Add(name + ".weight_ih_l0" + suffix, {4 * kHidden, in}, Kind::kLstmInputWeight, node, direction);
      Add(name + ".weight_hh_l0" + suffix, {4 * kHidden, kHidden}, Kind::kLstmRecurrentWeight, node, direction);
      Add(name + ".bias_ih_l0" + suffix, {4 * kHidden}, Kind::kLstmInputBias, node, direction);
      Add(name + ".bias_hh_l0" + suffix, {4 * kHidden}, Kind::kLstmRecurrentBias, node, direction);
    }
  }
  // A style's scale and shift for `channels`: Linear(128, 2 channels).
  void StyleNorm(const std::string& name, size_t channels, const std::string& path, const std::string& initializer) {
    Linear(name + ".fc", 2 * channels, 128, path + "/fc/Gemm", initializer + ".fc");
  }
  // AdainResBlk1d. name: ours; path: of the nodes; initializer: of the named initialisers.
  void ResidualBlock(const std::string& name, size_t in, size_t out, bool upsample, const std::string& path,
                     const std::string& initializer) {
    if (upsample) {
      TransposedConv(name + ".pool", {in, 1, 3}, in, path + "/pool/ConvTranspose", initializer + ".pool");
    }
    Conv(name + ".conv1", {out, in, 3}, path + "/conv1/Conv", initializer + ".conv1");
    Conv(name + ".conv2", {out, out, 3}, path + "/conv2/Conv", initializer + ".conv2");
    if (in != out) Conv(name + ".conv1x1", {out, in, 1}, path + "/conv1x1/Conv", "");
    StyleNorm(name + ".norm1", in, path + "/norm1", initializer + ".norm1");
    StyleNorm(name + ".norm2", out, path + "/norm2", initializer + ".norm2");
  }
  // AdaINResBlock1 of the generator.
  void SnakeBlock(const std::string& block, size_t channels, size_t taps) {
    const std::string name = "decoder.generator." + block;
    const std::string path = "/decoder/decoder/generator/" + block;
    const std::string initializer = "decoder.decoder.generator." + block;
    for (const char* j : {"0", "1", "2"}) {
      for (const char* c : {"1", "2"}) {
        const std::string conv = std::string(".convs") + c + "." + j;
        const std::string alpha = std::string(".alpha") + c + "." + j;
        const std::string adain = std::string("adain") + c + "." + j;
        Conv(name + conv, {channels, channels, taps}, path + "/convs" + c + "." + j + "/Conv", initializer + conv);
        Named(name + alpha, {1, channels, 1}, initializer + alpha);
        StyleNorm(name + "." + adain, channels, path + "/" + adain, initializer + "." + adain);
      }
    }
  }

 private:
  Architecture& a_;
};

void AddAlbert(Table* t) {
  const std::string embeddings = "bert.embeddings.", source = "encoder.bert.embeddings.";
  t->Named(embeddings + "word_embeddings.weight", {178, 128}, source + "word_embeddings.weight");
  t->Named(embeddings + "position_embeddings.weight", {512, 128}, source + "position_embeddings.weight");
  t->Named(embeddings + "token_type_embeddings.weight", {2, 128}, source + "token_type_embeddings.weight");
  t->Norm(embeddings + "LayerNorm", 128, source + "LayerNorm");
  t->Linear("bert.encoder.embedding_hidden_mapping_in", 768, 128,
            "/encoder/bert/encoder/embedding_hidden_mapping_in/MatMul",
            "encoder.bert.encoder.embedding_hidden_mapping_in");
  // One layer, used twelve times: the graph's first use has the plain names.
  const std::string layer = "bert.encoder.albert_layer_groups.0.albert_layers.0.";
  const std::string path = "/encoder/bert/encoder/albert_layer_groups.0/albert_layers.0/";
  for (const char* part : {"query", "key", "value", "dense"}) {
    t->Linear(layer + "attention." + part, 768, 768, path + "attention/" + part + "/MatMul",
              "encoder." + layer + "attention." + part);
  }
  t->Norm(layer + "attention.LayerNorm", 768, "encoder." + layer + "attention.LayerNorm");
  t->Linear(layer + "ffn", 2048, 768, path + "ffn/MatMul", "encoder." + layer + "ffn");
  t->Linear(layer + "ffn_output", 768, 2048, path + "ffn_output/MatMul", "encoder." + layer + "ffn_output");
  t->Norm(layer + "full_layer_layer_norm", 768, "encoder." + layer + "full_layer_layer_norm");
  t->Linear("bert_encoder", 512, 768, "/encoder/bert_encoder/MatMul", "encoder.bert_encoder");
}

void AddPredictor(Table* t) {
  for (const char* i : {"0", "2", "4"}) {
    t->Lstm(std::string("predictor.text_encoder.lstms.") + i, 640,
            std::string("/encoder/predictor/text_encoder/lstms.") + i + "/LSTM");
    const std::string norm(1, static_cast<char>(*i + 1));
    t->StyleNorm("predictor.text_encoder.lstms." + norm, 512, "/encoder/predictor/text_encoder/lstms." + norm,
                 "encoder.predictor.text_encoder.lstms." + norm);
  }
  t->Lstm("predictor.lstm", 640, "/encoder/predictor/lstm/LSTM");
  t->Linear("predictor.duration_proj.linear_layer", 50, 512, "/encoder/predictor/duration_proj/linear_layer/MatMul",
            "encoder.predictor.duration_proj.linear_layer");
  t->Lstm("predictor.shared", 640, "/encoder/shared/LSTM");
  for (const std::string branch : {"F0", "N"}) {
    const size_t channels[] = {512, 512, 256, 256};
    for (size_t i = 0; i < 3; ++i) {
      const std::string block = branch + "." + std::to_string(i);
      t->ResidualBlock("predictor." + block, channels[i], channels[i + 1], i == 1, "/encoder/" + block,
                       "encoder.predictor." + block);
    }
    t->Conv("predictor." + branch + "_proj", {1, 256, 1}, "/encoder/" + branch + "_proj/Conv",
            "encoder.predictor." + branch + "_proj");
  }
}

void AddTextEncoder(Table* t) {
  t->Named("text_encoder.embedding.weight", {178, 512}, "encoder.text_encoder.embedding.weight");
  for (const std::string i : {"0", "1", "2"}) {
    const std::string name = "text_encoder.cnn." + i;
    t->Conv(name + ".0", {512, 512, 5}, "/encoder/text_encoder/cnn." + i + "/cnn." + i + ".0/Conv",
            "encoder." + name + ".0");
    t->Named(name + ".1.gamma", {512}, "encoder." + name + ".1.gamma");
    t->Named(name + ".1.beta", {512}, "encoder." + name + ".1.beta");
  }
  t->Lstm("text_encoder.lstm", 512, "/encoder/text_encoder/lstm/LSTM");
}

void AddDecoder(Table* t) {
  const std::string path = "/decoder/decoder/", source = "decoder.decoder.";
  t->Conv("decoder.F0_conv", {1, 1, 3}, path + "F0_conv/Conv", source + "F0_conv");
  t->Conv("decoder.N_conv", {1, 1, 3}, path + "N_conv/Conv", source + "N_conv");
  t->Conv("decoder.asr_res.0", {64, 512, 1}, path + "asr_res/asr_res.0/Conv", source + "asr_res.0");
  t->ResidualBlock("decoder.encode", 514, 1024, false, path + "encode", source + "encode");
  for (size_t i = 0; i < 4; ++i) {
    const std::string block = "decode." + std::to_string(i);
    t->ResidualBlock("decoder." + block, 1090, i == 3 ? 512 : 1024, i == 3, path + block, source + block);
  }
}

void AddGenerator(Table* t) {
  const std::string name = "decoder.generator.", path = "/decoder/decoder/generator/";
  const std::string source = "decoder.decoder.generator.";
  t->Linear(name + "m_source.l_linear", 1, 9, path + "m_source/l_linear/MatMul", source + "m_source.l_linear");
  t->Conv(name + "noise_convs.0", {256, 22, 12}, path + "noise_convs.0/Conv", source + "noise_convs.0");
  t->SnakeBlock("noise_res.0", 256, 7);
  t->Conv(name + "noise_convs.1", {128, 22, 1}, path + "noise_convs.1/Conv", source + "noise_convs.1");
  t->SnakeBlock("noise_res.1", 128, 11);
  const size_t taps[] = {3, 7, 11};
  t->TransposedConv(name + "ups.0", {512, 256, 20}, 256, path + "ups.0/ConvTranspose", source + "ups.0");
  for (size_t i = 0; i < 3; ++i) t->SnakeBlock("resblocks." + std::to_string(i), 256, taps[i]);
  t->TransposedConv(name + "ups.1", {256, 128, 12}, 128, path + "ups.1/ConvTranspose", source + "ups.1");
  for (size_t i = 0; i < 3; ++i) t->SnakeBlock("resblocks." + std::to_string(i + 3), 128, taps[i]);
  t->Conv(name + "conv_post", {22, 128, 7}, path + "conv_post/Conv", source + "conv_post");
}

}  // namespace

const Architecture& KokoroArchitecture() {
  static const Architecture* architecture = [] {
    auto* a = new Architecture;
    a->name = "kokoro-82m";
    a->voice_rows = 510;
    a->voice_cols = 256;
    a->vocab_rows = 178;
    if (auto config = ParseJson(kConfig, {4, 256}, "config")) a->config = std::move(*config);
    Table table(a);
    AddAlbert(&table);
    AddTextEncoder(&table);
    AddPredictor(&table);
    AddDecoder(&table);
    AddGenerator(&table);
    return a;
  }();
  return *architecture;
}

const std::vector<TensorSpec>& KokoroTensorTable() { return KokoroArchitecture().tensors; }

}  // namespace koe::bundle
