// SPDX-License-Identifier: Apache-2.0
// Field numbers: reference export.md 2. Every parameter is a const operation bound by name, defaults included, in the
// forms that coremltools' converter emits.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <utility>

#include "export/emit.h"
#include "export/half.h"
#include "export/wire.h"

namespace koe::exporter {
namespace {

// MILSpec.DataType.
enum MilType { kBool = 1, kString = 2, kFloat16 = 10, kFloat32 = 11, kInt32 = 23 };
// ArrayFeatureType.ArrayDataType.
int64_t ArrayType(Type type) { return type == Type::kF16 ? 65552 : type == Type::kF32 ? 65568 : 131104; }
MilType MilTypeOf(Type type) { return type == Type::kF16 ? kFloat16 : type == Type::kF32 ? kFloat32 : kInt32; }

constexpr float kHalfTiny = 0x1p-24f;     // the smallest positive float16: what rounds to 0 becomes this
constexpr int64_t kMinBlobElements = 10;  // smaller constants stand in the program, as the converter has it
constexpr char kBlobPath[] = "@model_path/weights/weight.bin";

Message TypeMessage(MilType type, const Shape& shape) {
  Message tensor;
  tensor.Varint(1, type);
  tensor.Varint(2, static_cast<int64_t>(shape.size()));
  for (const int64_t d : shape) {
    Message size, dimension;
    size.Varint(1, d);
    dimension.Sub(1, size);
    tensor.Sub(3, dimension);
  }
  Message value;
  value.Sub(1, tensor);
  return value;
}

// A Value whose TensorValue holds `values` as its member `member`.
Message Immediate(MilType type, const Shape& shape, uint32_t member, const Message& values) {
  Message tensor, immediate, value;
  tensor.Sub(member, values);
  immediate.Sub(1, tensor);
  value.Sub(2, TypeMessage(type, shape));
  value.Sub(3, immediate);
  return value;
}
Message TextValue(std::string_view text) {
  Message values;
  values.Text(1, text);
  return Immediate(kString, {}, 4, values);
}
Message BoolValues(const Shape& shape, std::span<const int64_t> flags) {
  Message values;
  values.PackedVarints(1, flags);
  return Immediate(kBool, shape, 3, values);
}
Message IntValues(const Shape& shape, std::span<const int32_t> numbers) {
  Message values;
  values.PackedVarints(1, numbers);
  return Immediate(kInt32, shape, 2, values);
}
Message FloatValues(Type type, const Shape& shape, std::span<const std::byte> bytes) {
  Message values;
  if (type == Type::kF16) {
    values.Text(1, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    return Immediate(kFloat16, shape, 7, values);
  }
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), bytes.size());
  values.PackedFloats(1, floats);
  return Immediate(kFloat32, shape, 1, values);
}

bool IsIdentifier(const std::string& name) {
  const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  return !name.empty() && std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
         std::all_of(name.begin(), name.end(), fits);
}

// Writes the block of one function.
class FunctionEmitter {
 public:
  FunctionEmitter(const Graph& graph, int spec_version, BlobFile* blobs)
      : g_(graph), version_(spec_version), blobs_(*blobs), names_(graph.values().size()) {
    for (const GraphInput& input : g_.inputs()) names_[input.value] = input.name;
    for (const GraphOutput& output : g_.outputs()) names_[output.value] = output.name;
  }

  Message Emit() {
    for (const Node& node : g_.nodes()) {
      prefix_ = std::string(OpName(node.op)) + "_" + std::to_string(node.outputs.front());
      EmitNode(node);
    }
    Message block, function;
    for (const GraphOutput& output : g_.outputs()) block.Text(2, output.name);
    for (const std::string& operation : operations_) block.Text(3, operation);
    for (const GraphInput& input : g_.inputs()) {
      function.Sub(1, Named(input.name, MilTypeOf(g_.type(input.value)), g_.shape(input.value)));
    }
    const std::string opset = "CoreML" + std::to_string(version_ - 1);
    function.Text(2, opset);
    function.Entry(3, opset, block);
    return function;
  }

 private:
  struct Argument {
    std::string parameter;
    std::vector<std::string> names;
  };
  struct Output {
    std::string name;
    Type type;
    Shape shape;
  };
  using Arguments = std::vector<Argument>;

  static Message Named(const std::string& name, MilType type, const Shape& shape) {
    Message named;
    named.Text(1, name);
    named.Sub(2, TypeMessage(type, shape));
    return named;
  }

  void EmitOperation(const std::string& type, Arguments arguments, const std::vector<Output>& outputs) {
    std::sort(arguments.begin(), arguments.end(),
              [](const Argument& a, const Argument& b) { return a.parameter < b.parameter; });
    Message operation;
    operation.Text(1, type);
    for (const Argument& argument : arguments) {
      Message bindings;
      for (const std::string& name : argument.names) {
        Message binding;
        binding.Text(1, name);
        bindings.Sub(1, binding);
      }
      operation.Entry(2, argument.parameter, bindings);
    }
    for (const Output& o : outputs) operation.Sub(3, Named(o.name, MilTypeOf(o.type), o.shape));
    operation.Entry(5, "name", TextValue(outputs.front().name));
    operations_.push_back(operation.bytes());
  }

  // A const operation; equal ones are one.
  std::string Const(const std::string& name, MilType type, const Shape& shape, const Message& value) {
    const auto [it, is_new] = constants_.try_emplace(value.bytes(), name);
    if (is_new) {
      Message operation;
      operation.Text(1, "const");
      operation.Sub(3, Named(name, type, shape));
      operation.Entry(5, "name", TextValue(name));
      operation.Entry(5, "val", value);
      operations_.push_back(operation.bytes());
    }
    return it->second;
  }
  Argument Ints(const std::string& parameter, std::span<const int64_t> numbers) {
    const std::vector<int32_t> narrow(numbers.begin(), numbers.end());
    const Shape shape = {static_cast<int64_t>(narrow.size())};
    return {parameter, {Const(prefix_ + "_" + parameter, kInt32, shape, IntValues(shape, narrow))}};
  }
  Argument Ints(const std::string& parameter, std::initializer_list<int64_t> numbers) {
    return Ints(parameter, std::span(numbers.begin(), numbers.size()));
  }
  Argument Int(const std::string& parameter, int64_t number) {
    const auto narrow = static_cast<int32_t>(number);
    return {parameter, {Const(prefix_ + "_" + parameter, kInt32, {}, IntValues({}, {&narrow, 1}))}};
  }
  Argument Bool(const std::string& parameter, bool flag) {
    const int64_t value = flag ? 1 : 0;
    return {parameter, {Const(prefix_ + "_" + parameter, kBool, {}, BoolValues({}, {&value, 1}))}};
  }
  Argument Falses(const std::string& parameter, size_t count) {
    const Shape shape = {static_cast<int64_t>(count)};
    const std::vector<int64_t> flags(count, 0);
    return {parameter, {Const(prefix_ + "_" + parameter, kBool, shape, BoolValues(shape, flags))}};
  }
  Argument Text(const std::string& parameter, const std::string& text) {
    return {parameter, {Const(prefix_ + "_" + parameter, kString, {}, TextValue(text))}};
  }
  Argument Float(const std::string& parameter, Type type, float value) {
    const SharedBytes bytes = PackFloats(type == Type::kF16, {&value, 1});
    return {parameter, {Const(prefix_ + "_" + parameter, MilTypeOf(type), {}, FloatValues(type, {}, *bytes))}};
  }

  std::string ConstantName(const std::string& name, Type type, const Shape& shape, const SharedBytes& bytes) {
    if (type == Type::kI32) {
      std::vector<int32_t> numbers(bytes->size() / sizeof(int32_t));
      std::memcpy(numbers.data(), bytes->data(), bytes->size());
      return Const(name, kInt32, shape, IntValues(shape, numbers));
    }
    if (NumElements(shape) < kMinBlobElements) {
      return Const(name, MilTypeOf(type), shape, FloatValues(type, shape, *bytes));
    }
    Message blob, value;
    blob.Text(1, kBlobPath);
    blob.Varint(2, static_cast<int64_t>(blobs_.Add(type, bytes)));
    value.Sub(2, TypeMessage(MilTypeOf(type), shape));
    value.Sub(5, blob);
    return Const(name, MilTypeOf(type), shape, value);
  }
  // The name that a node's operand has; constants are defined before their first use.
  std::string NameOf(Value value) {
    std::string& name = names_[value];
    if (name.empty()) {
      const ValueInfo& info = g_.values()[value];
      name = ConstantName("const_" + std::to_string(value), info.type, info.shape, info.constant);
    }
    return name;
  }
  Argument Operand(const std::string& parameter, Value value) { return {parameter, {NameOf(value)}}; }

  std::vector<Output> OutputsOf(const Node& node) {
    std::vector<Output> outputs;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      std::string& name = names_[node.outputs[i]];
      if (name.empty()) name = prefix_ + (i == 0 ? "" : "_" + std::to_string(i));
      outputs.push_back({name, g_.type(node.outputs[i]), g_.shape(node.outputs[i])});
    }
    return outputs;
  }

  void EmitNode(const Node& node);
  void EmitConv(const Node& node, const char* type);
  void EmitLstm(const Node& node);
  void EmitUpsample(const Node& node);

  const Graph& g_;
  const int version_;
  BlobFile& blobs_;
  std::vector<std::string> names_;  // by value
  std::vector<std::string> operations_;
  std::map<std::string, std::string> constants_;  // serialised value -> name
  std::string prefix_;
};

void FunctionEmitter::EmitConv(const Node& node, const char* type) {
  const Attributes& a = node.attributes;
  Arguments arguments = {
      Operand("x", node.inputs[0]),          Operand("weight", node.inputs[1]), Ints("strides", {a.stride}),
      Ints("dilations", {a.dilation}),       Int("groups", a.groups),           Text("pad_type", "custom"),
      Ints("pad", {a.pad_left, a.pad_right})};
  if (node.inputs.size() > 2) arguments.push_back(Operand("bias", node.inputs[2]));
  EmitOperation(type, std::move(arguments), OutputsOf(node));
}

void FunctionEmitter::EmitLstm(const Node& node) {
  constexpr std::array<size_t, 4> kGates = {0, 1, 3, 2};  // input, forget, output, cell
  const int64_t hidden = g_.shape(node.outputs[0])[2];
  Arguments arguments = {Operand("x", node.inputs[0])};
  for (const auto& [parameter, index] : {std::pair("weight_ih", 1), std::pair("weight_hh", 2), std::pair("bias", 3)}) {
    const ValueInfo& info = g_.values()[node.inputs[static_cast<size_t>(index)]];
    const std::string name = prefix_ + "_" + parameter;
    arguments.push_back({parameter, {ConstantName(name, info.type, info.shape, ReorderGates(info.constant, kGates))}});
  }
  const std::vector<float> zeros(static_cast<size_t>(hidden));
  const std::string initial = ConstantName(prefix_ + "_initial", Type::kF32, {1, hidden}, PackFloats(false, zeros));
  arguments.push_back({"initial_h", {initial}});
  arguments.push_back({"initial_c", {initial}});
  for (Argument& argument :
       Arguments{Text("direction", "forward"), Bool("output_sequence", true), Text("recurrent_activation", "sigmoid"),
                 Text("cell_activation", "tanh"), Text("activation", "tanh")}) {
    arguments.push_back(std::move(argument));
  }
  std::vector<Output> outputs = OutputsOf(node);
  outputs.push_back({prefix_ + "_h", Type::kF32, {1, hidden}});
  outputs.push_back({prefix_ + "_c", Type::kF32, {1, hidden}});
  EmitOperation("lstm", std::move(arguments), outputs);
}

// Along the last axis of a picture one pixel high.
void FunctionEmitter::EmitUpsample(const Node& node) {
  const Value in = node.inputs[0], out = node.outputs[0];
  const auto picture = [&](Value v) { return Shape{g_.shape(v)[0], g_.shape(v)[1], 1, g_.shape(v)[2]}; };
  const std::string expanded = prefix_ + "_expanded", doubled = prefix_ + "_doubled";
  EmitOperation("expand_dims", {Operand("x", in), Ints("axes", {2})}, {{expanded, g_.type(in), picture(in)}});
  EmitOperation(
      "upsample_nearest_neighbor",
      {{"x", {expanded}}, Float("scale_factor_height", Type::kF32, 1), Float("scale_factor_width", Type::kF32, 2)},
      {{doubled, g_.type(out), picture(out)}});
  EmitOperation("squeeze", {{"x", {doubled}}, Ints("axes", {2})}, OutputsOf(node));
}

void FunctionEmitter::EmitNode(const Node& node) {
  const Attributes& a = node.attributes;
  const Value x = node.inputs[0];
  const Type type = g_.type(node.outputs[0]);
  const auto emit = [&](const char* name, Arguments arguments) {
    EmitOperation(name, std::move(arguments), OutputsOf(node));
  };
  const auto unary = [&](const char* name) { emit(name, {Operand("x", x)}); };
  const auto binary = [&](const char* name) { emit(name, {Operand("x", x), Operand("y", node.inputs[1])}); };
  const auto reduce = [&](const char* name) {
    emit(name, {Operand("x", x), Ints("axes", {a.axis}), Bool("keep_dims", true)});
  };
  switch (node.op) {
    case Op::kCast:
      return emit("cast", {Operand("x", x), Text("dtype", type == Type::kF16   ? "fp16"
                                                          : type == Type::kF32 ? "fp32"
                                                                               : "int32")});
    case Op::kIdentity:
      return unary("identity");
    case Op::kAdd:
      return binary("add");
    case Op::kSub:
      return binary("sub");
    case Op::kMul:
      return binary("mul");
    case Op::kDiv:
      return binary("real_div");
    case Op::kMaximum:
      return binary("maximum");
    case Op::kSin:
      return unary("sin");
    case Op::kCos:
      return unary("cos");
    case Op::kExp:
      return unary("exp");
    case Op::kSqrt:
      return unary("sqrt");
    case Op::kSigmoid:
      return unary("sigmoid");
    case Op::kRound:
      return unary("round");
    case Op::kGelu:
      return emit("gelu", {Operand("x", x), Text("mode", "TANH_APPROXIMATION")});
    case Op::kLeakyRelu:
      return emit("leaky_relu", {Operand("x", x), Float("alpha", type, a.alpha)});
    case Op::kSoftmax:
      return emit("softmax", {Operand("x", x), Int("axis", a.axis)});
    case Op::kReduceMean:
      return reduce("reduce_mean");
    case Op::kReduceSum:
      return reduce("reduce_sum");
    case Op::kLinear:
      return emit("linear", {Operand("x", x), Operand("weight", node.inputs[1]), Operand("bias", node.inputs[2])});
    case Op::kMatMul:
      return emit("matmul", {Operand("x", x), Operand("y", node.inputs[1]), Bool("transpose_x", false),
                             Bool("transpose_y", a.transpose_y)});
    case Op::kConv:
      return EmitConv(node, "conv");
    case Op::kConvTranspose:
      return EmitConv(node, "conv_transpose");
    case Op::kLstm:
      return EmitLstm(node);
    case Op::kLayerNorm: {
      const float epsilon = type == Type::kF16 ? std::max(a.epsilon, kHalfTiny) : a.epsilon;
      Arguments arguments = {Operand("x", x), Ints("axes", {static_cast<int64_t>(g_.shape(x).size()) - 1}),
                             Float("epsilon", type, epsilon)};
      if (node.inputs.size() > 1) {
        arguments.push_back(Operand("gamma", node.inputs[1]));
        arguments.push_back(Operand("beta", node.inputs[2]));
      }
      return emit("layer_norm", std::move(arguments));
    }
    case Op::kGather:
    case Op::kGatherAlongAxis: {
      Arguments arguments = {Operand("x", x), Operand("indices", node.inputs[1]), Int("axis", a.axis)};
      if (node.op == Op::kGather && version_ >= 7) arguments.push_back(Int("batch_dims", 0));
      if (version_ >= 8) arguments.push_back(Bool("validate_indices", false));
      return emit(node.op == Op::kGather ? "gather" : "gather_along_axis", std::move(arguments));
    }
    case Op::kTranspose:
      return emit("transpose", {Operand("x", x), Ints("perm", a.dims)});
    case Op::kReshape:
      return emit("reshape", {Operand("x", x), Ints("shape", a.dims)});
    case Op::kExpandDims:
      return emit("expand_dims", {Operand("x", x), Ints("axes", {a.axis})});
    case Op::kSqueeze:
      return emit("squeeze", {Operand("x", x), Ints("axes", {a.axis})});
    case Op::kTile:
      return emit("tile", {Operand("x", x), Ints("reps", a.dims)});
    case Op::kConcat: {
      Argument values{"values", {}};
      for (const Value part : node.inputs) values.names.push_back(NameOf(part));
      return emit("concat", {std::move(values), Int("axis", a.axis), Bool("interleave", false)});
    }
    case Op::kSplit:
      return emit("split", {Operand("x", x), Int("num_splits", 2), Int("axis", a.axis)});
    case Op::kSlice: {
      const size_t rank = a.begin.size();
      return emit("slice_by_index", {Operand("x", x), Ints("begin", a.begin), Ints("end", a.end),
                                     Ints("stride", std::vector<int64_t>(rank, 1)), Falses("begin_mask", rank),
                                     Falses("end_mask", rank), Falses("squeeze_mask", rank)});
    }
    case Op::kReflectLeft:
      return emit("pad", {Operand("x", x), Ints("pad", {0, 0, 0, 0, 1, 0}), Text("mode", "reflect"),
                          Float("constant_val", type, 0)});
    case Op::kUpsample2:
      return EmitUpsample(node);
  }
}

Message Feature(const std::string& name, Type type, const Shape& shape, const std::optional<float>& default_value) {
  Message array, feature_type, feature;
  array.PackedVarints(1, std::span<const int64_t>(shape));
  array.Varint(2, ArrayType(type));
  if (default_value) array.Float(51, *default_value);
  feature_type.Sub(5, array);
  if (default_value) feature_type.Varint(1000, 1);
  feature.Text(1, name);
  feature.Sub(3, feature_type);
  return feature;
}

// Inputs and outputs as fields of a ModelDescription or a FunctionDescription.
void AddFeatures(const Graph& graph, uint32_t input_field, uint32_t output_field, Message* description) {
  for (const GraphInput& i : graph.inputs()) {
    description->Sub(input_field, Feature(i.name, graph.type(i.value), graph.shape(i.value), i.default_value));
  }
  for (const GraphOutput& o : graph.outputs()) {
    description->Sub(output_field, Feature(o.name, graph.type(o.value), graph.shape(o.value), std::nullopt));
  }
}

}  // namespace

SharedBytes ReorderGates(const SharedBytes& bytes, std::span<const size_t> order) {
  const size_t gate = bytes->size() / 4;
  auto reordered = std::make_shared<ByteVector>();
  reordered->reserve(bytes->size());
  for (const size_t old : order) {
    const auto first = bytes->begin() + static_cast<ptrdiff_t>(old * gate);
    reordered->insert(reordered->end(), first, first + static_cast<ptrdiff_t>(gate));
  }
  return reordered;
}

Result<std::string> EmitCoreMl(std::span<const NamedFunction> functions, int spec_version, const ModelText& text,
                               BlobFile* blobs) {
  Message description, program, model;
  const bool is_multi = functions.size() > 1;
  if (functions.empty() || (is_multi && spec_version < 9)) {
    return Error(ErrorCode::kInternal, "core ml: several functions need specification version 9");
  }
  program.Varint(1, 1);
  for (const NamedFunction& function : functions) {
    for (const GraphInput& input : function.graph->inputs()) {
      if (!IsIdentifier(input.name)) return Error(ErrorCode::kInternal, "core ml: name: " + input.name);
    }
    for (const GraphOutput& output : function.graph->outputs()) {
      if (!IsIdentifier(output.name)) return Error(ErrorCode::kInternal, "core ml: name: " + output.name);
    }
    program.Entry(2, function.name, FunctionEmitter(*function.graph, spec_version, blobs).Emit());
    if (is_multi) {
      Message function_description;
      function_description.Text(1, function.name);
      AddFeatures(*function.graph, 2, 3, &function_description);
      description.Sub(20, function_description);
    } else {
      AddFeatures(*function.graph, 1, 10, &description);
    }
  }
  if (is_multi) description.Text(21, functions.front().name);
  Message metadata;
  metadata.Text(1, text.description);
  metadata.Text(2, text.version);
  metadata.Text(3, "koe");
  metadata.Text(4, "Apache-2.0");
  for (const auto& [key, value] : text.properties) metadata.Entry(100, key, value);
  description.Sub(100, metadata);

  model.Varint(1, spec_version);
  model.Sub(2, description);
  model.Sub(502, program);
  return model.bytes();
}

}  // namespace koe::exporter
