// SPDX-License-Identifier: Apache-2.0
// What all four manifests are made of: a file's path, size and digest. docs/bundle_format.md lists the fields.
#ifndef KOE_BUNDLE_MANIFESTS_FILE_RECORD_H_
#define KOE_BUNDLE_MANIFESTS_FILE_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/limits.h"
#include "koe/result.h"

namespace koe::bundle {

inline constexpr char kRuntimeManifestName[] = "RuntimeManifest.json";
inline constexpr char kHostedManifestName[] = "HostedManifest.json";
inline constexpr char kReleaseManifestName[] = "SDKReleaseManifest.json";
inline constexpr char kDownloadManifestName[] = "DownloadManifest.json";
inline constexpr char kSignatureSuffix[] = ".sig";
inline constexpr char kHostedSignatureName[] = "HostedManifest.json.sig";
inline constexpr int64_t kSchemaVersion = 1;

struct FileRecord {
  std::string path;  // relative to the bundle, site or repository
  uint64_t bytes = 0;
  std::string sha256;  // 64 lower-case hexadecimal digits
  bool operator==(const FileRecord&) const = default;
};

// What a reader of manifests accepts. The defaults are the seed's; whoever downloads may set others.
struct ManifestLimits {
  size_t max_manifest_bytes = kMaxManifestBytes;
  uint64_t max_file_bytes = kMaxFileBytes;
  uint64_t max_total_bytes = kMaxBundleBytes;
  size_t max_files = kMaxBundleFiles;
};

// By path, each once, none the folder of another, and within the limits. `where` names the manifest in messages.
// kCorruptBundle; kTooLong for a limit.
Result<void> CheckFiles(const std::vector<FileRecord>& files, const ManifestLimits& limits, const std::string& where);

void SortByPath(std::vector<FileRecord>* files);

// "2023-11-14T22:13:20Z": UTC, to the second.
bool IsTimestamp(std::string_view text);
// 40 lower-case hexadecimal digits.
bool IsRevision(std::string_view text);
// 7 to 40 lower-case hexadecimal digits, perhaps "-dirty" after them.
bool IsSdkCommit(std::string_view text);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_MANIFESTS_FILE_RECORD_H_
