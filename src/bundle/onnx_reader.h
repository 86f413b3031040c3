// SPDX-License-Identifier: Apache-2.0
// The part of ONNX that weights need: initialisers and the nodes' names, types and inputs. Reads the protobuf wire
// format itself; the graph is never run. Everything points into the file's bytes.
#ifndef KOE_BUNDLE_ONNX_READER_H_
#define KOE_BUNDLE_ONNX_READER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bundle/byte_reader.h"
#include "koe/result.h"

namespace koe::bundle {

// TensorProto.DataType
inline constexpr int32_t kOnnxFloat = 1, kOnnxUint8 = 2, kOnnxInt8 = 3, kOnnxInt32 = 6, kOnnxFloat16 = 10;

struct OnnxTensor {
  std::string_view name;
  int32_t data_type = 0;
  std::vector<size_t> shape;
  Bytes raw;  // field raw_data
  bool has_raw = false;
  Bytes message;  // the whole TensorProto, for the typed fields
};

struct OnnxNode {
  std::string_view name;
  std::string_view op_type;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  bool transposes_b = false;  // Gemm's attribute transB
};

struct OnnxGraph {
  std::vector<OnnxTensor> initializers;
  std::vector<OnnxNode> nodes;
  std::unordered_map<std::string_view, size_t> initializer_index;
  std::unordered_map<std::string_view, size_t> node_index;  // named nodes only

  const OnnxTensor* FindInitializer(std::string_view name) const;
  const OnnxNode* FindNode(std::string_view name) const;
};

// kCorruptBundle with the byte where reading stopped; kUnsupported for external data. Limits: limits.h.
Result<OnnxGraph> ReadOnnx(Bytes file);

// The elements, packed and little-endian, of a float, float16, int8, uint8 or int32 tensor; in `owned` where the file
// has them in a typed field instead of raw_data. kCorruptBundle: the count differs from the shape's product;
// kUnsupported: another type.
Result<Bytes> OnnxElements(const OnnxTensor& tensor, std::vector<std::byte>* owned);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_ONNX_READER_H_
