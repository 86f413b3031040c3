// SPDX-License-Identifier: Apache-2.0
// Comparing a build's inputs with the download manifest they came with.
#ifndef KOE_BUNDLE_BUILD_INPUTS_H_
#define KOE_BUNDLE_BUILD_INPUTS_H_

#include <string>

#include "bundle/byte_reader.h"
#include "bundle/manifests/download.h"
#include "koe/result.h"

namespace koe::bundle {

// Inputs are known by their file name: a download may have been put into other folders than the repository's.
class InputCheck {
 public:
  // No manifest: every check passes.
  InputCheck() = default;
  // kNotFound, kIo; kCorruptBundle, kUnsupported, kTooLong: the manifest.
  static Result<InputCheck> Load(const std::string& path);

  // kCorruptBundle: no file of that name in the manifest, or none with this size and digest.
  Result<void> Listed(const std::string& input_path, Bytes bytes) const;
  // The same, but what the manifest does not name passes: files that come from elsewhere.
  Result<void> NotContradicted(const std::string& input_path, Bytes bytes) const;

  bool is_present() const { return !sha256_.empty(); }
  const DownloadManifest& manifest() const { return manifest_; }
  const std::string& sha256() const { return sha256_; }  // of the manifest's text

 private:
  Result<void> Check(const std::string& input_path, Bytes bytes, bool must_be_listed) const;
  DownloadManifest manifest_;
  std::string sha256_;
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_BUILD_INPUTS_H_
