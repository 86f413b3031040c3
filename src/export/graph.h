// SPDX-License-Identifier: Apache-2.0
// One stage as a program: values in static single assignment, every shape and type known when an operation is added.
// Both emitters read it; whoever builds it sees neither protobuf nor ONNX.
#ifndef KOE_EXPORT_GRAPH_H_
#define KOE_EXPORT_GRAPH_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "koe/result.h"

namespace koe::exporter {

enum class Type { kF16, kF32, kI32 };
using Shape = std::vector<int64_t>;
using ByteVector = std::vector<std::byte>;
using SharedBytes = std::shared_ptr<const ByteVector>;

inline size_t TypeBytes(Type type) { return type == Type::kF16 ? 2 : 4; }
int64_t NumElements(const Shape& shape);
std::string ShapeText(const Shape& shape);

// Index into Graph::values().
using Value = uint32_t;

// Tensors are channels first, [batch 1][channels][time], unless a comment says otherwise. "axis" counts from 0.
enum class Op {
  kCast,  // to the output's type
  kIdentity,
  kAdd,  // and the next four: numpy broadcasting, equal types
  kSub,
  kMul,
  kDiv,
  kMaximum,
  kSin,
  kCos,
  kExp,
  kSqrt,
  kSigmoid,
  kRound,      // half to even
  kGelu,       // tanh form
  kLeakyRelu,  // alpha
  kSoftmax,    // axis
  kReduceMean,
  kReduceSum,      // axis, kept
  kLinear,         // x [..][in], weight [out][in], bias [out]
  kMatMul,         // transpose_y
  kConv,           // x, weight [out][in/groups][taps], bias?; stride, dilation, pad_left, pad_right
  kConvTranspose,  // x, weight [in][out/groups][taps], bias?; stride, pad_left = pad_right, groups
  kLstm,           // x [T][1][in], W_ih [4H][in], W_hh [4H][H], b [4H] in PyTorch's gate order i, f, g, o -> [T][1][H]
  kLayerNorm,      // last axis; x or x, gamma, beta; epsilon
  kGather,         // table, constant or computed indices; axis
  kGatherAlongAxis,  // x, indices of x's shape; axis
  kTranspose,        // dims: permutation
  kReshape,          // dims: shape
  kExpandDims,       // axis
  kSqueeze,          // axis
  kTile,             // dims: repeats
  kConcat,           // axis
  kSplit,            // axis, into two halves: two outputs
  kSlice,            // begin, end for every axis
  kReflectLeft,      // one frame of reflection before the first
  kUpsample2,        // every frame twice
};
const char* OpName(Op op);

struct Attributes {
  std::vector<int64_t> dims = {}, begin = {}, end = {};
  int64_t axis = 0, stride = 1, dilation = 1, groups = 1, pad_left = 0, pad_right = 0;
  float alpha = 0, epsilon = 0;
  bool transpose_y = false;
  auto operator<=>(const Attributes&) const = default;
};

struct ValueInfo {
  Type type = Type::kF32;
  Shape shape;
  SharedBytes constant;  // row-major, of `type`; null: computed or an input
};

struct Node {
  Op op;
  std::vector<Value> inputs, outputs;
  Attributes attributes;
};

struct GraphInput {
  std::string name;
  Value value = 0;
  std::optional<float> default_value;  // every element, where the caller gives none
};
struct GraphOutput {
  std::string name;
  Value value = 0;
};

// Operations check the shapes and types of what they are given. The first that does not fit is remembered and makes
// Check fail: a mistake in a stage's builder, never in data.
class Graph {
 public:
  Value Input(const std::string& name, Type type, Shape shape, std::optional<float> default_value = std::nullopt);
  void Output(const std::string& name, Value value);
  Value Constant(Type type, Shape shape, SharedBytes bytes);
  Value Floats(Type type, Shape shape, std::span<const float> values);  // rounded to `type`
  Value Scalar(Type type, float value) { return Floats(type, {}, {&value, 1}); }
  Value Integers(Shape shape, std::span<const int32_t> values);

  Value Cast(Value x, Type type);  // x itself where it has the type
  Value Identity(Value x) { return Same(Op::kIdentity, x); }
  Value Add(Value x, Value y) { return Broadcast(Op::kAdd, x, y); }
  Value Sub(Value x, Value y) { return Broadcast(Op::kSub, x, y); }
  Value Mul(Value x, Value y) { return Broadcast(Op::kMul, x, y); }
  Value Div(Value x, Value y) { return Broadcast(Op::kDiv, x, y); }
  Value Maximum(Value x, Value y) { return Broadcast(Op::kMaximum, x, y); }
  // kSin .. kGelu.
  Value Unary(Op op, Value x) { return Same(op, x); }
  Value LeakyRelu(Value x, float slope);
  Value Softmax(Value x, int64_t axis);
  Value ReduceMean(Value x, int64_t axis) { return Reduce(Op::kReduceMean, x, axis); }
  Value ReduceSum(Value x, int64_t axis) { return Reduce(Op::kReduceSum, x, axis); }
  Value Linear(Value x, Value weight, Value bias);
  Value MatMul(Value x, Value y, bool transpose_y);
  struct Convolution {
    int64_t stride = 1, dilation = 1, groups = 1, padding = 0;
  };
  Value Conv(Value x, Value weight, std::optional<Value> bias, const Convolution& options);
  Value ConvTranspose(Value x, Value weight, std::optional<Value> bias, const Convolution& options);
  Value Lstm(Value x, Value weight_ih, Value weight_hh, Value bias);
  Value LayerNorm(Value x, std::optional<Value> gamma, std::optional<Value> beta, float epsilon);
  Value Gather(Value table, Value indices, int64_t axis);
  Value GatherAlongAxis(Value x, Value indices, int64_t axis);
  Value Transpose(Value x, std::vector<int64_t> permutation);
  Value Reshape(Value x, const Shape& shape);
  Value ExpandDims(Value x, int64_t axis);
  Value Squeeze(Value x, int64_t axis);
  Value Tile(Value x, std::vector<int64_t> repeats);
  Value Concat(std::vector<Value> parts, int64_t axis);
  std::pair<Value, Value> SplitHalves(Value x, int64_t axis);
  Value Slice(Value x, int64_t axis, int64_t begin, int64_t end);
  Value ReflectLeft(Value x);
  Value Upsample2(Value x);

  // kInternal: what did not fit first.
  Result<void> Check() const;

  const Shape& shape(Value x) const { return values_[x].shape; }
  Type type(Value x) const { return values_[x].type; }
  const std::vector<ValueInfo>& values() const { return values_; }
  const std::vector<Node>& nodes() const { return nodes_; }  // each after those whose outputs it uses
  const std::vector<GraphInput>& inputs() const { return inputs_; }
  const std::vector<GraphOutput>& outputs() const { return outputs_; }
  size_t Count(Op op) const;

 private:
  using Key = std::tuple<Op, std::vector<Value>, Attributes, Type>;
  struct OutputSpec {
    Type type;
    Shape shape;
  };

  // The outputs of an equal operation that is there already, or of a new one.
  std::vector<Value> AddNode(Op op, std::vector<Value> inputs, Attributes attributes, std::vector<OutputSpec> outputs);
  Value AddOne(Op op, std::vector<Value> inputs, Attributes attributes, Type type, Shape shape);
  Value Broadcast(Op op, Value x, Value y);
  Value Same(Op op, Value x) { return AddOne(op, {x}, {}, type(x), shape(x)); }
  Value Reduce(Op op, Value x, int64_t axis);
  bool Require(bool condition, Op op, const std::vector<Value>& inputs);
  bool IsFloat(Value x) const { return type(x) != Type::kI32; }

  std::vector<ValueInfo> values_;
  std::vector<Node> nodes_;
  std::vector<GraphInput> inputs_;
  std::vector<GraphOutput> outputs_;
  std::map<Key, std::vector<Value>> known_;
  std::map<std::tuple<Type, Shape, ByteVector>, Value> small_constants_;
  std::map<std::tuple<Type, Shape, const ByteVector*>, Value> shared_constants_;
  std::string error_;
};

}  // namespace koe::exporter

#endif  // KOE_EXPORT_GRAPH_H_
