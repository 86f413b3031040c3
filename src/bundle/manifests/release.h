// SPDX-License-Identifier: Apache-2.0
// SDKReleaseManifest.json ("ReleaseManifest"): what a published site offers. It stands at sdk/SDKReleaseManifest.json;
// its paths count from the site's top.
#ifndef KOE_BUNDLE_MANIFESTS_RELEASE_H_
#define KOE_BUNDLE_MANIFESTS_RELEASE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/manifests/file_record.h"
#include "bundle/manifests/runtime.h"
#include "koe/result.h"

namespace koe::bundle {

inline constexpr char kReleaseManifestPath[] = "sdk/SDKReleaseManifest.json";

struct ReleaseProfile {
  std::string profile;  // starter, full, custom
  Provenance provenance;
  std::string hosted_version;
  uint64_t hosted_serial = 0;
  std::string tensor_precision;
  uint64_t voice_count = 0;
  uint64_t file_count = 0;   // of the hosted manifest
  uint64_t total_bytes = 0;  // of those files
  FileRecord runtime_manifest;
  // sdk/<profile>/HostedManifest.json, or HostedManifest.json for the profile at the top. `hosted_manifest` in the JSON
  // is its path alone, as in the seed.
  FileRecord hosted_manifest_record;
};

struct ReleaseManifest {
  std::string generated_at;  // IsTimestamp
  std::string generated_by;  // "koe 0.1.0"
  std::string repo_id;       // of the site, where it is a repository; "": none
  std::string sdk_commit;    // of the koe that published; "": not told
  std::string revision;      // what `koe bundle fetch --revision` asks for: [A-Za-z0-9._-]{1,64}, not starting with '.'
  uint64_t serial = 1;       // grows with every change of the site
  std::optional<FileRecord> model_card;
  // Of the starter profile, which stands at the top of the site; absent where it is not published.
  std::optional<FileRecord> top_level_hosted_manifest, top_level_runtime_manifest;
  std::vector<FileRecord> top_level_hosted_files;
  std::vector<ReleaseProfile> profiles;  // sorted by profile, each once

  const ReleaseProfile* Find(std::string_view profile) const;  // nullptr: not offered
  std::string ToJson() const;
  // Text of an untrusted server. kCorruptBundle names the field; kUnsupported: another schema_version; kTooLong: a
  // limit.
  static Result<ReleaseManifest> Parse(std::string_view json, const ManifestLimits& limits = {});
};

// [A-Za-z0-9._-]{1,64}, not starting with '.'.
bool IsReleaseRevision(std::string_view text);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_MANIFESTS_RELEASE_H_
