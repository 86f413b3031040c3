// SPDX-License-Identifier: Apache-2.0
#include "export/graph.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "export/half.h"

namespace koe::exporter {
namespace {

constexpr size_t kSmallConstantBytes = 64;

struct OpText {
  Op op;
  const char* name;
};
constexpr OpText kOpNames[] = {
    {Op::kCast, "cast"},
    {Op::kIdentity, "identity"},
    {Op::kAdd, "add"},
    {Op::kSub, "sub"},
    {Op::kMul, "mul"},
    {Op::kDiv, "div"},
    {Op::kMaximum, "maximum"},
    {Op::kSin, "sin"},
    {Op::kCos, "cos"},
    {Op::kExp, "exp"},
    {Op::kSqrt, "sqrt"},
    {Op::kSigmoid, "sigmoid"},
    {Op::kRound, "round"},
    {Op::kGelu, "gelu"},
    {Op::kLeakyRelu, "leaky_relu"},
    {Op::kSoftmax, "softmax"},
    {Op::kReduceMean, "mean"},
    {Op::kReduceSum, "sum"},
    {Op::kLinear, "linear"},
    {Op::kMatMul, "matmul"},
    {Op::kConv, "conv"},
    {Op::kConvTranspose, "conv_transpose"},
    {Op::kLstm, "lstm"},
    {Op::kLayerNorm, "layer_norm"},
    {Op::kGather, "gather"},
    {Op::kGatherAlongAxis, "gather_along"},
    {Op::kTranspose, "transpose"},
    {Op::kReshape, "reshape"},
    {Op::kExpandDims, "expand_dims"},
    {Op::kSqueeze, "squeeze"},
    {Op::kTile, "tile"},
    {Op::kConcat, "concat"},
    {Op::kSplit, "split"},
    {Op::kSlice, "slice"},
    {Op::kReflectLeft, "reflect_left"},
    {Op::kUpsample2, "upsample"},
};

// Numpy's rule; nullopt where the shapes do not go together.
std::optional<Shape> BroadcastShape(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < result.size(); ++i) {
    const int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) return std::nullopt;
    result[result.size() - 1 - i] = std::max(x, y);
  }
  return result;
}

bool IsAxis(const Shape& shape, int64_t axis) { return axis >= 0 && axis < static_cast<int64_t>(shape.size()); }

Shape With(Shape shape, int64_t axis, int64_t size) {
  shape[static_cast<size_t>(axis)] = size;
  return shape;
}

}  // namespace

int64_t NumElements(const Shape& shape) {
  int64_t n = 1;
  for (const int64_t d : shape) n *= d;
  return n;
}

std::string ShapeText(const Shape& shape) {
  std::string text = "[";
  for (const int64_t d : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(d);
  return text + "]";
}

const char* OpName(Op op) {
  for (const OpText& entry : kOpNames) {
    if (entry.op == op) return entry.name;
  }
  return "unknown";
}

bool Graph::Require(bool condition, Op op, const std::vector<Value>& inputs) {
  if (!condition && error_.empty()) {
    error_ = std::string(OpName(op)) + ": operands";
    for (const Value x : inputs) error_ += " " + ShapeText(shape(x)) + "/" + std::to_string(static_cast<int>(type(x)));
    error_ += ": do not fit";
  }
  return condition;
}

Result<void> Graph::Check() const {
  if (!error_.empty()) return Error(ErrorCode::kInternal, "graph: " + error_);
  if (inputs_.empty() || outputs_.empty()) return Error(ErrorCode::kInternal, "graph: no inputs or no outputs");
  return {};
}

size_t Graph::Count(Op op) const {
  return static_cast<size_t>(std::count_if(nodes_.begin(), nodes_.end(), [op](const Node& n) { return n.op == op; }));
}

Value Graph::Input(const std::string& name, Type type, Shape shape, std::optional<float> default_value) {
  values_.push_back({type, std::move(shape), nullptr});
  inputs_.push_back({name, static_cast<Value>(values_.size() - 1), default_value});
  return inputs_.back().value;
}

// An output is the result of an operation of its own, because both formats name outputs after operations.
void Graph::Output(const std::string& name, Value value) {
  const bool taken = std::any_of(outputs_.begin(), outputs_.end(), [&](const auto& o) { return o.value == value; });
  const bool is_input = std::any_of(inputs_.begin(), inputs_.end(), [&](const auto& i) { return i.value == value; });
  if (taken && error_.empty()) error_ = "output: " + name + ": is another output too";
  outputs_.push_back({name, is_input ? Identity(value) : value});
}

Value Graph::Constant(Type type, Shape shape, SharedBytes bytes) {
  if (bytes->size() != static_cast<size_t>(NumElements(shape)) * TypeBytes(type) && error_.empty()) {
    error_ = "constant: " + ShapeText(shape) + ": another number of bytes";
  }
  const auto next = static_cast<Value>(values_.size());
  Value value;
  if (bytes->size() <= kSmallConstantBytes) {
    value = small_constants_.try_emplace({type, shape, *bytes}, next).first->second;
  } else {
    value = shared_constants_.try_emplace({type, shape, bytes.get()}, next).first->second;
  }
  if (value == next) values_.push_back({type, std::move(shape), std::move(bytes)});
  return value;
}

Value Graph::Floats(Type type, Shape shape, std::span<const float> values) {
  return Constant(type, std::move(shape), PackFloats(type == Type::kF16, values));
}

Value Graph::Integers(Shape shape, std::span<const int32_t> values) {
  const auto bytes = std::as_bytes(values);
  return Constant(Type::kI32, std::move(shape), std::make_shared<const ByteVector>(bytes.begin(), bytes.end()));
}

std::vector<Value> Graph::AddNode(Op op, std::vector<Value> inputs, Attributes attributes,
                                  std::vector<OutputSpec> outputs) {
  auto [known, is_new] = known_.try_emplace({op, inputs, attributes, outputs.front().type});
  if (is_new) {
    for (OutputSpec& output : outputs) {
      known->second.push_back(static_cast<Value>(values_.size()));
      values_.push_back({output.type, std::move(output.shape), nullptr});
    }
    nodes_.push_back({op, std::move(inputs), known->second, std::move(attributes)});
  }
  return known->second;
}

Value Graph::AddOne(Op op, std::vector<Value> inputs, Attributes attributes, Type type, Shape shape) {
  return AddNode(op, std::move(inputs), std::move(attributes), {{type, std::move(shape)}}).front();
}

Value Graph::Cast(Value x, Type to) { return type(x) == to ? x : AddOne(Op::kCast, {x}, {}, to, shape(x)); }

Value Graph::Broadcast(Op op, Value x, Value y) {
  const auto result = BroadcastShape(shape(x), shape(y));
  if (!Require(result.has_value() && type(x) == type(y), op, {x, y})) return x;
  return AddOne(op, {x, y}, {}, type(x), *result);
}

Value Graph::LeakyRelu(Value x, float slope) {
  if (!Require(IsFloat(x), Op::kLeakyRelu, {x})) return x;
  return AddOne(Op::kLeakyRelu, {x}, {.alpha = slope}, type(x), shape(x));
}

Value Graph::Softmax(Value x, int64_t axis) {
  if (!Require(IsFloat(x) && IsAxis(shape(x), axis), Op::kSoftmax, {x})) return x;
  return AddOne(Op::kSoftmax, {x}, {.axis = axis}, type(x), shape(x));
}

Value Graph::Reduce(Op op, Value x, int64_t axis) {
  if (!Require(IsAxis(shape(x), axis), op, {x})) return x;
  return AddOne(op, {x}, {.axis = axis}, type(x), With(shape(x), axis, 1));
}

Value Graph::Linear(Value x, Value weight, Value bias) {
  const Shape &w = shape(weight), &in = shape(x);
  if (!Require(w.size() == 2 && !in.empty() && in.back() == w[1] && shape(bias) == Shape{w[0]} &&
                   type(x) == type(weight) && type(x) == type(bias) && IsFloat(x),
               Op::kLinear, {x, weight, bias})) {
    return x;
  }
  Shape out = in;
  out.back() = w[0];
  return AddOne(Op::kLinear, {x, weight, bias}, {}, type(x), out);
}

Value Graph::MatMul(Value x, Value y, bool transpose_y) {
  const Shape &a = shape(x), &b = shape(y);
  const size_t rank = a.size();
  bool fits = rank >= 2 && b.size() == rank && type(x) == type(y) && IsFloat(x);
  for (size_t i = 0; fits && i + 2 < rank; ++i) fits = a[i] == b[i];
  if (!Require(fits && a[rank - 1] == b[transpose_y ? rank - 1 : rank - 2], Op::kMatMul, {x, y})) return x;
  Shape out = a;
  out.back() = b[transpose_y ? rank - 2 : rank - 1];
  return AddOne(Op::kMatMul, {x, y}, {.transpose_y = transpose_y}, type(x), out);
}

Value Graph::Conv(Value x, Value weight, std::optional<Value> bias, const Convolution& o) {
  const Shape &in = shape(x), &w = shape(weight);
  std::vector<Value> inputs = {x, weight};
  if (bias) inputs.push_back(*bias);
  if (!Require(in.size() == 3 && w.size() == 3 && in[1] == w[1] * o.groups && w[0] % o.groups == 0 &&
                   type(x) == type(weight) && IsFloat(x) &&
                   (!bias || (shape(*bias) == Shape{w[0]} && type(*bias) == type(x))),
               Op::kConv, inputs)) {
    return x;
  }
  const int64_t frames = (in[2] + 2 * o.padding - o.dilation * (w[2] - 1) - 1) / o.stride + 1;
  return AddOne(
      Op::kConv, std::move(inputs),
      {.stride = o.stride, .dilation = o.dilation, .groups = o.groups, .pad_left = o.padding, .pad_right = o.padding},
      type(x), {in[0], w[0], frames});
}

Value Graph::ConvTranspose(Value x, Value weight, std::optional<Value> bias, const Convolution& o) {
  const Shape &in = shape(x), &w = shape(weight);
  std::vector<Value> inputs = {x, weight};
  if (bias) inputs.push_back(*bias);
  if (!Require(in.size() == 3 && w.size() == 3 && in[1] == w[0] && in[1] % o.groups == 0 && o.dilation == 1 &&
                   type(x) == type(weight) && IsFloat(x) &&
                   (!bias || (shape(*bias) == Shape{w[1] * o.groups} && type(*bias) == type(x))),
               Op::kConvTranspose, inputs)) {
    return x;
  }
  const int64_t frames = (in[2] - 1) * o.stride + w[2] - 2 * o.padding;
  return AddOne(Op::kConvTranspose, std::move(inputs),
                {.stride = o.stride, .groups = o.groups, .pad_left = o.padding, .pad_right = o.padding}, type(x),
                {in[0], w[1] * o.groups, frames});
}

Value Graph::Lstm(Value x, Value weight_ih, Value weight_hh, Value bias) {
  const Shape &in = shape(x), &ih = shape(weight_ih), &hh = shape(weight_hh);
  std::vector<Value> inputs = {x, weight_ih, weight_hh, bias};
  bool fits = in.size() == 3 && in[1] == 1 && ih.size() == 2 && hh.size() == 2 && ih[1] == in[2] && ih[0] == hh[0] &&
              hh[0] == 4 * hh[1] && shape(bias) == Shape{ih[0]};
  // float16 cells exist from Core ML 7 only.
  for (const Value v : inputs) fits = fits && type(v) == Type::kF32;
  if (!Require(fits, Op::kLstm, inputs)) return x;
  return AddOne(Op::kLstm, std::move(inputs), {}, type(x), {in[0], 1, hh[1]});
}

Value Graph::LayerNorm(Value x, std::optional<Value> gamma, std::optional<Value> beta, float epsilon) {
  std::vector<Value> inputs = {x};
  bool fits = IsFloat(x) && !shape(x).empty() && gamma.has_value() == beta.has_value();
  for (const auto& v : {gamma, beta}) {
    if (!v) continue;
    inputs.push_back(*v);
    fits = fits && shape(*v) == Shape{shape(x).back()} && type(*v) == type(x);
  }
  if (!Require(fits, Op::kLayerNorm, inputs)) return x;
  return AddOne(Op::kLayerNorm, std::move(inputs), {.epsilon = epsilon}, type(x), shape(x));
}

Value Graph::Gather(Value table, Value indices, int64_t axis) {
  if (!Require(IsAxis(shape(table), axis) && type(indices) == Type::kI32, Op::kGather, {table, indices})) return table;
  Shape out(shape(table).begin(), shape(table).begin() + axis);
  out.insert(out.end(), shape(indices).begin(), shape(indices).end());
  out.insert(out.end(), shape(table).begin() + axis + 1, shape(table).end());
  return AddOne(Op::kGather, {table, indices}, {.axis = axis}, type(table), out);
}

Value Graph::GatherAlongAxis(Value x, Value indices, int64_t axis) {
  if (!Require(IsAxis(shape(x), axis) && shape(indices) == shape(x) && type(indices) == Type::kI32,
               Op::kGatherAlongAxis, {x, indices})) {
    return x;
  }
  return AddOne(Op::kGatherAlongAxis, {x, indices}, {.axis = axis}, type(x), shape(x));
}

Value Graph::Transpose(Value x, std::vector<int64_t> permutation) {
  std::vector<int64_t> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  bool fits = permutation.size() == shape(x).size();
  for (size_t i = 0; fits && i < sorted.size(); ++i) fits = sorted[i] == static_cast<int64_t>(i);
  if (!Require(fits, Op::kTranspose, {x})) return x;
  Shape out;
  for (const int64_t axis : permutation) out.push_back(shape(x)[static_cast<size_t>(axis)]);
  return AddOne(Op::kTranspose, {x}, {.dims = std::move(permutation)}, type(x), out);
}

Value Graph::Reshape(Value x, const Shape& to) {
  if (!Require(NumElements(to) == NumElements(shape(x)), Op::kReshape, {x})) return x;
  return AddOne(Op::kReshape, {x}, {.dims = to}, type(x), to);
}

Value Graph::ExpandDims(Value x, int64_t axis) {
  Shape out = shape(x);
  if (!Require(axis >= 0 && axis <= static_cast<int64_t>(out.size()), Op::kExpandDims, {x})) return x;
  out.insert(out.begin() + axis, 1);
  return AddOne(Op::kExpandDims, {x}, {.axis = axis}, type(x), out);
}

Value Graph::Squeeze(Value x, int64_t axis) {
  Shape out = shape(x);
  if (!Require(IsAxis(out, axis) && out[static_cast<size_t>(axis)] == 1, Op::kSqueeze, {x})) return x;
  out.erase(out.begin() + axis);
  return AddOne(Op::kSqueeze, {x}, {.axis = axis}, type(x), out);
}

Value Graph::Tile(Value x, std::vector<int64_t> repeats) {
  Shape out = shape(x);
  if (!Require(repeats.size() == out.size(), Op::kTile, {x})) return x;
  for (size_t i = 0; i < out.size(); ++i) out[i] *= repeats[i];
  return AddOne(Op::kTile, {x}, {.dims = std::move(repeats)}, type(x), out);
}

Value Graph::Concat(std::vector<Value> parts, int64_t axis) {
  const Shape& first = shape(parts.front());
  bool fits = IsAxis(first, axis);
  int64_t total = 0;
  for (const Value x : parts) {
    fits = fits && IsAxis(shape(x), axis) && With(shape(x), axis, 0) == With(first, axis, 0) &&
           type(x) == type(parts.front());
    if (fits) total += shape(x)[static_cast<size_t>(axis)];
  }
  if (!Require(fits, Op::kConcat, parts)) return parts.front();
  const Type t = type(parts.front());
  Shape out = With(first, axis, total);
  return AddOne(Op::kConcat, std::move(parts), {.axis = axis}, t, std::move(out));
}

std::pair<Value, Value> Graph::SplitHalves(Value x, int64_t axis) {
  if (!Require(IsAxis(shape(x), axis) && shape(x)[static_cast<size_t>(axis)] % 2 == 0, Op::kSplit, {x})) return {x, x};
  const Shape half = With(shape(x), axis, shape(x)[static_cast<size_t>(axis)] / 2);
  const auto parts = AddNode(Op::kSplit, {x}, {.axis = axis}, {{type(x), half}, {type(x), half}});
  return {parts[0], parts[1]};
}

Value Graph::Slice(Value x, int64_t axis, int64_t begin, int64_t end) {
  const Shape& in = shape(x);
  if (!Require(IsAxis(in, axis) && begin >= 0 && begin < end && end <= in[static_cast<size_t>(axis)], Op::kSlice,
               {x})) {
    return x;
  }
  Attributes attributes{.begin = With(Shape(in.size(), 0), axis, begin), .end = With(in, axis, end)};
  Shape out = With(in, axis, end - begin);
  return AddOne(Op::kSlice, {x}, std::move(attributes), type(x), std::move(out));
}

Value Graph::ReflectLeft(Value x) {
  if (!Require(shape(x).size() == 3 && shape(x)[2] >= 2, Op::kReflectLeft, {x})) return x;
  return AddOne(Op::kReflectLeft, {x}, {}, type(x), With(shape(x), 2, shape(x)[2] + 1));
}

Value Graph::Upsample2(Value x) {
  if (!Require(shape(x).size() == 3, Op::kUpsample2, {x})) return x;
  return AddOne(Op::kUpsample2, {x}, {}, type(x), With(shape(x), 2, 2 * shape(x)[2]));
}

}  // namespace koe::exporter
