// SPDX-License-Identifier: Apache-2.0
#include "bundle/torch_file.h"

#include <map>
#include <set>

#include "bundle/limits.h"
#include "bundle/pickle.h"
#include "bundle/quoted.h"
#include "bundle/safetensors.h"
#include "bundle/zip_reader.h"

namespace koe::bundle {
namespace {

const char* TypeOfStorage(std::string_view storage) {
  constexpr std::pair<std::string_view, const char*> kTypes[] = {
      {"FloatStorage", "F32"}, {"HalfStorage", "F16"}, {"BFloat16Storage", "BF16"}, {"DoubleStorage", "F64"},
      {"LongStorage", "I64"},  {"IntStorage", "I32"},  {"ShortStorage", "I16"},     {"CharStorage", "I8"},
      {"ByteStorage", "U8"},   {"BoolStorage", "BOOL"}};
  for (const auto& [name, type] : kTypes) {
    if (name == storage) return type;
  }
  return "";
}

bool IsKey(std::string_view key) {
  return !key.empty() && key.size() <= 10 && key.find_first_not_of("0123456789") == std::string_view::npos;
}

class Records {
 public:
  explicit Records(const std::vector<ZipEntry>& entries) {
    for (const ZipEntry& entry : entries) by_name_[entry.name] = &entry;
  }
  // The record, its CRC compared at the first call.
  Result<const ZipEntry*> Get(const std::string& name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return Error(ErrorCode::kCorruptBundle, "torch file: no record " + Quoted(name));
    if (checked_.insert(name).second && Crc32(found->second->data) != found->second->crc) {
      return Error(ErrorCode::kCorruptBundle, "torch file: record " + Quoted(name) + ": wrong CRC");
    }
    return found->second;
  }
  bool Has(const std::string& name) const { return by_name_.count(name) != 0; }

 private:
  std::map<std::string, const ZipEntry*> by_name_;
  std::set<std::string> checked_;
};

Result<NamedTensor> Locate(const PickledTensor& pickled, Records* records) {
  const auto corrupt = [&](const std::string& why) {
    return Error(ErrorCode::kCorruptBundle, "torch file: tensor " + Quoted(pickled.name) + ": " + why);
  };
  NamedTensor tensor;
  tensor.name = pickled.name;
  tensor.type = TypeOfStorage(pickled.storage_type);
  tensor.shape = pickled.shape;
  if (!IsKey(pickled.storage_key)) return corrupt("bad storage key");
  KOE_TRY(const ZipEntry* record, records->Get("data/" + std::string(pickled.storage_key)));
  const size_t width = SafetensorsElementBytes(tensor.type);
  const auto storage_bytes = CheckedMul(pickled.storage_elements, width);
  if (width == 0 || !storage_bytes || *storage_bytes != record->data.size()) {
    return corrupt("storage of " + std::to_string(pickled.storage_elements) + " elements in a record of " +
                   std::to_string(record->data.size()) + " bytes");
  }
  const auto count = CheckedElements(tensor.shape);
  const auto end = count ? CheckedAdd(pickled.offset, *count) : std::nullopt;
  if (!end || *end > pickled.storage_elements) return corrupt("reaches past its storage");
  size_t stride = 1;  // of a contiguous tensor; a dimension of one element may have any
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (*count != 0 && tensor.shape[i] != 1 && pickled.strides[i] != stride) {
      return Error(ErrorCode::kUnsupported, "torch file: tensor " + Quoted(pickled.name) + ": not contiguous");
    }
    stride *= tensor.shape[i];
  }
  tensor.data = record->data.subspan(pickled.offset * width, *count * width);
  return tensor;
}

}  // namespace

Result<TorchFile> ReadTorchFile(Bytes file) {
  if (file.size() < 4 || LoadLe<uint16_t>(file.data()) != 0x4B50) {
    return Error(ErrorCode::kUnsupported,
                 "torch file: no zip archive (a file of torch before 1.6 must be saved again)");
  }
  KOE_TRY(const std::vector<ZipEntry> entries, ReadStoredZip(file));
  Records records(entries);
  if (records.Has("byteorder")) {
    KOE_TRY(const ZipEntry* order, records.Get("byteorder"));
    if (AsText(order->data) != "little") return Error(ErrorCode::kUnsupported, "torch file: not little-endian");
  }
  KOE_TRY(const ZipEntry* pickle, records.Get("data.pkl"));
  KOE_TRY(const std::vector<PickledTensor> pickled, WalkPickle(pickle->data));
  TorchFile torch;
  for (const PickledTensor& p : pickled) {
    KOE_TRY(NamedTensor tensor, Locate(p, &records));
    torch.tensors.push_back(std::move(tensor));
  }
  return torch;
}

}  // namespace koe::bundle
