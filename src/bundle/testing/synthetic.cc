// SPDX-License-Identifier: Apache-2.0
#include "bundle/testing/synthetic.h"

#include <cmath>

#include "bundle/byte_reader.h"
#include "bundle/testing/file_builders.h"

namespace koe::bundle::testing {
namespace {

using Kind = OnnxSource::Kind;

// How the int8 form quantises tensor i: all are (q - zero) / 64 with q in the type's range.
constexpr float kScale = 1.0f / 64;
constexpr int kConvZero = 70;

size_t Elements(const TensorSpec& spec) { return *CheckedElements(spec.shape); }

int GateOf(size_t row, size_t rows) {  // PyTorch's row of i,f,g,o -> ONNX's block of i,o,f,c
  constexpr int kOnnxBlock[4] = {0, 2, 3, 1};
  return kOnnxBlock[row / (rows / 4)];
}

size_t OnnxRow(size_t row, size_t rows) {
  const size_t block = rows / 4;
  return static_cast<size_t>(GateOf(row, rows)) * block + row % block;
}

class OnnxWriter {
 public:
  explicit OnnxWriter(OnnxForm form) : form_(form) {}

  std::string Write() {
    const Architecture& a = TinyArchitecture();
    for (size_t i = 0; i < a.tensors.size(); ++i) Add(a.tensors[i], a.onnx[i], TinyValues()[i]);
    return OnnxModelBytes(nodes_, tensors_);
  }

 private:
  bool int8() const { return form_ == OnnxForm::kInt8; }

  void Floats(const std::string& name, const std::vector<size_t>& shape, const std::vector<float>& values) {
    if (form_ != OnnxForm::kFp16) {
      tensors_.push_back(OnnxTensorBytes(name, 1, shape, RawLe(values)));
      return;
    }
    std::vector<uint16_t> halves;
    for (const float v : values) halves.push_back(ExactHalf(v));
    tensors_.push_back(OnnxTensorBytes(name, 10, shape, RawLe(halves)));
  }
  void Integers(const std::string& name, int type, const std::vector<size_t>& shape, const std::vector<float>& values,
                int zero) {
    std::string raw;
    for (const float v : values) raw.push_back(static_cast<char>(static_cast<int>(std::lround(v / kScale)) + zero));
    tensors_.push_back(OnnxTensorBytes(name, type, shape, raw));
  }
  // As onnxruntime's quantiser leaves them: in the typed fields.
  void Scale(const std::string& name, const std::vector<size_t>& shape, size_t count) {
    const std::string raw = RawLe(std::vector<float>(count, kScale));
    Proto proto;
    for (const size_t d : shape) proto.Varint(1, d);
    tensors_.push_back(proto.Varint(2, 1).Text(4, raw).Text(8, name).bytes());
  }
  void Zero(const std::string& name, int type, const std::vector<size_t>& shape, size_t count, int zero) {
    Proto proto;
    std::string values(count, static_cast<char>(zero));  // each below 128: one byte
    for (const size_t d : shape) proto.Varint(1, d);
    tensors_.push_back(proto.Varint(2, static_cast<uint64_t>(type)).Text(5, values).Text(8, name).bytes());
  }
  void Node(const std::string& op, const std::string& name, const std::vector<std::string>& inputs) {
    nodes_.push_back(OnnxNodeBytes(op, name, inputs, {name + "_output"}));
  }

  void Add(const TensorSpec& spec, const OnnxSource& source, const std::vector<float>& values) {
    const std::string& place = source.name;
    const size_t rows = spec.shape[0];
    switch (source.kind) {
      case Kind::kInitializer:
        if (int8() && spec.name == "emb.weight") {
          Integers(place + "_quantized", 3, spec.shape, values, 0);
          Scale(place + "_scale", {}, 1);
          Zero(place + "_zero_point", 3, {}, 1, 0);
          Node("Gather", "/emb/Gather_quant", {place + "_quantized", "tokens"});
          Node("DequantizeLinear", "/emb/Dequantize",
               {"/emb/Gather_quant_output", place + "_scale", place + "_zero_point"});
        } else {
          Floats(place, spec.shape, values);
        }
        return;
      case Kind::kNodeWeight: {
        const bool transposed_conv = spec.name == "up.weight";
        if (int8() && !transposed_conv) {
          Integers(spec.name + "_quantized", 2, spec.shape, values, kConvZero);
          Scale(spec.name + "_scale", {}, 1);
          Zero(spec.name + "_zero_point", 2, {}, 1, kConvZero);
          Node("ConvInteger", place + "_quant", {"x", spec.name + "_quantized", "x_zero", spec.name + "_zero_point"});
        } else {
          Floats(spec.name, spec.shape, values);
          Node(transposed_conv ? "ConvTranspose" : "Conv", place, {"x", spec.name});
        }
        return;
      }
      case Kind::kLinearWeight: {
        const size_t cols = spec.shape[1];
        const bool gemm = place.find("Gemm") != std::string::npos;
        std::vector<float> transposed(values.size());
        for (size_t r = 0; r < rows; ++r) {
          for (size_t c = 0; c < cols; ++c) transposed[c * rows + r] = values[r * cols + c];
        }
        if (int8()) {
          Integers(spec.name + "_quantized", 3, {cols, rows}, transposed, 0);
          Scale(spec.name + "_scale", {rows}, rows);
          Zero(spec.name + "_zero_point", 3, {rows}, rows, 0);
          Node("MatMulInteger", place + (gemm ? "_MatMul_quant" : "_quant"),
               {"x", spec.name + "_quantized", "x_zero", spec.name + "_zero_point"});
        } else if (gemm) {
          Floats(spec.name, spec.shape, values);
          Node("Gemm", place, {"x", spec.name, "bias"});
        } else {
          Floats(spec.name, {cols, rows}, transposed);
          Node("MatMul", place, {"x", spec.name});
        }
        return;
      }
      default:
        AddLstm(spec, source, values);
    }
  }

  // Both directions stand in one initialiser: gathered until the backward one has come.
  void AddLstm(const TensorSpec& spec, const OnnxSource& source, const std::vector<float>& values) {
    const size_t rows = spec.shape[0], cols = spec.shape.size() > 1 ? spec.shape[1] : 1;
    std::vector<float> placed(values.size());
    const bool weight = spec.shape.size() > 1;
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < cols; ++c) {
        const size_t row = OnnxRow(r, rows);
        placed[weight && int8() ? c * rows + row : row * cols + c] = values[r * cols + c];
      }
    }
    std::vector<float>& both = source.kind == Kind::kLstmInputWeight       ? input_
                               : source.kind == Kind::kLstmRecurrentWeight ? recurrent_
                                                                           : bias_;
    both.insert(both.end(), placed.begin(), placed.end());
    if (source.kind == Kind::kLstmInputWeight) in_ = cols;
    if (source.kind != Kind::kLstmRecurrentBias || source.direction == 0) return;
    Floats("B", {2, 2 * rows}, bias_);
    if (!int8()) {
      Floats("W", {2, rows, in_}, input_);
      Floats("R", {2, rows, rows / 4}, recurrent_);
      Node("LSTM", source.name, {"x", "W", "R", "B"});
      return;
    }
    Integers("W_quantized", 3, {2, in_, rows}, input_, 0);
    Integers("R_quantized", 3, {2, rows / 4, rows}, recurrent_, 0);
    Scale("W_scale", {2}, 2);
    Scale("R_scale", {2}, 2);
    Zero("W_zero_point", 3, {2}, 2, 0);
    Node("DynamicQuantizeLSTM", source.name + "_quant",
         {"x", "W_quantized", "R_quantized", "B", "", "h", "c", "", "W_scale", "W_zero_point", "R_scale",
          "W_zero_point"});
  }

  OnnxForm form_;
  std::vector<std::string> nodes_, tensors_;
  std::vector<float> input_, recurrent_, bias_;
  size_t in_ = 0;
};

struct Named {
  std::string name;
  std::vector<size_t> shape;
  std::vector<float> values;
};

// The checkpoint's tensors; weights of convolutions and linear layers as weight norm where asked. v is the weight times
// 4 and g its norm, which folds back to the weight within rounding.
std::vector<Named> StateDict(NormForm form) {
  std::vector<Named> named;
  const Architecture& a = TinyArchitecture();
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    const TensorSpec& spec = a.tensors[i];
    const std::vector<float>& values = TinyValues()[i];
    if (form == NormForm::kFolded || (spec.name != "conv.weight" && spec.name != "up.weight")) {
      named.push_back({spec.name, spec.shape, values});
      continue;
    }
    const size_t rows = spec.shape[0], cols = values.size() / rows;
    std::vector<float> g(rows), v(values);
    for (size_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (size_t c = 0; c < cols; ++c) sum += static_cast<double>(values[r * cols + c]) * values[r * cols + c];
      g[r] = static_cast<float>(std::sqrt(sum));
    }
    for (float& x : v) x *= 4;
    const std::string stem = spec.name.substr(0, spec.name.size() - 6);
    const bool old = form == NormForm::kWeightG;
    std::vector<size_t> g_shape(spec.shape.size(), 1);
    g_shape[0] = rows;
    named.push_back({stem + (old ? "weight_g" : "parametrizations.weight.original0"), g_shape, g});
    named.push_back({stem + (old ? "weight_v" : "parametrizations.weight.original1"), spec.shape, v});
  }
  return named;
}

}  // namespace

const Architecture& TinyArchitecture() {
  static const Architecture* architecture = [] {
    auto* a = new Architecture;
    a->name = "tiny";
    a->voice_rows = 6;
    a->voice_cols = 4;
    a->vocab_rows = 178;
    a->config = Json::Object();
    a->config.Set("n_token", Json::Int(178));
    const auto add = [&](const std::string& name, std::vector<size_t> shape, Kind kind, const std::string& place,
                         size_t direction = 0) {
      a->tensors.push_back({name, std::move(shape)});
      a->onnx.push_back({kind, place, direction});
    };
    add("emb.weight", {5, 4}, Kind::kInitializer, "enc.emb.weight");
    add("fc.weight", {6, 4}, Kind::kLinearWeight, "/enc/fc/MatMul");
    add("fc.bias", {6}, Kind::kInitializer, "enc.fc.bias");
    add("style.fc.weight", {4, 3}, Kind::kLinearWeight, "/enc/style/fc/Gemm");
    add("style.fc.bias", {4}, Kind::kInitializer, "enc.style.fc.bias");
    add("conv.weight", {4, 2, 3}, Kind::kNodeWeight, "/enc/conv/Conv");
    add("up.weight", {4, 2, 4}, Kind::kNodeWeight, "/enc/up/ConvTranspose");
    for (size_t d = 0; d < 2; ++d) {
      const std::string suffix = d == 0 ? "" : "_reverse";
      add("lstm.weight_ih_l0" + suffix, {8, 4}, Kind::kLstmInputWeight, "/enc/lstm/LSTM", d);
      add("lstm.weight_hh_l0" + suffix, {8, 2}, Kind::kLstmRecurrentWeight, "/enc/lstm/LSTM", d);
      add("lstm.bias_ih_l0" + suffix, {8}, Kind::kLstmInputBias, "/enc/lstm/LSTM", d);
      add("lstm.bias_hh_l0" + suffix, {8}, Kind::kLstmRecurrentBias, "/enc/lstm/LSTM", d);
    }
    add("alpha", {1, 4, 1}, Kind::kInitializer, "enc.alpha");
    return a;
  }();
  return *architecture;
}

const std::vector<std::vector<float>>& TinyValues() {
  static const auto* values = [] {
    auto* all = new std::vector<std::vector<float>>;
    uint32_t state = 12345;
    for (const TensorSpec& spec : TinyArchitecture().tensors) {
      std::vector<float> tensor(Elements(spec));
      for (float& v : tensor) {
        state = state * 1664525 + 1013904223;
        v = static_cast<float>(static_cast<int>(state >> 16) % 57 - 28) * kScale;  // q in [-28, 28]
      }
      all->push_back(std::move(tensor));
    }
    return all;
  }();
  return *values;
}

std::string TinyOnnx(OnnxForm form) { return OnnxWriter(form).Write(); }

std::string TinyTorch(NormForm form, bool module_prefix) {
  // {first part: OrderedDict of the rest}, as the official checkpoint is a dictionary of modules.
  const std::vector<Named> named = StateDict(form);
  Pickle pickle;
  std::vector<std::pair<std::string, std::string>> entries = {{"tiny/data.pkl", ""}, {"tiny/byteorder", "little"}};
  pickle.Op('}').Op('(');
  std::string open;
  for (size_t i = 0; i < named.size(); ++i) {
    const size_t dot = named[i].name.find('.');
    const std::string module = named[i].name.substr(0, dot);
    const std::string rest = dot == std::string::npos ? "" : named[i].name.substr(dot + 1);
    const std::string key = std::to_string(i);
    const size_t count = named[i].values.size();
    if (module != open) {
      // _metadata goes into the OrderedDict through BUILD.
      if (!open.empty()) pickle.Op('u').Op('}').Str("_metadata").Op('}').Op('s').Op('b');
      open = rest.empty() ? "" : module;
      pickle.Str(module);
      if (!rest.empty()) pickle.Global("collections", "OrderedDict").Op(')').Op('R').Op('(');
    }
    if (!rest.empty()) pickle.Str((module_prefix ? "module." : "") + rest);
    pickle.Tensor("FloatStorage", key, count, 0, named[i].shape);
    entries.emplace_back("tiny/data/" + key, RawLe(named[i].values));
  }
  if (!open.empty()) pickle.Op('u');
  pickle.Op('u');
  entries[0].second = pickle.Stop();
  entries.emplace_back("tiny/version", "3\n");
  return ZipBytes(entries);
}

std::string TinySafetensors(NormForm form) {
  std::vector<SafetensorsPart> parts;
  for (const Named& named : StateDict(form)) parts.push_back({named.name, "F32", named.shape, RawLe(named.values)});
  return SafetensorsBytes(parts);
}

std::string TinyVoiceBin() {
  std::vector<float> values(24);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.125f * static_cast<float>(i) - 1;
  return RawLe(values);
}

std::string TinyVoiceTorch() {
  const std::string row(4 * sizeof(float), '\0');
  const std::string pickle = Pickle().Tensor("FloatStorage", "0", 28, 4, {6, 1, 4}).Stop();
  return ZipBytes({{"v/data.pkl", pickle}, {"v/byteorder", "little"}, {"v/data/0", row + TinyVoiceBin()}});
}

}  // namespace koe::bundle::testing
