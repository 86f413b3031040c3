// SPDX-License-Identifier: Apache-2.0
#include "bundle/onnx_reader.h"

#include <algorithm>
#include <string>

#include "bundle/limits.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

struct Field {
  uint32_t number = 0;
  uint32_t wire = 0;
  uint64_t varint = 0;  // kVarint
  Bytes bytes;          // the other wire types
};

// Calls visit(field) for every field of a message; visit returns Result<void>.
class Wire {
 public:
  explicit Wire(Bytes file) : file_(file) {}

  Error Corrupt(const std::byte* at, const std::string& why) const {
    return Error(ErrorCode::kCorruptBundle, "onnx: byte " + std::to_string(at - file_.data()) + ": " + why);
  }

  template <typename Visit>
  Result<void> ForEachField(Bytes message, Visit visit) const {
    ByteReader reader(message);
    while (!reader.done()) {
      const std::byte* at = message.data() + reader.offset();
      Field field;
      uint64_t tag;
      if (!reader.ReadVarint(&tag) || tag > UINT32_MAX || tag >> 3 == 0) return Corrupt(at, "bad field tag");
      field.number = static_cast<uint32_t>(tag >> 3);
      field.wire = static_cast<uint32_t>(tag & 7);
      bool ok = false;
      switch (field.wire) {
        case kVarint:
          ok = reader.ReadVarint(&field.varint);
          break;
        case kFixed64:
          ok = reader.Take(8, &field.bytes);
          break;
        case kFixed32:
          ok = reader.Take(4, &field.bytes);
          break;
        case kLength: {
          uint64_t length;
          ok = reader.ReadVarint(&length) && reader.Take(length, &field.bytes);
          break;
        }
        default:
          return Corrupt(at, "wire type " + std::to_string(field.wire));
      }
      if (!ok) return Corrupt(at, "field " + std::to_string(field.number) + " reaches past its message");
      KOE_CHECK_OK(visit(field, at));
    }
    return {};
  }

  // A string field that may come once and holds a name.
  Result<void> ReadName(const Field& field, const std::byte* at, std::string_view* name) const {
    if (field.wire != kLength) return Corrupt(at, "a name of another wire type");
    if (!name->empty()) return Corrupt(at, "a second name");
    if (field.bytes.size() > kMaxTensorNameBytes) {
      return Corrupt(at, "a name of " + std::to_string(field.bytes.size()) + " bytes");
    }
    *name = AsText(field.bytes);
    return {};
  }

 private:
  Bytes file_;
};

Result<void> ReadDim(const Wire& wire, uint64_t dim, const std::byte* at, OnnxTensor* tensor) {
  if (tensor->shape.size() == kMaxRank) return wire.Corrupt(at, "rank above " + std::to_string(kMaxRank));
  if (dim > INT64_MAX) return wire.Corrupt(at, "negative dimension");
  tensor->shape.push_back(dim);
  return {};
}

Result<OnnxTensor> ReadTensor(const Wire& wire, Bytes message) {
  OnnxTensor tensor;
  tensor.message = message;
  KOE_CHECK_OK(wire.ForEachField(message, [&](const Field& field, const std::byte* at) -> Result<void> {
    switch (field.number) {
      case 1: {  // dims, packed or not
        if (field.wire == kVarint) return ReadDim(wire, field.varint, at, &tensor);
        if (field.wire != kLength) return wire.Corrupt(at, "dims of another wire type");
        ByteReader packed(field.bytes);
        while (!packed.done()) {
          uint64_t dim;
          if (!packed.ReadVarint(&dim)) return wire.Corrupt(at, "bad dims");
          KOE_CHECK_OK(ReadDim(wire, dim, at, &tensor));
        }
        return {};
      }
      case 2:  // data_type
        if (field.wire != kVarint || tensor.data_type != 0 || field.varint > 1000) {
          return wire.Corrupt(at, "bad data type");
        }
        tensor.data_type = static_cast<int32_t>(field.varint);
        return {};
      case 8:
        return wire.ReadName(field, at, &tensor.name);
      case 9:  // raw_data
        if (field.wire != kLength || tensor.has_raw) return wire.Corrupt(at, "bad raw data");
        tensor.raw = field.bytes;
        tensor.has_raw = true;
        return {};
      case 3:   // segment
      case 13:  // external_data
        return Error(ErrorCode::kUnsupported, "onnx: tensors in parts or in other files are not read");
      case 14:  // data_location
        if (field.wire != kVarint || field.varint != 0) {
          return Error(ErrorCode::kUnsupported, "onnx: tensors in other files are not read");
        }
        return {};
      default:
        return {};
    }
  }));
  return tensor;
}

Result<OnnxNode> ReadNode(const Wire& wire, Bytes message) {
  OnnxNode node;
  const auto add = [&](const Field& field, const std::byte* at, std::vector<std::string_view>* names) -> Result<void> {
    if (field.wire != kLength || field.bytes.size() > kMaxTensorNameBytes) return wire.Corrupt(at, "bad node");
    if (names->size() == kMaxOnnxNodeInputs) return wire.Corrupt(at, "a node with too many inputs or outputs");
    names->push_back(AsText(field.bytes));
    return {};
  };
  KOE_CHECK_OK(wire.ForEachField(message, [&](const Field& field, const std::byte* at) -> Result<void> {
    switch (field.number) {
      case 1:
        return add(field, at, &node.inputs);
      case 2:
        return add(field, at, &node.outputs);
      case 3:
        return wire.ReadName(field, at, &node.name);
      case 4:
        return wire.ReadName(field, at, &node.op_type);
      case 5: {  // attribute: only Gemm's transB matters
        if (field.wire != kLength) return wire.Corrupt(at, "bad attribute");
        std::string_view name;
        uint64_t value = 0;
        KOE_CHECK_OK(wire.ForEachField(field.bytes, [&](const Field& part, const std::byte* part_at) -> Result<void> {
          if (part.number == 1) return wire.ReadName(part, part_at, &name);
          if (part.number == 3 && part.wire == kVarint) value = part.varint;
          return {};
        }));
        if (name == "transB") node.transposes_b = value != 0;
        return {};
      }
      default:
        return {};
    }
  }));
  return node;
}

Result<void> ReadGraph(const Wire& wire, Bytes message, OnnxGraph* graph) {
  return wire.ForEachField(message, [&](const Field& field, const std::byte* at) -> Result<void> {
    switch (field.number) {
      case 1: {
        if (field.wire != kLength) return wire.Corrupt(at, "bad node");
        if (graph->nodes.size() == kMaxOnnxNodes) return wire.Corrupt(at, "too many nodes");
        KOE_TRY(OnnxNode node, ReadNode(wire, field.bytes));
        if (!node.name.empty() && !graph->node_index.emplace(node.name, graph->nodes.size()).second) {
          return wire.Corrupt(at, "node " + Quoted(node.name) + " twice");
        }
        graph->nodes.push_back(std::move(node));
        return {};
      }
      case 5: {
        if (field.wire != kLength) return wire.Corrupt(at, "bad initialiser");
        if (graph->initializers.size() == kMaxTensors) return wire.Corrupt(at, "too many initialisers");
        KOE_TRY(OnnxTensor tensor, ReadTensor(wire, field.bytes));
        if (!graph->initializer_index.emplace(tensor.name, graph->initializers.size()).second) {
          return wire.Corrupt(at, "initialiser " + Quoted(tensor.name) + " twice");
        }
        graph->initializers.push_back(std::move(tensor));
        return {};
      }
      default:
        return {};
    }
  });
}

}  // namespace

const OnnxTensor* OnnxGraph::FindInitializer(std::string_view name) const {
  const auto found = initializer_index.find(name);
  return found == initializer_index.end() ? nullptr : &initializers[found->second];
}

const OnnxNode* OnnxGraph::FindNode(std::string_view name) const {
  const auto found = node_index.find(name);
  return found == node_index.end() ? nullptr : &nodes[found->second];
}

Result<OnnxGraph> ReadOnnx(Bytes file) {
  const Wire wire(file);
  OnnxGraph graph;
  bool has_graph = false;
  KOE_CHECK_OK(wire.ForEachField(file, [&](const Field& field, const std::byte* at) -> Result<void> {
    if (field.number != 7) return {};
    if (field.wire != kLength || has_graph) return wire.Corrupt(at, "bad or second graph");
    has_graph = true;
    return ReadGraph(wire, field.bytes, &graph);
  }));
  if (!has_graph) return Error(ErrorCode::kCorruptBundle, "onnx: no graph in the file");
  return graph;
}

Result<Bytes> OnnxElements(const OnnxTensor& tensor, std::vector<std::byte>* owned) {
  const auto corrupt = [&](const std::string& why) {
    return Error(ErrorCode::kCorruptBundle, "onnx: initialiser " + Quoted(tensor.name) + ": " + why);
  };
  size_t width;
  switch (tensor.data_type) {
    case kOnnxFloat:
    case kOnnxInt32:
      width = 4;
      break;
    case kOnnxFloat16:
      width = 2;
      break;
    case kOnnxInt8:
    case kOnnxUint8:
      width = 1;
      break;
    default:
      return Error(ErrorCode::kUnsupported,
                   "onnx: initialiser " + Quoted(tensor.name) + ": data type " + std::to_string(tensor.data_type));
  }
  const auto count = CheckedElements(tensor.shape);
  const auto size = count ? CheckedMul(*count, width) : std::nullopt;
  if (!size) return corrupt("a shape beyond 64 bits");
  const auto wrong_size = [&] { return corrupt("not " + std::to_string(*count) + " values"); };
  if (tensor.has_raw) {
    if (tensor.raw.size() != *size) return wrong_size();
    return tensor.raw;
  }
  // Each value takes a byte of the message or more, which bounds what is reserved.
  if (*count > tensor.message.size()) return wrong_size();
  owned->reserve(*size);
  const auto put = [&](const void* value) {
    const auto* bytes = static_cast<const std::byte*>(value);
    owned->insert(owned->end(), bytes, bytes + width);
  };
  const auto put_integer = [&](uint64_t varint) {
    const auto value = static_cast<int64_t>(varint);
    const int64_t low = tensor.data_type == kOnnxInt8 ? -128 : tensor.data_type == kOnnxInt32 ? INT32_MIN : 0;
    const int64_t high = tensor.data_type == kOnnxInt8      ? 127
                         : tensor.data_type == kOnnxUint8   ? 255
                         : tensor.data_type == kOnnxFloat16 ? 65535
                                                            : INT32_MAX;
    if (value < low || value > high || owned->size() == *size) return false;
    put(&value);  // little-endian: the low bytes come first
    return true;
  };
  const Wire wire(tensor.message);
  const uint32_t expected = tensor.data_type == kOnnxFloat ? 4 : 5;  // float_data, int32_data
  KOE_CHECK_OK(wire.ForEachField(tensor.message, [&](const Field& field, const std::byte*) -> Result<void> {
    if (field.number != expected) return {};
    if (expected == 4) {
      if (field.wire == kVarint || field.bytes.size() % 4 != 0 || owned->size() + field.bytes.size() > *size) {
        return wrong_size();
      }
      owned->insert(owned->end(), field.bytes.begin(), field.bytes.end());
      return {};
    }
    if (field.wire == kVarint) return put_integer(field.varint) ? Result<void>() : wrong_size();
    if (field.wire != kLength) return wrong_size();
    ByteReader packed(field.bytes);
    while (!packed.done()) {
      uint64_t value;
      if (!packed.ReadVarint(&value) || !put_integer(value)) return wrong_size();
    }
    return {};
  }));
  if (owned->size() != *size) return wrong_size();
  return Bytes(*owned);
}

}  // namespace koe::bundle
