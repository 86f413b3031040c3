// SPDX-License-Identifier: Apache-2.0
// Model bundles: made, read, checked, found.
#ifndef KOE_BUNDLE_H_
#define KOE_BUNDLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "koe/common.h"
#include "koe/result.h"

namespace koe {

struct BundleBuildOptions {
  std::string weights_path;         // .onnx (int8, fp16, fp32), .pth, .safetensors
  std::string vocab_path;           // "": the vocabulary that is compiled in (Kokoro v1.0's 114 symbols)
  std::string voices_dir;           // <id>.bin or <id>.pt files
  std::string lexicons_dir;         // us_gold.json, us_silver.json, gb_gold.json, gb_silver.json; "": none
  std::string g2p_dir;              // en.tagger and en.l2s, each where it is there (data/g2p); "": none
  std::string output_dir;           // must not exist, or be a bundle (which is replaced), or be empty
  std::string profile = "full";     // starter (af_heart), full (every voice found), custom (`voices`)
  std::vector<std::string> voices;  // for custom
  std::string precision;            // int8, fp16, fp32: what tensors are stored as; "": as the weights have them
  // A DownloadManifest.json: weights and voices must be in it with their sizes and digests; what else it names must
  // agree. "": not compared.
  std::string download_manifest_path;
  std::string sdk_commit;  // written to the manifest: 7 to 40 hexadecimal digits, perhaps "-dirty" after them; "": none
  uint64_t serial = 0;     // of this version, against roll-back: grows with every version put out; 0: not numbered
  std::function<void(double fraction, const std::string& what)> progress;
  const CancelToken* cancel = nullptr;  // looked at between files and tensors
};
// Equal inputs give equal bytes ($SOURCE_DATE_EPOCH is the one thing beside them that is read).
// Built beside output_dir and renamed into place: on any error (kCancelled too) output_dir is as it was.
Result<void> BuildBundle(const BundleBuildOptions& options);

struct BundleReport {
  std::string path, profile, generated_by, weights_source, weights_sha256, tensor_precision;
  std::vector<std::string> languages, voices;
  size_t num_files = 0;
  uint64_t num_bytes = 0;
  size_t num_tensors = 0;
  std::string generated_at, sdk_commit, repo_id, revision;  // the last three "" where they are not told
  bool provenance_verified = false;                         // built with a download manifest
  std::string hosted_version;                               // "<profile>-<12 digits>"; "" without HostedManifest.json
  uint64_t serial = 0;
  bool is_signed = false;  // a signature is there; VerifyBundle (koe/publish.h) says whose
};
// Reads the manifests only.
Result<BundleReport> ReadBundle(const std::string& dir);
// Re-hashes every file, checks that the manifests cover the folder exactly, every tensor's name, type and shape, and
// that every value is finite.
Result<BundleReport> ValidateBundle(const std::string& dir);
// --bundle DIR, $KOE_BUNDLE, ./models/kokoro-82m, $XDG_DATA_HOME/koe/kokoro-82m, /usr/share/koe/kokoro-82m, in this
// order; a given dir is not searched past. kNotFound lists the places.
Result<std::string> FindBundle(const std::string& given_dir);

}  // namespace koe

#endif  // KOE_BUNDLE_H_
