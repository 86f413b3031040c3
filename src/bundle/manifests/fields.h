// SPDX-License-Identifier: Apache-2.0
// Reading and writing the members of a manifest's objects: for the files beside this one only.
#ifndef KOE_BUNDLE_MANIFESTS_FIELDS_H_
#define KOE_BUNDLE_MANIFESTS_FIELDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "bundle/json.h"
#include "bundle/manifests/file_record.h"
#include "koe/result.h"

namespace koe::bundle {

// One object. Every error names the field; kCorruptBundle where nothing else is said.
class Fields {
 public:
  // Both are kept by reference and copy; `object` must outlive this.
  Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  Error Corrupt(const std::string& key, const std::string& why) const;
  bool Has(const std::string& key) const;  // there and not null
  Result<const Json*> Get(const std::string& key, Json::Type type) const;
  Result<Fields> Object(const std::string& key) const;
  // Printable: manifests are shown on terminals. Not empty.
  Result<std::string> Text(const std::string& key, size_t max_bytes) const;
  // "" where the field is absent or null.
  Result<std::string> TextOrNone(const std::string& key, size_t max_bytes) const;
  Result<std::string> OneOf(const std::string& key, const std::vector<std::string>& allowed) const;
  Result<uint64_t> Count(const std::string& key, uint64_t max) const;
  // 0 where the field is absent.
  Result<uint64_t> CountOrZero(const std::string& key, uint64_t max) const;
  Result<bool> BoolOrFalse(const std::string& key) const;
  Result<std::string> Digest(const std::string& key) const;
  Result<std::string> Timestamp(const std::string& key) const;
  Result<std::vector<std::string>> Texts(const std::string& key, size_t max_items, size_t max_bytes) const;
  // This object's path, bytes and sha256.
  Result<FileRecord> Record() const;
  Result<FileRecord> RecordOf(const std::string& key) const;
  Result<std::vector<FileRecord>> Records(const std::string& key, size_t max_files) const;
  // 1, or kUnsupported.
  Result<void> SchemaVersion() const;

 private:
  const Json& object_;
  std::string where_;
};

// The whole text as one object within the limits. kCorruptBundle; kTooLong above limits.max_manifest_bytes.
Result<Json> ParseManifest(std::string_view json, const ManifestLimits& limits, const std::string& name);

Json ToJson(const FileRecord& record);
Json ToJson(const std::vector<FileRecord>& records);
Json ToJson(const std::vector<std::string>& texts);
// null for "".
Json TextOrNull(const std::string& text);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_MANIFESTS_FIELDS_H_
