// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/hosted.h"

#include <algorithm>

#include "bundle/manifests/fields.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

// Names that a download gives to files of its own: partial files with their ETags, signatures, the manifest.
bool IsReserved(const std::string& path) {
  return path.ends_with(".part") || path.ends_with(".part-etag") || path.ends_with(kSignatureSuffix) ||
         path == kHostedManifestName;
}

}  // namespace

uint64_t HostedManifest::TotalBytes() const {
  uint64_t total = 0;
  for (const FileRecord& file : files) total += file.bytes;
  return total;
}

std::string HostedManifest::ToJson() const {
  Json root = Json::Object();
  root.Set("version", Json::Text(version));
  root.Set("serial", Json::Int(static_cast<int64_t>(serial)));
  root.Set("files", bundle::ToJson(files));
  return WriteJson(root, 2);
}

Result<HostedManifest> HostedManifest::Parse(std::string_view json, const ManifestLimits& limits) {
  KOE_TRY(const Json root, ParseManifest(json, limits, kHostedManifestName));
  const Fields fields(root, kHostedManifestName);
  HostedManifest m;
  KOE_TRY(m.version, fields.Text("version", 80));
  KOE_TRY(m.serial, fields.CountOrZero("serial", INT64_MAX));
  KOE_TRY(m.files, fields.Records("files", limits.max_files));
  KOE_CHECK_OK(CheckFiles(m.files, limits, kHostedManifestName));
  for (const FileRecord& file : m.files) {
    if (IsReserved(file.path)) return fields.Corrupt("files", Quoted(file.path) + " is a reserved name");
  }
  if (!std::is_sorted(m.files.begin(), m.files.end(),
                      [](const FileRecord& a, const FileRecord& b) { return a.path < b.path; })) {
    return fields.Corrupt("files", "not sorted by path");
  }
  return m;
}

}  // namespace koe::bundle
