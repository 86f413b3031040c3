// SPDX-License-Identifier: Apache-2.0
// Files below a staging directory, each with what a manifest says about it.
#ifndef KOE_BUNDLE_STAGED_OUTPUT_H_
#define KOE_BUNDLE_STAGED_OUTPUT_H_

#include <functional>
#include <set>
#include <string>

#include "bundle/byte_reader.h"
#include "bundle/manifests/file_record.h"
#include "koe/result.h"

namespace koe::bundle {

class StagedOutput {
 public:
  explicit StagedOutput(const std::string& root) : root_(root) {}

  using Sink = std::function<Result<void>(Bytes)>;
  // A new file at root/path, its folders made, synced to the disk. `produce` calls the sink with consecutive parts.
  Result<FileRecord> Put(const std::string& path, const std::function<Result<void>(const Sink&)>& produce);
  Result<FileRecord> Put(const std::string& path, Bytes bytes);
  // root/path as another name of the file `existing`; false where the file system cannot.
  Result<bool> Link(const std::string& existing, const std::string& path);
  // Syncs every folder that Put and Link have made.
  Result<void> SyncFolders() const;

 private:
  Result<void> MakeFolders(const std::string& path);
  std::string root_;
  std::set<std::string> folders_;
};

// $SOURCE_DATE_EPOCH (reproducible-builds.org), else `otherwise`, else 1970: equal inputs give equal bytes.
std::string ReproducibleTimestamp(const std::string& otherwise = "");

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_STAGED_OUTPUT_H_
