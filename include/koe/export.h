// SPDX-License-Identifier: Apache-2.0
// The neural stages as programs of fixed shapes for other runtimes: Core ML packages and ONNX models, written from a
// bundle's weights on any machine (docs/export.md).
#ifndef KOE_KOE_EXPORT_H_
#define KOE_KOE_EXPORT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "koe/koe.h"
#include "koe/result.h"

namespace koe {

enum class ExportFormat { kCoreMl, kOnnx };
// The seed's stages: duration; prosody ("f0ntrain"); decoder ("decoder_pre"); generator ("decoder_har_post").
enum class ExportStage { kDuration, kF0Ntrain, kDecoderPre, kGenerator };
enum class ExportPrecision { kFp16, kFp32 };
// kCurrent: the packages of September 2026, with masks, which may be left out. kCard: those of the seed's model card,
// without masks and with an excitation of twice the length.
enum class ExportContract { kCurrent, kCard };

inline constexpr int kMaxExportSeconds = 120;
inline constexpr int kMaxExportTokens = 512;

struct ExportOptions {
  std::string bundle_dir = {};
  std::string output_dir = {};  // made where it is not there; packages of the same names in it are replaced
  ExportFormat format = ExportFormat::kCoreMl;
  std::vector<ExportStage> stages = {};                         // empty: all four
  std::vector<int> buckets = {3, 7, 10, 15, 30};                // seconds, 1..120, for all but the duration stage
  std::vector<int> tokens = {32, 64, 128, 256, 320, 384, 512};  // 1..512, of the duration stage
  ExportPrecision precision = ExportPrecision::kFp16;           // of the computation, not of the interface
  ExportContract contract = ExportContract::kCurrent;
  bool multifunction = false;  // Core ML: one package a stage with a function for each size (macOS 15, iOS 18)
  // fp16: the generator's spectrum and inverse transform too, as published; they are float32 otherwise, worth 4 dB.
  bool half_tail = false;
  std::function<void(double fraction, const std::string& what)> progress = {};
  const CancelToken* cancel = nullptr;  // looked at between packages
};

struct ExportedFile {
  std::string path;  // relative to the package; of an ONNX model its name
  uint64_t bytes = 0;
  std::string sha256;
};
struct ExportedPackage {
  std::string path;  // "kokoro_decoder_pre_3s.mlpackage"
  ExportStage stage = ExportStage::kDuration;
  std::vector<int> sizes;   // tokens, or seconds
  std::string tree_sha256;  // over paths, sizes and digests of the files (docs/export.md)
  uint64_t bytes = 0;
  std::vector<ExportedFile> files;
};
struct ExportReport {
  std::string output_dir;
  std::vector<ExportedPackage> packages;
  std::vector<ExportedFile> runtime_files;  // runtime/kokoro-vocab.json, runtime/hnsf_weights.json
  uint64_t bytes = 0;
};

// Writes the packages, the runtime files and ExportManifest.json, which lists them, and those of an earlier export with
// the same options into the same folder. The same bundle and options give the same bytes. A package appears under its
// name when it is complete; the manifest never lists what is not there, even after an error. Errors: kInvalidArgument
// (options; something in the way that is no package), kNotFound and kCorruptBundle (bundle), kUnsupported (a weight
// beyond float16), kIo, kCancelled.
Result<ExportReport> ExportModel(const ExportOptions& options);

// "duration", "f0ntrain", "decoder_pre", "decoder_har_post"
const char* ExportStageName(ExportStage stage);

// A folder in the layout that kokoro-coreml's SDK loads: packages, voices, runtime files, its two manifests.
struct SdkBundleOptions {
  std::string bundle_dir = {};
  std::string output_dir = {};  // must not exist, or be such a bundle (which is replaced), or be empty
  // starter: af_heart, 15 s, 128 tokens; custom: `voices` and `buckets`, 128 tokens; full: every English voice and
  // every published size, with multifunction packages: for the seed's pipeline, its SDK does not take it.
  std::string profile = "starter";
  std::vector<std::string> voices = {};
  std::vector<int> buckets = {};  // seconds
  std::string sdk_commit = {};    // 7 to 40 hexadecimal digits, perhaps "-dirty" after them; "": the source bundle's
  std::function<void(double fraction, const std::string& what)> progress = {};
  const CancelToken* cancel = nullptr;  // looked at between packages
};
struct SdkBundleReport {
  std::string path, profile, generated_at, hosted_version, sdk_commit, repo_id, revision;
  // The source bundle was built with a download manifest. The seed's SDK refuses a bundle of which this is not true.
  bool provenance_verified = false;
  std::vector<int> buckets, tokens;
  std::vector<std::string> packages, voices;
  size_t num_files = 0;
  uint64_t num_bytes = 0;
};
// Equal bundles and options give equal bytes ($SOURCE_DATE_EPOCH is the one thing beside them that is read). Built
// beside output_dir and renamed into place: on any error output_dir is as it was. Errors as ExportModel and
// BuildBundle.
Result<SdkBundleReport> BuildSdkBundle(const SdkBundleOptions& options);
// Re-hashes every file, checks that the manifests cover the folder exactly (compiled/ aside) and that every size has
// its packages. kNotFound, kCorruptBundle, kUnsupported.
Result<SdkBundleReport> ValidateSdkBundle(const std::string& dir);
// Whether dir holds KokoroRuntimeManifest.json.
bool IsSdkBundle(const std::string& dir);

}  // namespace koe

#endif  // KOE_KOE_EXPORT_H_
