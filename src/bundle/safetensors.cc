// SPDX-License-Identifier: Apache-2.0
#include "bundle/safetensors.h"

#include <algorithm>

#include "base/array.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

struct Placed {
  SafetensorsEntry entry;
  size_t begin, end;
};

// The two data_offsets or the shape: an array of integers >= 0.
bool ReadSizes(const Json* json, size_t max_count, std::vector<size_t>* out) {
  if (json == nullptr || !json->is(Json::Type::kArray) || json->items.size() > max_count) return false;
  for (const Json& item : json->items) {
    if (!item.is(Json::Type::kInt) || item.integer < 0) return false;
    out->push_back(static_cast<size_t>(item.integer));
  }
  return true;
}

}  // namespace

size_t SafetensorsElementBytes(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

Result<std::vector<SafetensorsEntry>> ReadSafetensors(Bytes file) {
  const auto corrupt = [](const std::string& why) { return Error(ErrorCode::kCorruptBundle, "safetensors: " + why); };
  ByteReader reader(file);
  uint64_t header_size;
  if (!reader.Read(&header_size)) return corrupt("shorter than its header length");
  if (header_size > kMaxSafetensorsHeaderBytes) {
    return corrupt("header of " + std::to_string(header_size) + " bytes, at most " +
                   std::to_string(kMaxSafetensorsHeaderBytes) + " are read");
  }
  Bytes header, data;
  if (!reader.Take(header_size, &header)) return corrupt("header reaches past the end of the file");
  if (!reader.Take(reader.remaining(), &data)) return corrupt("no data");
  KOE_TRY(const Json root, ParseJson(AsText(header), {4, kMaxSafetensorsJsonValues}, "safetensors header"));
  if (!root.is(Json::Type::kObject)) return corrupt("header is no object");
  if (root.members.size() > kMaxTensors) return corrupt("more than " + std::to_string(kMaxTensors) + " tensors");

  std::vector<Placed> placed;
  for (const auto& [name, value] : root.members) {
    if (name == "__metadata__") continue;
    const std::string shown = Quoted(name) + ": ";
    if (name.empty() || name.size() > kMaxTensorNameBytes) return corrupt(shown + "name of a bad length");
    const Json* dtype = value.Find("dtype");
    if (dtype == nullptr || !dtype->is(Json::Type::kString)) return corrupt(shown + "no dtype");
    Placed p;
    p.entry.name = name;
    p.entry.dtype = dtype->text;
    if (!ReadSizes(value.Find("shape"), kMaxRank, &p.entry.shape)) return corrupt(shown + "bad shape");
    std::vector<size_t> offsets;
    if (!ReadSizes(value.Find("data_offsets"), 2, &offsets) || offsets.size() != 2 || offsets[0] > offsets[1] ||
        offsets[1] > data.size()) {
      return corrupt(shown + "data offsets are not within the file");
    }
    p.begin = offsets[0];
    p.end = offsets[1];
    const auto count = CheckedElements(p.entry.shape);
    const size_t width = SafetensorsElementBytes(p.entry.dtype);
    const auto size = count ? CheckedMul(*count, width) : std::nullopt;
    if (width != 0 && (!size || *size != p.end - p.begin)) return corrupt(shown + "shape and data offsets disagree");
    p.entry.data = data.subspan(p.begin, p.end - p.begin);
    placed.push_back(std::move(p));
  }
  // Empty tensors sort before the tensor that starts where they stand.
  std::stable_sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  size_t expected = 0;
  std::vector<SafetensorsEntry> entries;
  for (Placed& p : placed) {
    if (p.begin != expected) {
      return corrupt(Quoted(p.entry.name) + ": data starts at " + std::to_string(p.begin) +
                     ", the one before ends at " + std::to_string(expected));
    }
    expected = p.end;
    entries.push_back(std::move(p.entry));
  }
  if (expected != data.size()) return corrupt(std::to_string(data.size() - expected) + " bytes after the last tensor");
  return entries;
}

std::string WriteSafetensorsHeader(const std::vector<SafetensorsEntry>& entries, size_t alignment,
                                   const std::vector<std::pair<std::string, std::string>>& metadata) {
  Json header = Json::Object();
  if (!metadata.empty()) {
    Json values = Json::Object();
    for (const auto& [key, value] : metadata) values.Set(key, Json::Text(value));
    header.Set("__metadata__", std::move(values));
  }
  size_t offset = 0;
  for (const SafetensorsEntry& entry : entries) {
    Json shape = Json::Array();
    for (const size_t d : entry.shape) shape.items.push_back(Json::Int(static_cast<int64_t>(d)));
    Json offsets = Json::Array();
    offsets.items.push_back(Json::Int(static_cast<int64_t>(offset)));
    offset += entry.data.size();
    offsets.items.push_back(Json::Int(static_cast<int64_t>(offset)));
    Json value = Json::Object();
    value.Set("dtype", Json::Text(entry.dtype));
    value.Set("shape", std::move(shape));
    value.Set("data_offsets", std::move(offsets));
    header.Set(entry.name, std::move(value));
  }
  std::string json = WriteJson(header, 0);
  const uint64_t size = RoundUp(sizeof(uint64_t) + json.size(), alignment) - sizeof(uint64_t);
  json.resize(size, ' ');
  return std::string(AsText(std::as_bytes(std::span<const uint64_t>(&size, 1)))) + json;
}

}  // namespace koe::bundle
