// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/download.h"

#include <algorithm>

#include "bundle/manifests/fields.h"

namespace koe::bundle {

std::string DownloadManifest::ToJson() const {
  Json root = Json::Object();
  root.Set("schema_version", Json::Int(kSchemaVersion));
  root.Set("repo_id", Json::Text(repo_id));
  root.Set("revision", Json::Text(revision));
  root.Set("generated_at", Json::Text(generated_at));
  root.Set("allow_patterns", bundle::ToJson(allow_patterns));
  root.Set("files", bundle::ToJson(files));
  return WriteJson(root, 2);
}

Result<DownloadManifest> DownloadManifest::Parse(std::string_view json, const ManifestLimits& limits) {
  KOE_TRY(const Json root, ParseManifest(json, limits, kDownloadManifestName));
  const Fields fields(root, kDownloadManifestName);
  KOE_CHECK_OK(fields.SchemaVersion());
  DownloadManifest m;
  KOE_TRY(m.repo_id, fields.Text("repo_id", kMaxRepoIdBytes));
  KOE_TRY(m.revision, fields.Text("revision", 40));
  if (!IsRevision(m.revision)) return fields.Corrupt("revision", "not 40 lower-case hexadecimal digits");
  KOE_TRY(m.generated_at, fields.Timestamp("generated_at"));
  KOE_TRY(m.allow_patterns, fields.Texts("allow_patterns", kMaxAllowPatterns, kMaxPathBytes));
  KOE_TRY(m.files, fields.Records("files", limits.max_files));
  KOE_CHECK_OK(CheckFiles(m.files, limits, kDownloadManifestName));
  if (!std::is_sorted(m.files.begin(), m.files.end(),
                      [](const FileRecord& a, const FileRecord& b) { return a.path < b.path; })) {
    return fields.Corrupt("files", "not sorted by path");
  }
  return m;
}

}  // namespace koe::bundle
