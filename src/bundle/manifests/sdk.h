// SPDX-License-Identifier: Apache-2.0
// KokoroRuntimeManifest.json: what kokoro-coreml's SDK reads of a bundle of Core ML packages (docs/export.md).
#ifndef KOE_BUNDLE_MANIFESTS_SDK_H_
#define KOE_BUNDLE_MANIFESTS_SDK_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/manifests/file_record.h"
#include "bundle/manifests/runtime.h"
#include "koe/result.h"

namespace koe::bundle {

inline constexpr char kSdkManifestName[] = "KokoroRuntimeManifest.json";
inline constexpr char kSdkVocabName[] = "runtime/kokoro-vocab.json";
inline constexpr char kSdkHarmonicsName[] = "runtime/hnsf_weights.json";
inline constexpr char kSdkPackageFolder[] = "coreml/";
inline constexpr char kSdkPackageEnd[] = ".mlpackage";
inline constexpr char kSdkCompiledFolder[] = "compiled/";  // what a device makes of the packages; no manifest names it
// The SDK's provider takes bundles for texts of this many tokens only; the profile `full` is for its pipeline.
inline constexpr int kSdkTokens = 128;
inline constexpr char kSdkMinimumIos[] = "18.0";
inline constexpr char kSdkMinimumMacos[] = "15.0";

struct SdkPackage {
  std::string path;               // "coreml/kokoro_decoder_pre_15s.mlpackage"
  std::string tree_sha256;        // TreeDigest(files)
  std::vector<FileRecord> files;  // paths relative to the package, sorted
  uint64_t Bytes() const;
  std::string Name() const;  // "kokoro_decoder_pre_15s"
};

// Every path is safe and where its kind belongs, sums and tree digests agree with the files, and every bucket and
// number of tokens has its packages.
struct SdkManifest {
  std::string generated_at;
  Provenance provenance;
  std::string weights_sha256;  // of the file that the packages' weights came from; "": not told, as in the seed's
  std::string bundle_profile;  // starter, custom, full
  std::vector<std::string> supported_languages;
  std::vector<int> buckets;               // seconds, ascending
  std::vector<int> duration_token_sizes;  // ascending; {128} unless full
  std::vector<SdkPackage> packages;       // sorted by path
  std::vector<FileRecord> voices;
  FileRecord vocab, harmonics;
  std::vector<FileRecord> g2p_assets;

  bool HasPackage(const std::string& name) const;
  std::string ToJson() const;
  // kCorruptBundle names the field; kUnsupported: another schema_version.
  static Result<SdkManifest> Parse(std::string_view json);
  // Every file it names by its path in the bundle, sorted.
  std::vector<FileRecord> Files() const;
};

// SHA-256 over path, NUL, decimal size, NUL, digest, NUL of each file, sorted by path.
std::string TreeDigest(std::vector<FileRecord> files);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_MANIFESTS_SDK_H_
