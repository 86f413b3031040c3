// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifest.h"

#include <algorithm>
#include <set>

#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/limits.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

// Reads members of one object; the first that is not what it must be ends up in `error`.
class Fields {
 public:
  Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  Error Corrupt(const std::string& key, const std::string& why) const {
    return Error(ErrorCode::kCorruptBundle, where_ + ": " + key + ": " + why);
  }
  Result<const Json*> Get(const std::string& key, Json::Type type) const {
    const Json* found = object_.Find(key);
    if (found == nullptr) return Corrupt(key, "missing");
    if (!found->is(type)) return Corrupt(key, "of another type");
    return found;
  }
  // Printable: manifests are shown on terminals.
  Result<std::string> Text(const std::string& key, size_t max_bytes) const {
    KOE_TRY(const Json* json, Get(key, Json::Type::kString));
    const std::string& text = json->text;
    if (text.empty() || text.size() > max_bytes) return Corrupt(key, "empty or too long");
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return Corrupt(key, "a control character");
    }
    return text;
  }
  Result<uint64_t> Count(const std::string& key, uint64_t max) const {
    KOE_TRY(const Json* json, Get(key, Json::Type::kInt));
    if (json->integer < 0 || static_cast<uint64_t>(json->integer) > max) {
      return Corrupt(key, std::to_string(json->integer) + " is not in 0.." + std::to_string(max));
    }
    return static_cast<uint64_t>(json->integer);
  }
  Result<std::string> Digest(const std::string& key) const {
    KOE_TRY(std::string text, Text(key, 64));
    if (!IsSha256Hex(text)) return Corrupt(key, "not 64 lower-case hexadecimal digits");
    return text;
  }
  Result<FileRecord> Record() const {
    FileRecord record;
    KOE_TRY(record.path, Text("path", kMaxPathBytes));
    if (!IsSafePath(record.path)) return Corrupt("path", Quoted(record.path) + " is not a path within a bundle");
    KOE_TRY(record.bytes, Count("bytes", kMaxBundleBytes));
    KOE_TRY(record.sha256, Digest("sha256"));
    return record;
  }
  Result<std::vector<FileRecord>> Records(const std::string& key) const {
    KOE_TRY(const Json* list, Get(key, Json::Type::kArray));
    if (list->items.size() > kMaxBundleFiles) return Corrupt(key, "too many files");
    std::vector<FileRecord> records;
    for (const Json& item : list->items) {
      KOE_TRY(FileRecord record, Fields(item, where_ + ": " + key).Record());
      records.push_back(std::move(record));
    }
    return records;
  }

 private:
  const Json& object_;
  std::string where_;
};

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

bool HasPrefix(const std::string& text, std::string_view prefix) {
  return std::string_view(text).substr(0, prefix.size()) == prefix;
}

// voices/<id>.bin
bool IsVoicePath(const std::string& path) {
  constexpr std::string_view kEnd = ".bin";
  const size_t folder = std::string_view(kVoicesFolder).size();
  return HasPrefix(path, kVoicesFolder) && path.size() > folder + kEnd.size() &&
         path.compare(path.size() - kEnd.size(), kEnd.size(), kEnd) == 0 &&
         IsVoiceId(path.substr(folder, path.size() - folder - kEnd.size()));
}

Result<void> CheckFiles(const std::vector<FileRecord>& files, const std::string& where) {
  if (files.size() > kMaxBundleFiles) return Error(ErrorCode::kCorruptBundle, where + ": too many files");
  std::set<std::string> paths;
  uint64_t total = 0;
  for (const FileRecord& file : files) {
    if (!paths.insert(file.path).second) {
      return Error(ErrorCode::kCorruptBundle, where + ": '" + file.path + "' twice");
    }
    total += file.bytes;  // at most 512 times 2 GiB
  }
  if (total > kMaxBundleBytes) return Error(ErrorCode::kCorruptBundle, where + ": more than 2 GiB of files");
  return {};
}

Result<Json> ParseManifest(std::string_view json, const std::string& name) {
  if (json.size() > kMaxManifestBytes) {
    return Error(ErrorCode::kCorruptBundle, name + ": more than " + std::to_string(kMaxManifestBytes) + " bytes");
  }
  KOE_TRY(Json root, ParseJson(json, {kMaxJsonDepth, kMaxManifestJsonValues}, name));
  if (!root.is(Json::Type::kObject)) return Error(ErrorCode::kCorruptBundle, name + ": no object");
  return root;
}

}  // namespace

std::string RuntimeManifest::ToJson() const {
  Json source = Json::Object();
  source.Set("file_name", Json::Text(weights_source.file_name));
  source.Set("format", Json::Text(weights_source.format));
  source.Set("bytes", Json::Int(static_cast<int64_t>(weights_source.bytes)));
  source.Set("sha256", Json::Text(weights_source.sha256));
  Json languages = Json::Array();
  for (const std::string& language : supported_languages) languages.items.push_back(Json::Text(language));
  Json weights_json = bundle::ToJson(weights);
  weights_json.Set("num_tensors", Json::Int(static_cast<int64_t>(num_tensors)));
  Json assets = Json::Object();
  assets.Set("vocab", bundle::ToJson(vocab));

  Json root = Json::Object();
  root.Set("schema_version", Json::Int(kSchemaVersion));
  root.Set("generated_at", Json::Text(generated_at));
  root.Set("generated_by", Json::Text(generated_by));
  root.Set("model", Json::Text(model));
  root.Set("bundle_profile", Json::Text(bundle_profile));
  root.Set("supported_languages", std::move(languages));
  root.Set("tensor_precision", Json::Text(tensor_precision));
  root.Set("weights_source", std::move(source));
  root.Set("weights", std::move(weights_json));
  root.Set("runtime_assets", std::move(assets));
  root.Set("voices", bundle::ToJson(voices));
  root.Set("g2p_assets", bundle::ToJson(g2p_assets));
  root.Set("model_config", model_config);
  return WriteJson(root, 2);
}

Result<RuntimeManifest> RuntimeManifest::Parse(std::string_view json) {
  KOE_TRY(const Json root, ParseManifest(json, kRuntimeManifestName));
  const Fields fields(root, kRuntimeManifestName);
  KOE_TRY(const Json* schema, fields.Get("schema_version", Json::Type::kInt));
  if (schema->integer != kSchemaVersion) {
    return Error(ErrorCode::kUnsupported, std::string(kRuntimeManifestName) +
                                              ": schema_version: " + std::to_string(schema->integer) +
                                              ", this build reads " + std::to_string(kSchemaVersion));
  }
  RuntimeManifest m;
  KOE_TRY(m.generated_at, fields.Text("generated_at", 40));
  KOE_TRY(m.generated_by, fields.Text("generated_by", 80));
  KOE_TRY(m.model, fields.Text("model", 80));
  KOE_TRY(m.bundle_profile, fields.Text("bundle_profile", 16));
  if (m.bundle_profile != "starter" && m.bundle_profile != "full" && m.bundle_profile != "custom") {
    return fields.Corrupt("bundle_profile", Quoted(m.bundle_profile) + " is not starter, full or custom");
  }
  KOE_TRY(m.tensor_precision, fields.Text("tensor_precision", 16));
  if (m.tensor_precision != "int8" && m.tensor_precision != "fp16" && m.tensor_precision != "fp32") {
    return fields.Corrupt("tensor_precision", Quoted(m.tensor_precision) + " is not int8, fp16 or fp32");
  }
  KOE_TRY(const Json* languages, fields.Get("supported_languages", Json::Type::kArray));
  for (const Json& language : languages->items) {
    if (language.text != "en-us" && language.text != "en-gb") {
      return fields.Corrupt("supported_languages", "a language other than en-us and en-gb");
    }
    m.supported_languages.push_back(language.text);
  }
  KOE_TRY(const Json* source, fields.Get("weights_source", Json::Type::kObject));
  const Fields source_fields(*source, std::string(kRuntimeManifestName) + ": weights_source");
  KOE_TRY(m.weights_source.file_name, source_fields.Text("file_name", 255));
  KOE_TRY(m.weights_source.format, source_fields.Text("format", 16));
  KOE_TRY(m.weights_source.bytes, source_fields.Count("bytes", kMaxModelFileBytes));
  KOE_TRY(m.weights_source.sha256, source_fields.Digest("sha256"));

  KOE_TRY(const Json* weights, fields.Get("weights", Json::Type::kObject));
  const Fields weights_fields(*weights, std::string(kRuntimeManifestName) + ": weights");
  KOE_TRY(m.weights, weights_fields.Record());
  if (m.weights.path != kWeightsName) return weights_fields.Corrupt("path", "not " + std::string(kWeightsName));
  KOE_TRY(m.num_tensors, weights_fields.Count("num_tensors", kMaxTensors));

  KOE_TRY(const Json* assets, fields.Get("runtime_assets", Json::Type::kObject));
  KOE_TRY(const Json* vocab,
          Fields(*assets, std::string(kRuntimeManifestName) + ": runtime_assets").Get("vocab", Json::Type::kObject));
  const Fields vocab_fields(*vocab, std::string(kRuntimeManifestName) + ": vocab");
  KOE_TRY(m.vocab, vocab_fields.Record());
  if (m.vocab.path != kVocabName) return vocab_fields.Corrupt("path", "not " + std::string(kVocabName));

  KOE_TRY(m.voices, fields.Records("voices"));
  for (const FileRecord& voice : m.voices) {
    if (!IsVoicePath(voice.path)) return fields.Corrupt("voices", Quoted(voice.path) + " is not voices/<id>.bin");
  }
  KOE_TRY(m.g2p_assets, fields.Records("g2p_assets"));
  for (const FileRecord& asset : m.g2p_assets) {
    if (!HasPrefix(asset.path, kLexiconFolder))
      return fields.Corrupt("g2p_assets", Quoted(asset.path) + " is not below lexicon/");
  }
  KOE_TRY(const Json* config, fields.Get("model_config", Json::Type::kObject));
  m.model_config = *config;
  KOE_CHECK_OK(CheckFiles(m.Files(), kRuntimeManifestName));
  return m;
}

std::vector<FileRecord> RuntimeManifest::Files() const {
  std::vector<FileRecord> files = {weights, vocab};
  files.insert(files.end(), voices.begin(), voices.end());
  files.insert(files.end(), g2p_assets.begin(), g2p_assets.end());
  std::sort(files.begin(), files.end(), [](const FileRecord& a, const FileRecord& b) { return a.path < b.path; });
  return files;
}

std::string HostedManifest::ToJson() const {
  Json root = Json::Object();
  root.Set("version", Json::Text(version));
  root.Set("files", bundle::ToJson(files));
  return WriteJson(root, 2);
}

Result<HostedManifest> HostedManifest::Parse(std::string_view json) {
  KOE_TRY(const Json root, ParseManifest(json, kHostedManifestName));
  const Fields fields(root, kHostedManifestName);
  HostedManifest m;
  KOE_TRY(m.version, fields.Text("version", 80));
  KOE_TRY(m.files, fields.Records("files"));
  KOE_CHECK_OK(CheckFiles(m.files, kHostedManifestName));
  if (!std::is_sorted(m.files.begin(), m.files.end(),
                      [](const FileRecord& a, const FileRecord& b) { return a.path < b.path; })) {
    return fields.Corrupt("files", "not sorted by path");
  }
  return m;
}

}  // namespace koe::bundle
