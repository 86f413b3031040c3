// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/fields.h"

#include <algorithm>

#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/quoted.h"

namespace koe::bundle {

Error Fields::Corrupt(const std::string& key, const std::string& why) const {
  return Error(ErrorCode::kCorruptBundle, where_ + ": " + key + ": " + why);
}

bool Fields::Has(const std::string& key) const {
  const Json* found = object_.Find(key);
  return found != nullptr && !found->is(Json::Type::kNull);
}

Result<const Json*> Fields::Get(const std::string& key, Json::Type type) const {
  const Json* found = object_.Find(key);
  if (found == nullptr) return Corrupt(key, "missing");
  if (!found->is(type)) return Corrupt(key, "of another type");
  return found;
}

Result<Fields> Fields::Object(const std::string& key) const {
  KOE_TRY(const Json* json, Get(key, Json::Type::kObject));
  return Fields(*json, where_ + ": " + key);
}

Result<std::string> Fields::Text(const std::string& key, size_t max_bytes) const {
  KOE_TRY(const Json* json, Get(key, Json::Type::kString));
  const std::string& text = json->text;
  if (text.empty() || text.size() > max_bytes) return Corrupt(key, "empty or too long");
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return Corrupt(key, "a control character");
  }
  return text;
}

Result<std::string> Fields::TextOrNone(const std::string& key, size_t max_bytes) const {
  if (!Has(key)) return std::string();
  return Text(key, max_bytes);
}

Result<std::string> Fields::OneOf(const std::string& key, const std::vector<std::string>& allowed) const {
  KOE_TRY(std::string text, Text(key, 80));
  if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) return text;
  std::string list;
  for (size_t i = 0; i < allowed.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == allowed.size() ? " or " : ", ") + allowed[i];
  }
  return Corrupt(key, Quoted(text) + " is not " + list);
}

Result<uint64_t> Fields::Count(const std::string& key, uint64_t max) const {
  KOE_TRY(const Json* json, Get(key, Json::Type::kInt));
  if (json->integer < 0 || static_cast<uint64_t>(json->integer) > max) {
    return Corrupt(key, std::to_string(json->integer) + " is not in 0.." + std::to_string(max));
  }
  return static_cast<uint64_t>(json->integer);
}

Result<uint64_t> Fields::CountOrZero(const std::string& key, uint64_t max) const {
  if (!Has(key)) return uint64_t{0};
  return Count(key, max);
}

Result<bool> Fields::BoolOrFalse(const std::string& key) const {
  if (!Has(key)) return false;
  KOE_TRY(const Json* json, Get(key, Json::Type::kBool));
  return json->boolean;
}

Result<std::string> Fields::Digest(const std::string& key) const {
  KOE_TRY(std::string text, Text(key, 64));
  if (!IsSha256Hex(text)) return Corrupt(key, "not 64 lower-case hexadecimal digits");
  return text;
}

Result<std::string> Fields::Timestamp(const std::string& key) const {
  KOE_TRY(std::string text, Text(key, 40));
  if (!IsTimestamp(text)) return Corrupt(key, Quoted(text) + " is not of the form 2026-11-22T12:00:00Z");
  return text;
}

Result<std::vector<std::string>> Fields::Texts(const std::string& key, size_t max_items, size_t max_bytes) const {
  KOE_TRY(const Json* list, Get(key, Json::Type::kArray));
  if (list->items.size() > max_items) return Corrupt(key, "too many items");
  std::vector<std::string> texts;
  for (const Json& item : list->items) {
    Json member = Json::Object();
    member.Set(key, item);
    KOE_TRY(std::string text, Fields(member, where_).Text(key, max_bytes));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<FileRecord> Fields::Record() const {
  FileRecord record;
  KOE_TRY(record.path, Text("path", kMaxPathBytes));
  if (!IsSafePath(record.path)) return Corrupt("path", Quoted(record.path) + " is not a path within a bundle");
  KOE_TRY(record.bytes, Count("bytes", INT64_MAX));
  KOE_TRY(record.sha256, Digest("sha256"));
  return record;
}

Result<FileRecord> Fields::RecordOf(const std::string& key) const {
  KOE_TRY(const Fields object, Object(key));
  return object.Record();
}

Result<std::vector<FileRecord>> Fields::Records(const std::string& key, size_t max_files) const {
  KOE_TRY(const Json* list, Get(key, Json::Type::kArray));
  if (list->items.size() > max_files) {
    return Error(ErrorCode::kTooLong, where_ + ": " + key + ": " + std::to_string(list->items.size()) +
                                          " files, at most " + std::to_string(max_files));
  }
  std::vector<FileRecord> records;
  for (const Json& item : list->items) {
    KOE_TRY(FileRecord record, Fields(item, where_ + ": " + key).Record());
    records.push_back(std::move(record));
  }
  return records;
}

Result<void> Fields::SchemaVersion() const {
  KOE_TRY(const Json* schema, Get("schema_version", Json::Type::kInt));
  if (schema->integer == kSchemaVersion) return {};
  return Error(ErrorCode::kUnsupported, where_ + ": schema_version: " + std::to_string(schema->integer) +
                                            ", this build reads " + std::to_string(kSchemaVersion));
}

Result<Json> ParseManifest(std::string_view json, const ManifestLimits& limits, const std::string& name) {
  if (json.size() > limits.max_manifest_bytes) {
    return Error(ErrorCode::kTooLong, name + ": more than " + std::to_string(limits.max_manifest_bytes) + " bytes");
  }
  // A record is seven values; what else a manifest holds is model_config (44 values) and the fields of 16 profiles. A
  // factor of four leaves room for fields of later versions.
  const size_t max_values = 4096 + std::min<size_t>(limits.max_files, 1 << 20) * 4 * 7;
  KOE_TRY(Json root, ParseJson(json, {kMaxJsonDepth, max_values}, name));
  if (!root.is(Json::Type::kObject)) return Error(ErrorCode::kCorruptBundle, name + ": no object");
  return root;
}

Json ToJson(const FileRecord& record) {
  Json json = Json::Object();
  json.Set("path", Json::Text(record.path));
  json.Set("bytes", Json::Int(static_cast<int64_t>(record.bytes)));
  json.Set("sha256", Json::Text(record.sha256));
  return json;
}

Json ToJson(const std::vector<FileRecord>& records) {
  Json json = Json::Array();
  for (const FileRecord& record : records) json.items.push_back(ToJson(record));
  return json;
}

Json ToJson(const std::vector<std::string>& texts) {
  Json json = Json::Array();
  for (const std::string& text : texts) json.items.push_back(Json::Text(text));
  return json;
}

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json::Text(text); }

}  // namespace koe::bundle
