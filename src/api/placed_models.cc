// SPDX-License-Identifier: Apache-2.0
#include "api/placed_models.h"

#include "base/mapped_file.h"
#include "bundle/json.h"
#include "bundle/limits.h"
#include "bundle/sdk_bundle.h"

namespace koe::api {
namespace {

constexpr const char* kName = "ExportManifest.json";
constexpr size_t kMaxValues = 65536;

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
  return {};
}

}  // namespace koe::api
