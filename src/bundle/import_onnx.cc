// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <unordered_map>

#include "bundle/import.h"
#include "bundle/onnx_reader.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

using Kind = OnnxSource::Kind;

Error Corrupt(const std::string& tensor, const std::string& why) {
  return Error(ErrorCode::kCorruptBundle, "tensor: " + tensor + ": " + why);
}

// Names of the scale and zero point of a quantised initialiser; empty: "<weight>_scale", and zero.
struct Quantisation {
  std::string_view scale, zero_point;
};

// dst[r][c] = src[map(r)][c], or src[c][map(r)] where src is transposed; map reorders blocks of rows / 4.
// ONNX keeps LSTM gates as input, output, forget, cell; PyTorch as input, forget, cell, output.
struct Rearrangement {
  bool transpose = false;
  bool reorder_gates = false;
};

template <typename Word>
void RearrangeWords(const std::byte* src, size_t rows, size_t cols, Rearrangement how, std::byte* dst) {
  constexpr size_t kGateSource[4] = {0, 2, 3, 1};
  const size_t block = rows / 4;
  const auto from = [&](size_t r) { return how.reorder_gates ? kGateSource[r / block] * block + r % block : r; };
  if (!how.transpose) {
    for (size_t r = 0; r < rows; ++r) {
      std::memcpy(dst + r * cols * sizeof(Word), src + from(r) * cols * sizeof(Word), cols * sizeof(Word));
    }
    return;
  }
  // In tiles, so that the strided side stays in the cache.
  constexpr size_t kTile = 64;
  for (size_t r0 = 0; r0 < rows; r0 += kTile) {
    for (size_t c0 = 0; c0 < cols; c0 += kTile) {
      for (size_t r = r0; r < std::min(r0 + kTile, rows); ++r) {
        const size_t row = from(r);
        for (size_t c = c0; c < std::min(c0 + kTile, cols); ++c) {
          const Word word = LoadLe<Word>(src + (c * rows + row) * sizeof(Word));
          std::memcpy(dst + (r * cols + c) * sizeof(Word), &word, sizeof(Word));
        }
      }
    }
  }
}

// width: 1, 2 or 4 bytes.
std::vector<std::byte> Rearrange(const std::byte* src, size_t width, size_t rows, size_t cols, Rearrangement how) {
  std::vector<std::byte> dst(rows * cols * width);
  if (width == 1) RearrangeWords<uint8_t>(src, rows, cols, how, dst.data());
  if (width == 2) RearrangeWords<uint16_t>(src, rows, cols, how, dst.data());
  if (width == 4) RearrangeWords<uint32_t>(src, rows, cols, how, dst.data());
  return dst;
}

class Importer {
 public:
  explicit Importer(const OnnxGraph& graph) : graph_(graph) {
    std::unordered_map<std::string_view, std::string_view> gathered;  // output of a Gather -> its table
    for (const OnnxNode& node : graph.nodes) {
      if (node.op_type == "Gather" && node.inputs.size() == 2 && node.outputs.size() == 1) {
        gathered[node.outputs[0]] = node.inputs[0];
      } else if ((node.op_type == "MatMulInteger" || node.op_type == "ConvInteger") && node.inputs.size() >= 2) {
        quantisation_.emplace(node.inputs[1], Quantisation{"", node.inputs.size() > 3 ? node.inputs[3] : ""});
      }
    }
    for (const OnnxNode& node : graph.nodes) {
      if (node.op_type != "DequantizeLinear" || node.inputs.size() < 2) continue;
      const auto found = gathered.find(node.inputs[0]);
      const std::string_view weight = found != gathered.end() ? found->second : node.inputs[0];
      quantisation_.emplace(weight, Quantisation{node.inputs[1], node.inputs.size() > 2 ? node.inputs[2] : ""});
    }
  }

  Result<ImportedTensor> Import(const TensorSpec& spec, const OnnxSource& source) const {
    switch (source.kind) {
      case Kind::kInitializer: {
        const OnnxTensor* tensor = graph_.FindInitializer(source.name);
        if (tensor == nullptr) tensor = graph_.FindInitializer(source.name + "_quantized");
        if (tensor == nullptr) return Corrupt(spec.name, "the file has no initialiser '" + source.name + "'");
        return ImportWeight(spec, *tensor, {});
      }
      case Kind::kNodeWeight:
      case Kind::kLinearWeight: {
        KOE_TRY(const OnnxNode* node, FindNode(spec, source));
        KOE_TRY(const OnnxTensor* tensor, Input(spec, *node, 1));
        const bool transpose = source.kind == Kind::kLinearWeight && !(node->op_type == "Gemm" && node->transposes_b);
        return ImportWeight(spec, *tensor, {transpose, false});
      }
      case Kind::kLstmInputWeight:
      case Kind::kLstmRecurrentWeight:
        return ImportLstmWeight(spec, source);
      case Kind::kLstmInputBias:
      case Kind::kLstmRecurrentBias:
        return ImportLstmBias(spec, source);
    }
    return Error(ErrorCode::kInternal, "tensor: " + spec.name + ": unknown place");
  }

 private:
  Result<const OnnxNode*> FindNode(const TensorSpec& spec, const OnnxSource& source) const {
    for (const char* suffix : {"", "_quant", "_MatMul_quant", "_MatMul"}) {
      if (const OnnxNode* node = graph_.FindNode(source.name + suffix)) return node;
    }
    return Corrupt(spec.name, "the file has no node '" + source.name + "'");
  }

  Result<const OnnxTensor*> Input(const TensorSpec& spec, const OnnxNode& node, size_t index) const {
    if (index >= node.inputs.size()) return Corrupt(spec.name, "node " + Quoted(node.name) + " has too few inputs");
    const OnnxTensor* tensor = graph_.FindInitializer(node.inputs[index]);
    if (tensor == nullptr) {
      return Corrupt(spec.name, Quoted(node.inputs[index]) + " of node " + Quoted(node.name) + " is no initialiser");
    }
    return tensor;
  }

  Result<void> CheckShape(const TensorSpec& spec, const OnnxTensor& tensor, const std::vector<size_t>& expected) const {
    if (tensor.shape == expected) return {};
    return Corrupt(spec.name, "initialiser " + Quoted(tensor.name) + " has shape " + ShapeText(tensor.shape) +
                                  ", expected " + ShapeText(expected));
  }

  Result<DType> TypeOf(const TensorSpec& spec, const OnnxTensor& tensor) const {
    switch (tensor.data_type) {
      case kOnnxFloat:
        return DType::kF32;
      case kOnnxFloat16:
        return DType::kF16;
      case kOnnxInt8:
        return DType::kI8;
      case kOnnxUint8:
        return DType::kU8;
      default:
        return Error(ErrorCode::kUnsupported,
                     "tensor: " + spec.name + ": ONNX data type " + std::to_string(tensor.data_type));
    }
  }

  Result<std::vector<float>> Scales(const TensorSpec& spec, const OnnxTensor& tensor) const {
    if (tensor.data_type != kOnnxFloat) return Corrupt(spec.name, "scales that are not float32");
    std::vector<std::byte> owned;
    KOE_TRY(const Bytes bytes, OnnxElements(tensor, &owned));
    std::vector<float> scales(bytes.size() / 4);
    for (size_t i = 0; i < scales.size(); ++i) scales[i] = LoadLe<float>(bytes.data() + 4 * i);
    return scales;
  }

  // `type` is the weight's: its zero point must have the same.
  Result<std::vector<int32_t>> ZeroPoints(const TensorSpec& spec, std::string_view name, int32_t type,
                                          size_t count) const {
    if (name.empty()) return std::vector<int32_t>(count, 0);
    const OnnxTensor* tensor = graph_.FindInitializer(name);
    if (tensor == nullptr) return Corrupt(spec.name, "zero point " + Quoted(name) + " is no initialiser");
    if (tensor->data_type != type) return Corrupt(spec.name, "a zero point of another type than the weight");
    std::vector<std::byte> owned;
    KOE_TRY(const Bytes bytes, OnnxElements(*tensor, &owned));
    if (bytes.size() != count && bytes.size() != 1) {
      return Corrupt(spec.name, std::to_string(count) + " scales and " + std::to_string(bytes.size()) + " zero points");
    }
    std::vector<int32_t> values(count);
    for (size_t i = 0; i < count; ++i) {
      const std::byte b = bytes[bytes.size() == 1 ? 0 : i];
      values[i] = type == kOnnxInt8 ? static_cast<int8_t>(b) : static_cast<uint8_t>(b);
    }
    return values;
  }

  Result<ImportedTensor> ImportWeight(const TensorSpec& spec, const OnnxTensor& tensor, Rearrangement how) const {
    ImportedTensor imported;
    KOE_TRY(imported.dtype, TypeOf(spec, tensor));
    std::vector<size_t> expected = spec.shape;
    if (how.transpose) std::swap(expected[0], expected[1]);
    KOE_CHECK_OK(CheckShape(spec, tensor, expected));
    KOE_TRY(imported.bytes, OnnxElements(tensor, &imported.owned));
    if (how.transpose) {
      imported.owned =
          Rearrange(imported.bytes.data(), ElementBytes(imported.dtype), spec.shape[0], spec.shape[1], how);
      imported.bytes = imported.owned;
    }
    if (imported.dtype == DType::kI8 || imported.dtype == DType::kU8) {
      Quantisation q;
      if (const auto found = quantisation_.find(tensor.name); found != quantisation_.end()) q = found->second;
      std::string scale_name(q.scale);
      if (scale_name.empty()) {
        constexpr std::string_view kSuffix = "_quantized";
        std::string_view stem = tensor.name;
        if (stem.size() > kSuffix.size() && stem.substr(stem.size() - kSuffix.size()) == kSuffix) {
          stem.remove_suffix(kSuffix.size());
        }
        scale_name = std::string(stem) + "_scale";
      }
      const OnnxTensor* scale = graph_.FindInitializer(scale_name);
      if (scale == nullptr) return Corrupt(spec.name, "the file has no initialiser " + Quoted(scale_name));
      KOE_TRY(imported.scales, Scales(spec, *scale));
      KOE_TRY(imported.zero_points, ZeroPoints(spec, q.zero_point, tensor.data_type, imported.scales.size()));
    }
    KOE_CHECK_OK(
        CheckValues(spec.name, imported.dtype, imported.bytes, spec.shape[0], imported.scales, imported.zero_points));
    return imported;
  }

  // W is [2][4H][in] of LSTM and [2][in][4H] of DynamicQuantizeLSTM (onnxruntime's contrib operators), R likewise.
  Result<ImportedTensor> ImportLstmWeight(const TensorSpec& spec, const OnnxSource& source) const {
    KOE_TRY(const OnnxNode* node, FindNode(spec, source));
    const bool quantised = node->op_type == "DynamicQuantizeLSTM";
    const bool recurrent = source.kind == Kind::kLstmRecurrentWeight;
    KOE_TRY(const OnnxTensor* tensor, Input(spec, *node, recurrent ? 2 : 1));
    ImportedTensor imported;
    KOE_TRY(imported.dtype, TypeOf(spec, *tensor));
    const bool integers = imported.dtype == DType::kI8 || imported.dtype == DType::kU8;
    if (integers != quantised) return Corrupt(spec.name, "the LSTM's weights are not of its kind");
    const size_t rows = spec.shape[0], cols = spec.shape[1];
    KOE_CHECK_OK(
        CheckShape(spec, *tensor, quantised ? std::vector<size_t>{2, cols, rows} : std::vector<size_t>{2, rows, cols}));
    std::vector<std::byte> typed;
    KOE_TRY(const Bytes both, OnnxElements(*tensor, &typed));
    const size_t width = ElementBytes(imported.dtype);
    const std::byte* mine = both.data() + source.direction * rows * cols * width;
    imported.owned = Rearrange(mine, width, rows, cols, {quantised, true});
    imported.bytes = imported.owned;
    if (quantised) {
      const size_t scale_input = recurrent ? 10 : 8;
      KOE_TRY(const OnnxTensor* scale, Input(spec, *node, scale_input));
      KOE_TRY(const std::vector<float> scales, Scales(spec, *scale));
      const std::string_view zero = node->inputs.size() > scale_input + 1 ? node->inputs[scale_input + 1] : "";
      KOE_TRY(const std::vector<int32_t> zeros, ZeroPoints(spec, zero, tensor->data_type, scales.size()));
      if (scales.size() != 2 && scales.size() != 2 * rows) {
        return Corrupt(spec.name, std::to_string(scales.size()) + " scales for two directions");
      }
      const size_t count = scales.size() / 2, first = source.direction * count;
      imported.scales.assign(scales.begin() + first, scales.begin() + first + count);
      imported.zero_points.assign(zeros.begin() + first, zeros.begin() + first + count);
      if (count == rows && rows > 1) {
        const Rearrangement gates{false, true};
        const auto reordered = Rearrange(AsRaw(imported.scales), 4, rows, 1, gates);
        const auto reordered_zeros = Rearrange(AsRaw(imported.zero_points), 4, rows, 1, gates);
        std::memcpy(imported.scales.data(), reordered.data(), reordered.size());
        std::memcpy(imported.zero_points.data(), reordered_zeros.data(), reordered_zeros.size());
      }
    }
    KOE_CHECK_OK(CheckValues(spec.name, imported.dtype, imported.bytes, rows, imported.scales, imported.zero_points));
    return imported;
  }

  // B is [2][8H]: the input biases, then the recurrent ones.
  Result<ImportedTensor> ImportLstmBias(const TensorSpec& spec, const OnnxSource& source) const {
    KOE_TRY(const OnnxNode* node, FindNode(spec, source));
    KOE_TRY(const OnnxTensor* tensor, Input(spec, *node, 3));
    ImportedTensor imported;
    KOE_TRY(imported.dtype, TypeOf(spec, *tensor));
    if (imported.dtype != DType::kF32 && imported.dtype != DType::kF16) return Corrupt(spec.name, "integer biases");
    const size_t rows = spec.shape[0], width = ElementBytes(imported.dtype);
    KOE_CHECK_OK(CheckShape(spec, *tensor, {2, 2 * rows}));
    std::vector<std::byte> typed;
    KOE_TRY(const Bytes all, OnnxElements(*tensor, &typed));
    const size_t part = 2 * source.direction + (source.kind == Kind::kLstmRecurrentBias ? 1 : 0);
    imported.owned = Rearrange(all.data() + part * rows * width, width, rows, 1, {false, true});
    imported.bytes = imported.owned;
    KOE_CHECK_OK(CheckValues(spec.name, imported.dtype, imported.bytes, rows, {}, {}));
    return imported;
  }

  template <typename T>
  static const std::byte* AsRaw(const std::vector<T>& values) {
    return reinterpret_cast<const std::byte*>(values.data());
  }

  const OnnxGraph& graph_;
  std::unordered_map<std::string_view, Quantisation> quantisation_;
};

}  // namespace

Result<std::vector<ImportedTensor>> ImportOnnx(Bytes file, const Architecture& architecture) {
  KOE_TRY(const OnnxGraph graph, ReadOnnx(file));
  const Importer importer(graph);
  std::vector<ImportedTensor> tensors;
  for (size_t i = 0; i < architecture.tensors.size(); ++i) {
    KOE_TRY(ImportedTensor tensor, importer.Import(architecture.tensors[i], architecture.onnx[i]));
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace koe::bundle
