// SPDX-License-Identifier: Apache-2.0
// What the targets of the manifests share: what is read, written and read again is the same, within the limits.
#ifndef KOE_FUZZ_MANIFEST_FUZZ_H_
#define KOE_FUZZ_MANIFEST_FUZZ_H_

#include <string>
#include <string_view>
#include <vector>

#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/manifests/file_record.h"
#include "bundle/testing/fuzz_oracle.h"

namespace koe::bundle::testing {

inline void RequireRefusal(const Error& error) {
  if (error.code() == ErrorCode::kTooLong) return Require(!error.message().empty());
  RequireReason(error);
}

// In the words of docs/bundle_format.md, not by the function that is tested.
inline void RequireSafePath(const std::string& path) {
  const std::string rooted = "/" + path + "/";
  Require(path.size() <= 128 && rooted.find("//") == std::string::npos && rooted.find("/.") == std::string::npos);
  for (const char c : path)
    Require(c > 0x20 && c < 0x7F && std::string_view("\\:*?\"<>|~").find(c) == std::string_view::npos);
}

inline void RequireFiles(const std::vector<FileRecord>& files, const ManifestLimits& limits) {
  Require(files.size() <= limits.max_files);
  uint64_t total = 0;
  for (const FileRecord& file : files) {
    RequireSafePath(file.path);
    Require(IsSha256Hex(file.sha256) && file.bytes <= limits.max_file_bytes);
    total += file.bytes;
  }
  Require(total <= limits.max_total_bytes);
  if (files.empty()) return;
  ManifestLimits fewer = limits;
  fewer.max_files = files.size() - 1;
  const auto refused = CheckFiles(files, fewer, "files");
  Require(!refused && refused.error().code() == ErrorCode::kTooLong);
}

// `parse` takes the text. Returns what was read; nullopt where it was refused.
template <typename Parse>
auto RoundTrip(std::string_view text, Parse parse) -> decltype(parse(text)) {
  auto first = parse(text);
  if (!first) {
    RequireRefusal(first.error());
    return first;
  }
  const std::string written = first->ToJson();
  const auto second = parse(written);
  Require(second.has_value() && second->ToJson() == written);
  return first;
}

}  // namespace koe::bundle::testing

#endif  // KOE_FUZZ_MANIFEST_FUZZ_H_
