// SPDX-License-Identifier: Apache-2.0
#include "bundle/testing/file_builders.h"

#include <bit>

#include "bundle/json.h"
#include "bundle/zip_reader.h"

namespace koe::bundle::testing {

uint16_t ExactHalf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) == 0) return static_cast<uint16_t>(bits >> 16);
  return static_cast<uint16_t>(((bits >> 16) & 0x8000) | ((((bits >> 23) & 0xFF) - 112) << 10) |
                               ((bits >> 13) & 0x3FF));
}

Proto& Proto::Varint(uint32_t field, uint64_t value) {
  const auto put = [&](uint64_t v) {
    for (; v >= 0x80; v >>= 7) bytes_.push_back(static_cast<char>(v | 0x80));
    bytes_.push_back(static_cast<char>(v));
  };
  put(uint64_t{field} << 3);
  put(value);
  return *this;
}

Proto& Proto::Text(uint32_t field, std::string_view bytes) {
  const auto put = [&](uint64_t v) {
    for (; v >= 0x80; v >>= 7) bytes_.push_back(static_cast<char>(v | 0x80));
    bytes_.push_back(static_cast<char>(v));
  };
  put((uint64_t{field} << 3) | 2);
  put(bytes.size());
  bytes_.append(bytes);
  return *this;
}

std::string OnnxTensorBytes(const std::string& name, int data_type, const std::vector<size_t>& shape,
                            std::string_view raw) {
  Proto proto;
  for (const size_t d : shape) proto.Varint(1, d);
  return proto.Varint(2, static_cast<uint64_t>(data_type)).Text(8, name).Text(9, raw).bytes();
}

std::string OnnxNodeBytes(const std::string& op, const std::string& name, const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs) {
  Proto proto;
  for (const std::string& input : inputs) proto.Text(1, input);
  for (const std::string& output : outputs) proto.Text(2, output);
  proto.Text(3, name).Text(4, op);
  if (op == "Gemm") proto.Text(5, Proto().Text(1, "transB").Varint(3, 1).Varint(20, 2).bytes());
  return proto.bytes();
}

std::string OnnxModelBytes(const std::vector<std::string>& nodes, const std::vector<std::string>& tensors) {
  Proto graph;
  for (const std::string& node : nodes) graph.Text(1, node);
  graph.Text(2, "graph");
  for (const std::string& tensor : tensors) graph.Text(5, tensor);
  return Proto().Varint(1, 9).Text(2, "koe test").Text(7, graph.bytes()).bytes();
}

std::string ZipBytes(const std::vector<std::pair<std::string, std::string>>& entries, const ZipOptions& options) {
  std::string out, directory;
  const auto flags = static_cast<uint16_t>(options.descriptors ? 0x808 : 0x800);
  for (const auto& [name, data] : entries) {
    const uint32_t crc = Crc32(AsBytes(data)), size = static_cast<uint32_t>(data.size());
    const auto offset = static_cast<uint32_t>(out.size());
    const uint32_t local_crc = options.descriptors ? 0 : crc, local_size = options.descriptors ? 0 : size;
    // Field "FB" fills up to the next multiple of 64.
    const size_t header = out.size() + 30 + name.size() + 4;
    const auto padding = static_cast<uint16_t>((64 - header % 64) % 64);
    AppendLe<uint32_t>(0x04034B50, &out);
    AppendLe<uint16_t>(0, &out);
    AppendLe(flags, &out);
    AppendLe(options.method, &out);
    AppendLe<uint32_t>(0, &out);
    AppendLe(local_crc, &out);
    AppendLe(local_size, &out);
    AppendLe(local_size, &out);
    AppendLe(static_cast<uint16_t>(name.size()), &out);
    AppendLe(static_cast<uint16_t>(4 + padding), &out);
    out += name + "FB";
    AppendLe(padding, &out);
    out.append(padding, 'Z');
    out += data;
    if (options.descriptors) {
      AppendLe<uint32_t>(0x08074B50, &out);
      AppendLe(crc, &out);
      AppendLe(size, &out);
      AppendLe(size, &out);
    }
    AppendLe<uint32_t>(0x02014B50, &directory);
    AppendLe<uint32_t>(0, &directory);
    AppendLe(flags, &directory);
    AppendLe(options.method, &directory);
    AppendLe<uint32_t>(0, &directory);
    AppendLe(crc, &directory);
    AppendLe(size, &directory);
    AppendLe(size, &directory);
    AppendLe(static_cast<uint16_t>(name.size()), &directory);
    directory.append(12, '\0');  // no extra field, no comment, disk 0, no attributes
    AppendLe(offset, &directory);
    directory += name;
  }
  const auto directory_at = static_cast<uint64_t>(out.size());
  out += directory;
  const auto count = static_cast<uint64_t>(entries.size());
  if (options.zip64_end) {
    const auto end64_at = static_cast<uint64_t>(out.size());
    AppendLe<uint32_t>(0x06064B50, &out);
    AppendLe<uint64_t>(44, &out);
    out.append(12, '\0');
    AppendLe(count, &out);
    AppendLe(count, &out);
    AppendLe<uint64_t>(directory.size(), &out);
    AppendLe(directory_at, &out);
    AppendLe<uint32_t>(0x07064B50, &out);
    AppendLe<uint32_t>(0, &out);
    AppendLe(end64_at, &out);
    AppendLe<uint32_t>(1, &out);
  }
  AppendLe<uint32_t>(0x06054B50, &out);
  AppendLe<uint32_t>(0, &out);
  AppendLe(static_cast<uint16_t>(count), &out);
  AppendLe(static_cast<uint16_t>(count), &out);
  AppendLe(static_cast<uint32_t>(directory.size()), &out);
  AppendLe(static_cast<uint32_t>(directory_at), &out);
  AppendLe<uint16_t>(0, &out);
  return out;
}

Pickle::Pickle() { bytes_ = std::string("\x80\x02", 2); }

Pickle& Pickle::Op(char opcode) {
  bytes_.push_back(opcode);
  return *this;
}

Pickle& Pickle::Global(std::string_view module, std::string_view name) {
  bytes_.push_back('c');
  bytes_.append(module).push_back('\n');
  bytes_.append(name).push_back('\n');
  return *this;
}

Pickle& Pickle::Str(std::string_view text) {
  bytes_.push_back('X');
  AppendLe(static_cast<uint32_t>(text.size()), &bytes_);
  bytes_.append(text);
  return *this;
}

Pickle& Pickle::Int(int32_t value) {
  bytes_.push_back('J');
  AppendLe(value, &bytes_);
  return *this;
}

Pickle& Pickle::IntTuple(const std::vector<size_t>& values) {
  Op('(');
  for (const size_t value : values) Int(static_cast<int32_t>(value));
  return Op('t');
}

Pickle& Pickle::Tensor(std::string_view storage_type, const std::string& key, size_t storage_elements, size_t offset,
                       const std::vector<size_t>& shape) {
  std::vector<size_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  Global("torch._utils", "_rebuild_tensor_v2").Op('(').Op('(').Str("storage").Global("torch", storage_type).Str(key);
  Str("cpu").Int(static_cast<int32_t>(storage_elements)).Op('t').Op('Q').Int(static_cast<int32_t>(offset));
  IntTuple(shape).IntTuple(strides).Op('\x89');
  return Global("collections", "OrderedDict").Op(')').Op('R').Op('t').Op('R');
}

std::string SafetensorsBytes(const std::vector<SafetensorsPart>& parts) {
  Json header = Json::Object();
  std::string data;
  for (const SafetensorsPart& part : parts) {
    Json shape = Json::Array(), offsets = Json::Array(), entry = Json::Object();
    for (const size_t d : part.shape) shape.items.push_back(Json::Int(static_cast<int64_t>(d)));
    offsets.items.push_back(Json::Int(static_cast<int64_t>(data.size())));
    data += part.data;
    offsets.items.push_back(Json::Int(static_cast<int64_t>(data.size())));
    entry.Set("dtype", Json::Text(part.dtype));
    entry.Set("shape", std::move(shape));
    entry.Set("data_offsets", std::move(offsets));
    header.Set(part.name, std::move(entry));
  }
  const std::string text = WriteJson(header, 0);
  std::string out;
  AppendLe<uint64_t>(text.size(), &out);
  return out + text + data;
}

}  // namespace koe::bundle::testing
