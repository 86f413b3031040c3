// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/sdk.h"

#include <algorithm>

#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/manifests/fields.h"
#include "bundle/manifests/provenance.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

constexpr int kMaxSeconds = 120, kMaxTokens = 512;  // what `koe export` writes at most
constexpr int kFramesPerSecond = 40;
constexpr size_t kMaxSizes = 64;

Json Integers(const std::vector<int>& values) {
  Json json = Json::Array();
  for (const int value : values) json.items.push_back(Json::Int(value));
  return json;
}

Result<std::vector<int>> ReadSizes(const Fields& fields, const std::string& key, int max) {
  KOE_TRY(const Json* list, fields.Get(key, Json::Type::kArray));
  if (list->items.empty() || list->items.size() > kMaxSizes) return fields.Corrupt(key, "none or too many");
  std::vector<int> sizes;
  for (const Json& item : list->items) {
    if (!item.is(Json::Type::kInt) || item.integer < 1 || item.integer > max) {
      return fields.Corrupt(key, "not of 1 to " + std::to_string(max));
    }
    if (!sizes.empty() && item.integer <= sizes.back()) return fields.Corrupt(key, "not ascending");
    sizes.push_back(static_cast<int>(item.integer));
  }
  return sizes;
}

// coreml/<name>.mlpackage
bool IsPackagePath(const std::string& path) {
  const size_t folder = std::string_view(kSdkPackageFolder).size(), end = std::string_view(kSdkPackageEnd).size();
  return IsSafePath(path) && path.starts_with(kSdkPackageFolder) && path.ends_with(kSdkPackageEnd) &&
         path.size() > folder + end && path.find('/', folder) == std::string::npos;
}

bool IsSdkVoicePath(const std::string& path) {
  const size_t folder = std::string_view(kVoicesFolder).size();
  return path.starts_with(kVoicesFolder) && path.ends_with(".bin") && path.size() > folder + 4 &&
         IsVoiceId(path.substr(folder, path.size() - folder - 4));
}

Result<SdkPackage> ReadPackage(const Fields& fields, size_t max_files) {
  SdkPackage package;
  KOE_TRY(package.path, fields.Text("path", kMaxPathBytes));
  if (!IsPackagePath(package.path)) return fields.Corrupt("path", Quoted(package.path) + " is no package in coreml/");
  KOE_TRY(package.tree_sha256, fields.Digest("tree_sha256"));
  KOE_TRY(package.files, fields.Records("files", max_files));
  KOE_TRY(const uint64_t count, fields.Count("file_count", kMaxBundleFiles));
  KOE_TRY(const uint64_t bytes, fields.Count("bytes", kMaxBundleBytes));
  KOE_CHECK_OK(CheckFiles(package.files, {}, package.path));
  if (count != package.files.size()) return fields.Corrupt("file_count", "not the number of files");
  if (bytes != package.Bytes()) return fields.Corrupt("bytes", "not the sum of the files'");
  if (package.tree_sha256 != TreeDigest(package.files)) return fields.Corrupt("tree_sha256", "not that of the files");
  const auto is_manifest = [](const FileRecord& file) { return file.path == "Manifest.json"; };
  if (std::none_of(package.files.begin(), package.files.end(), is_manifest)) {
    return fields.Corrupt("files", "no Manifest.json");
  }
  return package;
}

// Every size has a package or a function of one for each stage.
Result<void> CheckStages(const Fields& fields, const SdkManifest& m) {
  const auto one_of = [&](const std::string& first, const std::string& second) -> Result<void> {
    if (m.HasPackage(first) || m.HasPackage(second)) return {};
    return fields.Corrupt("model_packages", "neither " + first + " nor " + second);
  };
  for (const int tokens : m.duration_token_sizes) {
    KOE_CHECK_OK(one_of("kokoro_duration_t" + std::to_string(tokens), "kokoro_duration_multifunction"));
  }
  for (const int seconds : m.buckets) {
    const std::string s = std::to_string(seconds) + "s";
    KOE_CHECK_OK(
        one_of("kokoro_f0ntrain_t" + std::to_string(seconds * kFramesPerSecond), "kokoro_f0ntrain_multifunction"));
    KOE_CHECK_OK(one_of("kokoro_decoder_pre_" + s, "kokoro_decoder_pre_multifunction"));
    KOE_CHECK_OK(one_of("kokoro_decoder_har_post_" + s, "kokoro_decoder_har_post_range"));
  }
  return {};
}

Result<SdkManifest> ParseWithin(std::string_view json, const ManifestLimits& limits) {
  KOE_TRY(const Json root, ParseManifest(json, limits, kSdkManifestName));
  const Fields fields(root, kSdkManifestName);
  KOE_CHECK_OK(fields.SchemaVersion());
  SdkManifest m;
  KOE_TRY(m.generated_at, fields.Timestamp("generated_at"));
  KOE_TRY(m.provenance, ReadProvenance(fields));
  if (m.provenance.sdk_commit.empty()) return fields.Corrupt("sdk_commit", "missing");
  KOE_TRY(m.weights_sha256, fields.TextOrNone("weights_sha256", 64));
  if (!m.weights_sha256.empty() && !IsSha256Hex(m.weights_sha256)) return fields.Corrupt("weights_sha256", "no digest");
  KOE_TRY(m.bundle_profile, fields.OneOf("bundle_profile", {"starter", "custom", "full"}));
  KOE_TRY(const Fields platforms, fields.Object("minimum_platforms"));
  KOE_CHECK_OK(platforms.OneOf("iOS", {kSdkMinimumIos}));
  KOE_CHECK_OK(platforms.OneOf("macOS", {kSdkMinimumMacos}));
  KOE_TRY(m.supported_languages, fields.Texts("supported_languages", 16, 16));
  KOE_TRY(m.buckets, ReadSizes(fields, "buckets", kMaxSeconds));
  KOE_TRY(m.duration_token_sizes, ReadSizes(fields, "duration_token_sizes", kMaxTokens));
  if (m.bundle_profile != "full" && m.duration_token_sizes != std::vector<int>{kSdkTokens}) {
    return fields.Corrupt("duration_token_sizes", "not [128], which is all that the SDK takes");
  }
  KOE_TRY(const Json* packages, fields.Get("model_packages", Json::Type::kArray));
  if (packages->items.size() > limits.max_files) return fields.Corrupt("model_packages", "too many");
  for (const Json& item : packages->items) {
    KOE_TRY(SdkPackage package,
            ReadPackage(Fields(item, std::string(kSdkManifestName) + ": model_packages"), limits.max_files));
    if (m.HasPackage(package.Name())) return fields.Corrupt("model_packages", Quoted(package.path) + " twice");
    m.packages.push_back(std::move(package));
  }
  KOE_TRY(m.voices, fields.Records("voices", limits.max_files));
  for (const FileRecord& voice : m.voices) {
    if (!IsSdkVoicePath(voice.path)) return fields.Corrupt("voices", Quoted(voice.path) + " is not voices/<id>.bin");
  }
  KOE_TRY(const Fields assets, fields.Object("runtime_assets"));
  KOE_TRY(m.vocab, assets.RecordOf("vocab"));
  KOE_TRY(m.harmonics, assets.RecordOf("hnsf_weights"));
  if (m.vocab.path != kSdkVocabName) return assets.Corrupt("vocab", "not " + std::string(kSdkVocabName));
  if (m.harmonics.path != kSdkHarmonicsName) {
    return assets.Corrupt("hnsf_weights", "not " + std::string(kSdkHarmonicsName));
  }
  if (fields.Has("g2p_assets")) {
    KOE_TRY(m.g2p_assets, fields.Records("g2p_assets", limits.max_files));
    for (const FileRecord& asset : m.g2p_assets) {
      if (!asset.path.starts_with("g2p/")) return fields.Corrupt("g2p_assets", Quoted(asset.path) + " is not in g2p/");
    }
  }
  const std::vector<FileRecord> files = m.Files();
  for (const FileRecord& file : files) {
    if (!IsSafePath(file.path)) return fields.Corrupt("model_packages", Quoted(file.path) + " is too long a path");
  }
  KOE_CHECK_OK(CheckFiles(files, limits, kSdkManifestName));
  KOE_CHECK_OK(CheckStages(fields, m));
  return m;
}

}  // namespace

uint64_t SdkPackage::Bytes() const {
  uint64_t bytes = 0;
  for (const FileRecord& file : files) bytes += file.bytes;
  return bytes;
}

std::string SdkPackage::Name() const {
  const size_t folder = std::string_view(kSdkPackageFolder).size();
  return path.substr(folder, path.size() - folder - std::string_view(kSdkPackageEnd).size());
}

bool SdkManifest::HasPackage(const std::string& name) const {
  return std::any_of(packages.begin(), packages.end(), [&](const SdkPackage& p) { return p.Name() == name; });
}

std::string SdkManifest::ToJson() const {
  Json platforms = Json::Object(), list = Json::Array(), assets = Json::Object(), root = Json::Object();
  platforms.Set("iOS", Json::Text(kSdkMinimumIos));
  platforms.Set("macOS", Json::Text(kSdkMinimumMacos));
  for (const SdkPackage& package : packages) {
    Json json = Json::Object();
    json.Set("path", Json::Text(package.path));
    json.Set("tree_sha256", Json::Text(package.tree_sha256));
    json.Set("file_count", Json::Int(static_cast<int64_t>(package.files.size())));
    json.Set("bytes", Json::Int(static_cast<int64_t>(package.Bytes())));
    json.Set("files", bundle::ToJson(package.files));
    list.items.push_back(std::move(json));
  }
  assets.Set("vocab", bundle::ToJson(vocab));
  assets.Set("hnsf_weights", bundle::ToJson(harmonics));
  root.Set("schema_version", Json::Int(kSchemaVersion));
  root.Set("generated_at", Json::Text(generated_at));
  WriteProvenance(provenance, &root);
  if (!weights_sha256.empty()) root.Set("weights_sha256", Json::Text(weights_sha256));
  root.Set("bundle_profile", Json::Text(bundle_profile));
  root.Set("minimum_platforms", std::move(platforms));
  root.Set("supported_languages", bundle::ToJson(supported_languages));
  root.Set("buckets", Integers(buckets));
  root.Set("duration_token_sizes", Integers(duration_token_sizes));
  root.Set("model_packages", std::move(list));
  root.Set("voices", bundle::ToJson(voices));
  root.Set("runtime_assets", std::move(assets));
  if (bundle_profile == "full") root.Set("g2p_assets", bundle::ToJson(g2p_assets));
  return WriteJson(root, 2) + "\n";
}

Result<SdkManifest> SdkManifest::Parse(std::string_view json) {
  auto manifest = ParseWithin(json, {});
  // As RuntimeManifest::Parse: only whoever downloads asks which limit it was.
  if (!manifest && manifest.error().code() == ErrorCode::kTooLong) {
    return Error(ErrorCode::kCorruptBundle, manifest.error().message());
  }
  return manifest;
}

std::vector<FileRecord> SdkManifest::Files() const {
  std::vector<FileRecord> files = {vocab, harmonics};
  for (const SdkPackage& package : packages) {
    for (const FileRecord& file : package.files) {
      files.push_back({package.path + "/" + file.path, file.bytes, file.sha256});
    }
  }
  files.insert(files.end(), voices.begin(), voices.end());
  files.insert(files.end(), g2p_assets.begin(), g2p_assets.end());
  SortByPath(&files);
  return files;
}

std::string TreeDigest(std::vector<FileRecord> files) {
  SortByPath(&files);
  Sha256 sha;
  for (const FileRecord& file : files) {
    for (const std::string& text : {file.path, std::to_string(file.bytes), file.sha256}) {
      sha.Update(AsBytes({text.c_str(), text.size() + 1}));
    }
  }
  return sha.FinishHex();
}

}  // namespace koe::bundle
