// SPDX-License-Identifier: Apache-2.0
// Field numbers: onnx.proto of IR version 8.
#include <array>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <utility>

#include "export/emit.h"
#include "export/half.h"
#include "export/wire.h"

namespace koe::exporter {
namespace {

constexpr int64_t kIrVersion = 8, kOpset = 17;
// TensorProto.DataType.
constexpr int64_t kOnnxInt64 = 7;
int64_t OnnxType(Type type) { return type == Type::kF16 ? 10 : type == Type::kF32 ? 1 : 6; }

Message Tensor(const std::string& name, int64_t type, std::span<const int64_t> dims, std::span<const std::byte> bytes) {
  Message tensor;
  for (const int64_t d : dims) tensor.Varint(1, d);
  tensor.Varint(2, type);
  tensor.Text(8, name);
  tensor.Text(9, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return tensor;
}

Message ValueInfoMessage(const std::string& name, Type type, const Shape& shape) {
  Message dims, tensor, wrapper, info;
  for (const int64_t d : shape) {
    Message dim;
    dim.Varint(1, d);
    dims.Sub(1, dim);
  }
  tensor.Varint(1, OnnxType(type));
  tensor.Sub(2, dims);
  wrapper.Sub(1, tensor);
  info.Text(1, name);
  info.Sub(2, wrapper);
  return info;
}

Message Attribute(const std::string& name, int64_t kind) {
  Message attribute;
  attribute.Text(1, name);
  attribute.Varint(20, kind);
  return attribute;
}
Message IntAttribute(const std::string& name, int64_t value) {
  Message attribute = Attribute(name, 2);
  attribute.Varint(3, value);
  return attribute;
}
Message FloatAttribute(const std::string& name, float value) {
  Message attribute = Attribute(name, 1);
  attribute.Float(2, value);
  return attribute;
}
Message TextAttribute(const std::string& name, const std::string& value) {
  Message attribute = Attribute(name, 3);
  attribute.Text(4, value);
  return attribute;
}
Message IntsAttribute(const std::string& name, std::span<const int64_t> values) {
  Message attribute = Attribute(name, 7);
  for (const int64_t v : values) attribute.Varint(8, v);
  return attribute;
}
Message IntsAttribute(const std::string& name, std::initializer_list<int64_t> values) {
  return IntsAttribute(name, std::span(values.begin(), values.size()));
}

class OnnxEmitter {
 public:
  explicit OnnxEmitter(const Graph& graph) : g_(graph), names_(graph.values().size()) {
    for (const GraphInput& input : g_.inputs()) names_[input.value] = input.name;
    for (const GraphOutput& output : g_.outputs()) names_[output.value] = output.name;
  }

  Message Emit(const std::string& name) {
    for (const Node& node : g_.nodes()) {
      prefix_ = std::string(OpName(node.op)) + "_" + std::to_string(node.outputs.front());
      for (size_t i = 0; i < node.outputs.size(); ++i) {
        std::string& output = names_[node.outputs[i]];
        if (output.empty()) output = prefix_ + (i == 0 ? "" : "_" + std::to_string(i));
      }
      EmitNode(node);
    }
    for (const GraphInput& input : g_.inputs()) {
      if (!input.default_value) continue;
      const std::vector<float> values(static_cast<size_t>(NumElements(g_.shape(input.value))), *input.default_value);
      const Type type = g_.type(input.value);
      const auto bytes = PackFloats(type == Type::kF16, values);
      graph_.Sub(5, Tensor(input.name, OnnxType(type), g_.shape(input.value), *bytes));
    }
    graph_.Text(2, name);
    for (const GraphInput& i : g_.inputs()) {
      graph_.Sub(11, ValueInfoMessage(i.name, g_.type(i.value), g_.shape(i.value)));
    }
    for (const GraphOutput& o : g_.outputs()) {
      graph_.Sub(12, ValueInfoMessage(o.name, g_.type(o.value), g_.shape(o.value)));
    }
    return graph_;
  }

 private:
  using Names = std::vector<std::string>;

  void Add(const std::string& type, const Names& inputs, const Names& outputs,
           const std::vector<Message>& attributes = {}) {
    Message node;
    for (const std::string& input : inputs) node.Text(1, input);
    for (const std::string& output : outputs) node.Text(2, output);
    node.Text(3, outputs.front());
    node.Text(4, type);
    for (const Message& attribute : attributes) node.Sub(5, attribute);
    graph_.Sub(1, node);
  }

  // An initialiser; equal names are one.
  std::string Initializer(const std::string& name, int64_t type, std::span<const int64_t> dims,
                          std::span<const std::byte> bytes) {
    if (defined_.try_emplace(name, true).second) graph_.Sub(5, Tensor(name, type, dims, bytes));
    return name;
  }
  std::string Int64s(std::span<const int64_t> values) {
    std::string name = "int64";
    for (const int64_t v : values) name += "_" + std::to_string(v);
    const int64_t size = static_cast<int64_t>(values.size());
    return Initializer(name, kOnnxInt64, {&size, 1}, std::as_bytes(values));
  }
  std::string Int64s(std::initializer_list<int64_t> values) { return Int64s(std::span(values.begin(), values.size())); }
  std::string Scalar(Type type, const std::string& name, float value) {
    const auto bytes = PackFloats(type == Type::kF16, {&value, 1});
    return Initializer(name + (type == Type::kF16 ? "_f16" : "_f32"), OnnxType(type), {}, *bytes);
  }
  std::string NameOf(Value value) {
    std::string& name = names_[value];
    if (name.empty()) {
      const ValueInfo& info = g_.values()[value];
      name = Initializer("const_" + std::to_string(value), OnnxType(info.type), info.shape, *info.constant);
    }
    return name;
  }

  // The transposed [in][out] form of a weight [out][in].
  std::string Transposed(Value value) {
    const ValueInfo& info = g_.values()[value];
    std::string name = "const_" + std::to_string(value) + "_transposed";
    if (defined_.contains(name)) return name;
    const auto rows = static_cast<size_t>(info.shape[0]), cols = static_cast<size_t>(info.shape[1]);
    const size_t size = TypeBytes(info.type);
    ByteVector bytes(info.constant->size());
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < cols; ++c) {
        std::memcpy(bytes.data() + (c * rows + r) * size, info.constant->data() + (r * cols + c) * size, size);
      }
    }
    const Shape shape = {info.shape[1], info.shape[0]};
    return Initializer(name, OnnxType(info.type), shape, bytes);
  }

  void EmitNode(const Node& node);
  void EmitLstm(const Node& node);
  void EmitGelu(const Node& node);

  const Graph& g_;
  std::vector<std::string> names_;  // by value
  std::map<std::string, bool> defined_;
  std::string prefix_;
  Message graph_;
};

void OnnxEmitter::EmitLstm(const Node& node) {
  constexpr std::array<size_t, 4> kGates = {0, 3, 1, 2};  // input, output, forget, cell
  Names inputs = {NameOf(node.inputs[0])};
  for (size_t i = 1; i < 4; ++i) {
    const ValueInfo& info = g_.values()[node.inputs[i]];
    ByteVector bytes = *ReorderGates(info.constant, kGates);
    Shape shape = info.shape;
    if (i == 3) {  // the second half is the recurrent bias, which is in the first already
      bytes.resize(2 * bytes.size());
      shape[0] *= 2;
    }
    shape.insert(shape.begin(), 1);
    inputs.push_back(Initializer(prefix_ + "_" + std::to_string(i), OnnxType(info.type), shape, bytes));
  }
  const std::string directions = prefix_ + "_directions";
  Add("LSTM", inputs, {directions}, {IntAttribute("hidden_size", g_.shape(node.outputs[0])[2])});
  Add("Squeeze", {directions, Int64s({1})}, {NameOf(node.outputs[0])});
}

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): opset 17 has no operator for it.
void OnnxEmitter::EmitGelu(const Node& node) {
  const Type type = g_.type(node.outputs[0]);
  const std::string x = NameOf(node.inputs[0]), y = NameOf(node.outputs[0]);
  const auto part = [&](const char* name) { return prefix_ + "_" + name; };
  Add("Mul", {x, x}, {part("square")});
  Add("Mul", {part("square"), Scalar(type, "gelu_cubic", 0.044715f)}, {part("scaled")});
  Add("Add", {part("scaled"), Scalar(type, "one", 1)}, {part("factor")});
  Add("Mul", {part("factor"), x}, {part("inner")});
  Add("Mul", {part("inner"), Scalar(type, "gelu_linear", 0.79788456080286536f)}, {part("argument")});
  Add("Tanh", {part("argument")}, {part("tanh")});
  Add("Add", {part("tanh"), Scalar(type, "one", 1)}, {part("gate")});
  Add("Mul", {part("gate"), x}, {part("twice")});
  Add("Mul", {part("twice"), Scalar(type, "half", 0.5f)}, {y});
}

void OnnxEmitter::EmitNode(const Node& node) {
  const Attributes& a = node.attributes;
  const Type type = g_.type(node.outputs[0]);
  const std::string x = node.op == Op::kConcat ? "" : NameOf(node.inputs[0]);
  Names outputs;
  for (const Value value : node.outputs) outputs.push_back(NameOf(value));
  const auto emit = [&](const char* name, const std::vector<Message>& attributes = {}) {
    Names inputs;
    for (const Value value : node.inputs) inputs.push_back(NameOf(value));
    Add(name, inputs, outputs, attributes);
  };
  switch (node.op) {
    case Op::kCast:
      return emit("Cast", {IntAttribute("to", OnnxType(type))});
    case Op::kIdentity:
      return emit("Identity");
    case Op::kAdd:
      return emit("Add");
    case Op::kSub:
      return emit("Sub");
    case Op::kMul:
      return emit("Mul");
    case Op::kDiv:
      return emit("Div");
    case Op::kMaximum:
      return emit("Max");
    case Op::kSin:
      return emit("Sin");
    case Op::kCos:
      return emit("Cos");
    case Op::kExp:
      return emit("Exp");
    case Op::kSqrt:
      return emit("Sqrt");
    case Op::kSigmoid:
      return emit("Sigmoid");
    case Op::kRound:
      return emit("Round");
    case Op::kGelu:
      return EmitGelu(node);
    case Op::kLeakyRelu:
      return emit("LeakyRelu", {FloatAttribute("alpha", a.alpha)});
    case Op::kSoftmax:
      return emit("Softmax", {IntAttribute("axis", a.axis)});
    case Op::kReduceMean:
      return emit("ReduceMean", {IntsAttribute("axes", {a.axis}), IntAttribute("keepdims", 1)});
    case Op::kReduceSum:
      return Add("ReduceSum", {x, Int64s({a.axis})}, outputs, {IntAttribute("keepdims", 1)});
    case Op::kLinear:
      Add("MatMul", {x, Transposed(node.inputs[1])}, {prefix_ + "_product"});
      return Add("Add", {prefix_ + "_product", NameOf(node.inputs[2])}, outputs);
    case Op::kMatMul: {
      std::string y = NameOf(node.inputs[1]);
      if (a.transpose_y) {
        const auto rank = static_cast<int64_t>(g_.shape(node.inputs[1]).size());
        std::vector<int64_t> permutation;
        for (int64_t i = 0; i < rank; ++i) permutation.push_back(i < rank - 2 ? i : 2 * rank - 3 - i);
        Add("Transpose", {y}, {prefix_ + "_transposed"}, {IntsAttribute("perm", permutation)});
        y = prefix_ + "_transposed";
      }
      return Add("MatMul", {x, y}, outputs);
    }
    case Op::kConv:
    case Op::kConvTranspose:
      return emit(node.op == Op::kConv ? "Conv" : "ConvTranspose",
                  {IntsAttribute("strides", {a.stride}), IntsAttribute("dilations", {a.dilation}),
                   IntsAttribute("pads", {a.pad_left, a.pad_right}), IntAttribute("group", a.groups)});
    case Op::kLstm:
      return EmitLstm(node);
    case Op::kLayerNorm: {
      Names inputs = {x};
      if (node.inputs.size() > 1) {
        inputs.push_back(NameOf(node.inputs[1]));
        inputs.push_back(NameOf(node.inputs[2]));
      } else {
        const Shape shape = {g_.shape(node.inputs[0]).back()};
        const std::vector<float> ones(static_cast<size_t>(shape[0]), 1.0f);
        inputs.push_back(Initializer("ones_" + std::to_string(shape[0]) + (type == Type::kF16 ? "_f16" : "_f32"),
                                     OnnxType(type), shape, *PackFloats(type == Type::kF16, ones)));
      }
      return Add("LayerNormalization", inputs, outputs,
                 {IntAttribute("axis", -1), FloatAttribute("epsilon", a.epsilon)});
    }
    case Op::kGather:
      return emit("Gather", {IntAttribute("axis", a.axis)});
    case Op::kGatherAlongAxis:
      return emit("GatherElements", {IntAttribute("axis", a.axis)});
    case Op::kTranspose:
      return emit("Transpose", {IntsAttribute("perm", a.dims)});
    case Op::kReshape:
      return Add("Reshape", {x, Int64s(a.dims)}, outputs);
    case Op::kExpandDims:
      return Add("Unsqueeze", {x, Int64s({a.axis})}, outputs);
    case Op::kSqueeze:
      return Add("Squeeze", {x, Int64s({a.axis})}, outputs);
    case Op::kTile:
      return Add("Tile", {x, Int64s(a.dims)}, outputs);
    case Op::kConcat:
      return emit("Concat", {IntAttribute("axis", a.axis)});
    case Op::kSplit: {
      const int64_t half = g_.shape(node.outputs[0])[static_cast<size_t>(a.axis)];
      return Add("Split", {x, Int64s({half, half})}, outputs, {IntAttribute("axis", a.axis)});
    }
    case Op::kSlice:
      return Add("Slice", {x, Int64s(a.begin), Int64s(a.end)}, outputs);
    case Op::kReflectLeft:
      return Add("Pad", {x, Int64s({0, 0, 1, 0, 0, 0})}, outputs, {TextAttribute("mode", "reflect")});
    case Op::kUpsample2: {
      const std::array<float, 3> scales = {1, 1, 2};
      const int64_t size = 3;
      const std::string name = Initializer("scales", 1, {&size, 1}, std::as_bytes(std::span(scales)));
      return Add("Resize", {x, "", name}, outputs,
                 {TextAttribute("mode", "nearest"), TextAttribute("coordinate_transformation_mode", "asymmetric"),
                  TextAttribute("nearest_mode", "floor")});
    }
  }
}

}  // namespace

std::string EmitOnnx(const Graph& graph, const std::string& name, const ModelText& text) {
  Message model, opset;
  opset.Text(1, "");
  opset.Varint(2, kOpset);
  model.Varint(1, kIrVersion);
  model.Sub(8, opset);
  model.Text(2, "koe");
  model.Text(3, text.version);
  model.Text(6, text.description);
  model.Sub(7, OnnxEmitter(graph).Emit(name));
  for (const auto& [key, value] : text.properties) {
    Message property;
    property.Text(1, key);
    property.Text(2, value);
    model.Sub(14, property);
  }
  return model.bytes();
}

}  // namespace koe::exporter
