// SPDX-License-Identifier: Apache-2.0
#include "api/placed_models.h"

#include <filesystem>
#include <set>
#include <system_error>

#include "base/mapped_file.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/sdk_bundle.h"

namespace koe::api {
namespace {

constexpr const char* kName = "ExportManifest.json";
constexpr size_t kMaxValues = 65536;

template <typename Failure>
Result<std::set<std::string>> ListedPackages(const bundle::Json& root, const Failure& failure) {
  std::set<std::string> listed;
  const bundle::Json* packages = root.Find("packages");
  if (packages == nullptr || !packages->is(bundle::Json::Type::kArray)) {
    return failure(ErrorCode::kCorruptBundle, std::string(kName) + ": packages: missing");
  }
  for (const bundle::Json& package : packages->items) {
    const bundle::Json* path = package.Find("path");
    if (path != nullptr && path->is(bundle::Json::Type::kString)) listed.insert(path->text);
  }
  return listed;
}

}  // namespace

Result<void> CheckPlacedModels(const std::string& models_dir, const bundle::Bundle& bundle) {
  const auto failure = [&](ErrorCode code, const std::string& why) {
    return Error(code, "models: '" + models_dir + "': " + why);
  };
  constexpr const char* kOtherWeights = "were not exported from this bundle's weights";
  if (bundle::IsSdkBundle(models_dir)) {
    KOE_TRY(const bundle::SdkManifest manifest, bundle::ReadSdkManifest(models_dir));
    if (manifest.weights_sha256 == bundle.manifest().weights_source.sha256) return {};
    return failure(ErrorCode::kInvalidArgument, kOtherWeights);
  }
  const auto file = MappedFile::Open(models_dir + "/" + kName);
  if (!file) return failure(ErrorCode::kNotFound, std::string(kName) + ": none (see 'koe export --format onnx')");
  const auto bytes = file->bytes();
  if (bytes.size() > bundle::kMaxManifestBytes) {
    return failure(ErrorCode::kCorruptBundle, std::string(kName) + ": is too large");
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  KOE_TRY(const bundle::Json root, bundle::ParseJson(text, {bundle::kMaxJsonDepth, kMaxValues}, kName));
  const auto field = [&](const char* name) -> std::string {
    const bundle::Json* value = root.Find(name);
    return value != nullptr && value->is(bundle::Json::Type::kString) ? value->text : "";
  };
  if (field("format") != "onnx" || field("precision") != "fp32" || field("contract") != "current") {
    return failure(ErrorCode::kUnsupported,
                   "must be of 'koe export --format onnx --precision fp32' with the current contract");
  }
  if (field("weights_sha256") != bundle.manifest().weights_source.sha256) {
    return failure(ErrorCode::kInvalidArgument, kOtherWeights);
  }
  KOE_TRY(const std::set<std::string> listed, ListedPackages(root, failure));
  std::error_code error;
  for (std::filesystem::directory_iterator it(models_dir, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with("kokoro_") || !name.ends_with(".onnx") || listed.count(name) != 0) continue;
    return failure(ErrorCode::kInvalidArgument, name + ": not in " + kName +
                                                    ": of an export that was interrupted or had other options; export "
                                                    "it again, or remove it");
  }
  if (error) return failure(ErrorCode::kIo, error.message());
  return {};
}

}  // namespace koe::api
