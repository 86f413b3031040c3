// SPDX-License-Identifier: Apache-2.0
#include "bundle/sdk_bundle.h"

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "bundle/digest.h"
#include "bundle/import.h"
#include "bundle/limits.h"
#include "bundle/manifests/fields.h"
#include "bundle/manifests/hosted.h"
#include "bundle/vocab.h"

namespace koe::bundle {
namespace {

constexpr size_t kNumHarmonics = 9;
constexpr size_t kMaxMarkerBytes = 64;
// Compiled models are many small files, whose number is the compiler's affair.
constexpr size_t kMaxFilesPresent = 16 * kMaxBundleFiles;

Error Corrupt(const std::string& what) { return Error(ErrorCode::kCorruptBundle, what); }

// A file that a bundle must have: its absence is damage.
template <typename T>
Result<T> Required(Result<T> result) {
  if (!result && result.error().code() == ErrorCode::kNotFound) return Corrupt(result.error().message());
  return result;
}

Result<void> CheckHarmonics(std::string_view text) {
  KOE_TRY(const Json root, ParseJson(text, {kMaxJsonDepth, 64}, kSdkHarmonicsName));
  const Json* weights = root.Find("linear_weights");
  const Json* bias = root.Find("linear_bias");
  const auto finite = [](const Json& json) {
    return json.is(Json::Type::kInt) || (json.is(Json::Type::kDouble) && std::isfinite(json.number));
  };
  if (weights == nullptr || weights->items.size() != kNumHarmonics ||
      !std::all_of(weights->items.begin(), weights->items.end(), finite) || bias == nullptr || !finite(*bias)) {
    return Corrupt(std::string(kSdkHarmonicsName) + ": not nine finite linear_weights and a linear_bias");
  }
  return {};
}

// Whether what lies in the folder is what the manifests name, no more and no less.
Result<void> CheckCoverage(const std::string& dir, const std::vector<FileRecord>& expected) {
  std::set<std::string> allowed = {kSdkMarker.name, kHostedManifestName};
  for (const FileRecord& file : expected) allowed.insert(file.path);
  KOE_TRY(const std::vector<std::string> present, ListFiles(dir, kMaxFilesPresent));
  for (const std::string& path : present) {
    if (!path.starts_with(kSdkCompiledFolder) && allowed.count(path) == 0) {
      return Corrupt("file: " + path + ": in the directory but not in the manifest");
    }
  }
  KOE_TRY(const std::string marker,
          Required(ReadSmallFile(dir + "/" + kSdkMarker.name, kMaxMarkerBytes, kSdkMarker.name)));
  const std::string_view text = kSdkMarker.text;
  if (marker != text && marker != text.substr(0, text.size() - 1)) {
    return Corrupt(std::string(kSdkMarker.name) + ": another text");
  }
  return {};
}

}  // namespace

bool IsSdkBundle(const std::string& dir) {
  struct stat info;
  return stat((dir + "/" + kSdkManifestName).c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Result<SdkManifest> ReadSdkManifest(const std::string& dir) {
  struct stat info;
  if (lstat(dir.c_str(), &info) != 0) return Error(ErrorCode::kNotFound, "bundle: '" + dir + "': no such directory");
  if (S_ISLNK(info.st_mode)) return Corrupt("bundle: '" + dir + "': a symbolic link, which the SDK refuses");
  if (!S_ISDIR(info.st_mode)) return Error(ErrorCode::kNotFound, "bundle: '" + dir + "': not a directory");
  KOE_TRY(const std::string text, ReadSmallFile(dir + "/" + kSdkManifestName, kMaxManifestBytes, kSdkManifestName));
  return SdkManifest::Parse(text);
}

Result<void> VerifySdkPackage(const std::string& dir, const SdkPackage& package) {
  const std::string root = dir + "/" + package.path;
  struct stat info;
  if (lstat(root.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return Corrupt("package: " + package.path + ": not a directory");
  }
  KOE_TRY(const std::vector<std::string> present, ListFiles(root, kMaxBundleFiles));
  std::vector<std::string> expected;
  for (const FileRecord& file : package.files) expected.push_back(file.path);
  std::sort(expected.begin(), expected.end());
  if (present != expected) return Corrupt("package: " + package.path + ": its files are not those of the manifest");
  for (const FileRecord& file : package.files) {
    const std::string path = package.path + "/" + file.path;
    KOE_CHECK_OK(Required(CheckInside(dir, path)));
    KOE_CHECK_OK(Required(OpenVerified(dir + "/" + path, path, file.bytes, file.sha256, true)));
  }
  return {};
}

std::string SdkHostedVersion(const SdkManifest& manifest) {
  return manifest.bundle_profile + "-" + manifest.provenance.sdk_commit.substr(0, 12);
}

std::string SdkHostedJson(const std::string& version, const std::vector<FileRecord>& files) {
  Json root = Json::Object();
  root.Set("version", Json::Text(version));
  root.Set("files", ToJson(files));
  return WriteJson(root, 2) + "\n";
}

Result<SdkBundleReport> ValidateSdkBundle(const std::string& dir, const Architecture& architecture) {
  KOE_TRY(const SdkManifest manifest, ReadSdkManifest(dir));
  KOE_TRY(const std::string runtime_text,
          ReadSmallFile(dir + "/" + kSdkManifestName, kMaxManifestBytes, kSdkManifestName));
  KOE_TRY(const std::string hosted_text,
          Required(ReadSmallFile(dir + "/" + kHostedManifestName, kMaxManifestBytes, kHostedManifestName)));
  KOE_TRY(const HostedManifest hosted, HostedManifest::Parse(hosted_text));
  std::vector<FileRecord> expected = manifest.Files();
  expected.push_back({kSdkManifestName, runtime_text.size(), Sha256Hex(AsBytes(runtime_text))});
  SortByPath(&expected);
  if (hosted.files != expected) {
    return Corrupt(std::string(kHostedManifestName) + ": files: not those of " + kSdkManifestName);
  }
  if (hosted.version != SdkHostedVersion(manifest)) {
    return Corrupt(std::string(kHostedManifestName) + ": version: not " + SdkHostedVersion(manifest));
  }
  KOE_CHECK_OK(CheckCoverage(dir, expected));

  SdkBundleReport report;
  for (const FileRecord& file : expected) {
    KOE_CHECK_OK(Required(CheckInside(dir, file.path)));
    KOE_TRY(const MappedFile mapped,
            Required(OpenVerified(dir + "/" + file.path, file.path, file.bytes, file.sha256, false)));
    if (file.path == kSdkVocabName) KOE_CHECK_OK(Vocab::Parse(AsText(mapped.bytes()), architecture.vocab_rows));
    if (file.path == kSdkHarmonicsName) KOE_CHECK_OK(CheckHarmonics(AsText(mapped.bytes())));
    if (file.path.starts_with(kVoicesFolder)) {
      auto voice = ImportVoiceBin(mapped.bytes(), architecture);
      if (!voice) return voice.error().WithContext(file.path);
      const size_t folder = std::string_view(kVoicesFolder).size();
      report.voices.push_back(file.path.substr(folder, file.path.size() - folder - 4));
    }
    ++report.num_files;
    report.num_bytes += file.bytes;
  }
  report.path = dir;
  report.profile = manifest.bundle_profile;
  report.generated_at = manifest.generated_at;
  report.hosted_version = hosted.version;
  report.sdk_commit = manifest.provenance.sdk_commit;
  report.repo_id = manifest.provenance.hf_repo_id;
  report.revision = manifest.provenance.hf_artifact_revision;
  report.provenance_verified = manifest.provenance.hf_provenance_verified;
  report.buckets = manifest.buckets;
  report.tokens = manifest.duration_token_sizes;
  for (const SdkPackage& package : manifest.packages) report.packages.push_back(package.Name());
  return report;
}

}  // namespace koe::bundle
