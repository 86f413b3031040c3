// SPDX-License-Identifier: Apache-2.0
// DownloadManifest.json: what `koe bundle fetch --manifest-out` has fetched and `koe bundle build --download-manifest`
// compares its inputs with.
#ifndef KOE_BUNDLE_MANIFESTS_DOWNLOAD_H_
#define KOE_BUNDLE_MANIFESTS_DOWNLOAD_H_

#include <string>
#include <string_view>
#include <vector>

#include "bundle/manifests/file_record.h"
#include "koe/result.h"

namespace koe::bundle {

struct DownloadManifest {
  std::string repo_id;       // "hexgrad/Kokoro-82M"
  std::string revision;      // IsRevision: the commit that the files are of
  std::string generated_at;  // IsTimestamp
  std::vector<std::string> allow_patterns;
  std::vector<FileRecord> files;  // sorted by path, which is that in the repository

  std::string ToJson() const;
  // kCorruptBundle names the field; kUnsupported: another schema_version; kTooLong: a limit.
  static Result<DownloadManifest> Parse(std::string_view json, const ManifestLimits& limits = {});
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_MANIFESTS_DOWNLOAD_H_
