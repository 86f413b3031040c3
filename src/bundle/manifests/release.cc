// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/release.h"

#include "bundle/files.h"
#include "bundle/manifests/fields.h"
#include "bundle/manifests/provenance.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

Json RecordOrNull(const std::optional<FileRecord>& record) { return record ? ToJson(*record) : Json(); }

Result<std::optional<FileRecord>> RecordOrNone(const Fields& fields, const std::string& key) {
  if (!fields.Has(key)) return std::optional<FileRecord>();
  KOE_TRY(FileRecord record, fields.RecordOf(key));
  return std::optional<FileRecord>(std::move(record));
}

Json ProfileJson(const ReleaseProfile& p) {
  Json json = Json::Object();
  json.Set("profile", Json::Text(p.profile));
  WriteProvenance(p.provenance, &json);
  json.Set("hosted_manifest", Json::Text(p.hosted_manifest_record.path));
  json.Set("hosted_version", Json::Text(p.hosted_version));
  json.Set("hosted_serial", Json::Int(static_cast<int64_t>(p.hosted_serial)));
  json.Set("tensor_precision", Json::Text(p.tensor_precision));
  json.Set("voice_count", Json::Int(static_cast<int64_t>(p.voice_count)));
  json.Set("file_count", Json::Int(static_cast<int64_t>(p.file_count)));
  json.Set("total_bytes", Json::Int(static_cast<int64_t>(p.total_bytes)));
  json.Set("runtime_manifest", bundle::ToJson(p.runtime_manifest));
  json.Set("hosted_manifest_record", bundle::ToJson(p.hosted_manifest_record));
  return json;
}

// "<folder>name" for the folder where the profile stands.
bool IsPlaceOf(const std::string& path, const std::string& profile, const std::string& name) {
  return path == "sdk/" + profile + "/" + name || (profile == "starter" && path == name);
}

Result<ReleaseProfile> ReadProfile(const Fields& fields, const ManifestLimits& limits) {
  ReleaseProfile p;
  KOE_TRY(p.profile, fields.OneOf("profile", {"starter", "full", "custom"}));
  KOE_TRY(p.provenance, ReadProvenance(fields));
  KOE_TRY(const std::string hosted_path, fields.Text("hosted_manifest", kMaxPathBytes));
  KOE_TRY(p.hosted_version, fields.Text("hosted_version", 80));
  KOE_TRY(p.hosted_serial, fields.CountOrZero("hosted_serial", INT64_MAX));
  KOE_TRY(p.tensor_precision, fields.OneOf("tensor_precision", {"int8", "fp16", "fp32"}));
  KOE_TRY(p.voice_count, fields.Count("voice_count", limits.max_files));
  KOE_TRY(p.file_count, fields.Count("file_count", limits.max_files));
  KOE_TRY(p.total_bytes, fields.Count("total_bytes", limits.max_total_bytes));
  KOE_TRY(p.runtime_manifest, fields.RecordOf("runtime_manifest"));
  KOE_TRY(p.hosted_manifest_record, fields.RecordOf("hosted_manifest_record"));
  if (p.hosted_manifest_record.path != hosted_path) {
    return fields.Corrupt("hosted_manifest", "not the path of hosted_manifest_record");
  }
  if (!IsPlaceOf(hosted_path, p.profile, kHostedManifestName)) {
    return fields.Corrupt("hosted_manifest", Quoted(hosted_path) + " is not where the profile belongs");
  }
  if (!IsPlaceOf(p.runtime_manifest.path, p.profile, kRuntimeManifestName)) {
    return fields.Corrupt("runtime_manifest", Quoted(p.runtime_manifest.path) + " is not where the profile belongs");
  }
  for (const FileRecord* record : {&p.runtime_manifest, &p.hosted_manifest_record}) {
    if (record->bytes > limits.max_manifest_bytes) {
      return Error(ErrorCode::kTooLong,
                   std::string(kReleaseManifestName) + ": '" + record->path + "': more than a manifest may have");
    }
  }
  return p;
}

}  // namespace

bool IsReleaseRevision(std::string_view text) {
  return text.size() <= 64 && text.find('/') == std::string_view::npos && IsSafePath(std::string(text));
}

const ReleaseProfile* ReleaseManifest::Find(std::string_view profile) const {
  for (const ReleaseProfile& p : profiles) {
    if (p.profile == profile) return &p;
  }
  return nullptr;
}

std::string ReleaseManifest::ToJson() const {
  Json root = Json::Object();
  root.Set("schema_version", Json::Int(kSchemaVersion));
  root.Set("generated_at", Json::Text(generated_at));
  root.Set("generated_by", Json::Text(generated_by));
  root.Set("repo_id", TextOrNull(repo_id));
  root.Set("sdk_commit", TextOrNull(sdk_commit));
  root.Set("revision", Json::Text(revision));
  root.Set("serial", Json::Int(static_cast<int64_t>(serial)));
  root.Set("model_card", RecordOrNull(model_card));
  root.Set("top_level_hosted_manifest", RecordOrNull(top_level_hosted_manifest));
  root.Set("top_level_runtime_manifest", RecordOrNull(top_level_runtime_manifest));
  root.Set("top_level_hosted_files", bundle::ToJson(top_level_hosted_files));
  Json list = Json::Array();
  for (const ReleaseProfile& profile : profiles) list.items.push_back(ProfileJson(profile));
  root.Set("profiles", std::move(list));
  return WriteJson(root, 2);
}

Result<ReleaseManifest> ReleaseManifest::Parse(std::string_view json, const ManifestLimits& limits) {
  KOE_TRY(const Json root, ParseManifest(json, limits, kReleaseManifestName));
  const Fields fields(root, kReleaseManifestName);
  KOE_CHECK_OK(fields.SchemaVersion());
  ReleaseManifest m;
  KOE_TRY(m.generated_at, fields.Timestamp("generated_at"));
  KOE_TRY(m.generated_by, fields.Text("generated_by", 80));
  KOE_TRY(m.repo_id, fields.TextOrNone("repo_id", kMaxRepoIdBytes));
  KOE_TRY(m.sdk_commit, fields.TextOrNone("sdk_commit", 46));
  if (!m.sdk_commit.empty() && !IsSdkCommit(m.sdk_commit)) return fields.Corrupt("sdk_commit", "not a commit");
  KOE_TRY(m.revision, fields.Text("revision", 64));
  if (!IsReleaseRevision(m.revision)) return fields.Corrupt("revision", "not of [A-Za-z0-9._-]");
  KOE_TRY(m.serial, fields.Count("serial", INT64_MAX));
  KOE_TRY(m.model_card, RecordOrNone(fields, "model_card"));
  KOE_TRY(m.top_level_hosted_manifest, RecordOrNone(fields, "top_level_hosted_manifest"));
  KOE_TRY(m.top_level_runtime_manifest, RecordOrNone(fields, "top_level_runtime_manifest"));
  KOE_TRY(m.top_level_hosted_files, fields.Records("top_level_hosted_files", limits.max_files));
  KOE_CHECK_OK(CheckFiles(m.top_level_hosted_files, limits, kReleaseManifestName));
  KOE_TRY(const Json* list, fields.Get("profiles", Json::Type::kArray));
  if (list->items.size() > kMaxProfiles) return fields.Corrupt("profiles", "too many");
  for (const Json& item : list->items) {
    KOE_TRY(ReleaseProfile profile,
            ReadProfile(Fields(item, std::string(kReleaseManifestName) + ": profiles"), limits));
    if (!m.profiles.empty() && m.profiles.back().profile >= profile.profile) {
      return fields.Corrupt("profiles", "not sorted, or one twice");
    }
    m.profiles.push_back(std::move(profile));
  }
  return m;
}

}  // namespace koe::bundle
