// SPDX-License-Identifier: Apache-2.0
// Writers of the formats that the importers read, for tests: what torch, onnx and safetensors write, and what they
// never would.
#ifndef KOE_BUNDLE_TESTING_FILE_BUILDERS_H_
#define KOE_BUNDLE_TESTING_FILE_BUILDERS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "koe/result.h"

namespace koe::bundle::testing {

template <typename T>
void AppendLe(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(T));
}
template <typename T>
std::string RawLe(const std::vector<T>& values) {
  std::string out;
  for (const T value : values) AppendLe(value, &out);
  return out;
}
// The value must be exact in binary16 and normal or zero.
uint16_t ExactHalf(float value);

// A protobuf message.
class Proto {
 public:
  Proto& Varint(uint32_t field, uint64_t value);
  Proto& Text(uint32_t field, std::string_view bytes);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};
// TensorProto with raw_data.
std::string OnnxTensorBytes(const std::string& name, int data_type, const std::vector<size_t>& shape,
                            std::string_view raw);
// NodeProto; a Gemm gets transB = 1.
std::string OnnxNodeBytes(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs);
std::string OnnxModelBytes(const std::vector<std::string>& nodes, const std::vector<std::string>& tensors);

// A zip archive as torch.save writes it: stored, data at multiples of 64, a data descriptor behind each entry, local
// sizes and CRC zero, zip64 end records.
struct ZipOptions {
  bool descriptors = true;
  bool zip64_end = true;
  uint16_t method = 0;
};
std::string ZipBytes(const std::vector<std::pair<std::string, std::string>>& entries, const ZipOptions& options = {});

// Opcodes of a pickle, protocol 2.
class Pickle {
 public:
  Pickle();
  Pickle& Op(char opcode);
  Pickle& Global(std::string_view module, std::string_view name);
  Pickle& Str(std::string_view text);
  Pickle& Int(int32_t value);
  Pickle& IntTuple(const std::vector<size_t>& values);
  // One contiguous tensor that starts at `offset` of storage data/<key>.
  Pickle& Tensor(std::string_view storage_type, const std::string& key, size_t storage_elements, size_t offset,
                 const std::vector<size_t>& shape);
  std::string Stop() const { return bytes_ + '.'; }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

struct SafetensorsPart {
  std::string name, dtype;
  std::vector<size_t> shape;
  std::string data;
};
std::string SafetensorsBytes(const std::vector<SafetensorsPart>& parts);

}  // namespace koe::bundle::testing

#endif  // KOE_BUNDLE_TESTING_FILE_BUILDERS_H_
