// SPDX-License-Identifier: Apache-2.0
// HostedManifest.json: what a download needs.
#ifndef KOE_BUNDLE_MANIFESTS_HOSTED_H_
#define KOE_BUNDLE_MANIFESTS_HOSTED_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/manifests/file_record.h"
#include "koe/result.h"

namespace koe::bundle {

// Every file of the bundle but this one, its signature and the marker, sorted by path. A file's address is that of the
// manifest's folder with the path behind it.
struct HostedManifest {
  std::string version;  // "<profile>-<12 digits of RuntimeManifest.json's SHA-256>"
  // Grows with every version that a publisher puts out: who has seen n under a key takes nothing below n.
  // 0: not numbered.
  uint64_t serial = 0;
  std::vector<FileRecord> files;

  uint64_t TotalBytes() const;
  std::string ToJson() const;
  // Text of an untrusted server. kCorruptBundle names the field; kTooLong: a limit.
  static Result<HostedManifest> Parse(std::string_view json, const ManifestLimits& limits = {});
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_MANIFESTS_HOSTED_H_
