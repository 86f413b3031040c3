// SPDX-License-Identifier: Apache-2.0
#include "devices/coreml/coreml_runtime.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "bundle/sdk_bundle.h"
#include "devices/coreml/compiled_cache.h"
#include "devices/coreml/coreml_model.h"

namespace koe::devices {
namespace {

class CoreMlRuntime final : public OnnxRuntime {
 public:
  CoreMlRuntime(std::string bundle_dir, bundle::SdkManifest manifest, const std::string& compiled_dir,
                const ComputePolicy& policy)
      : bundle_dir_(std::move(bundle_dir)),
        manifest_(std::move(manifest)),
        policy_(policy),
        version_(OperatingSystemVersion()),
        cache_(compiled_dir, CompileCoreMlModel) {}

  Result<std::unique_ptr<Session>> Open(const std::string& model_path, int) const override {
    const std::string name = std::filesystem::path(model_path).stem().string();
    const auto package = std::find_if(manifest_.packages.begin(), manifest_.packages.end(),
                                      [&](const bundle::SdkPackage& p) { return p.Name() == name; });
    if (package == manifest_.packages.end()) {
      return Error(ErrorCode::kNotFound, "package: '" + name + "': not in " + bundle::kSdkManifestName);
    }
    KOE_TRY(const ComputeUnits units, UnitsFor(policy_, name));
    KOE_CHECK_OK(bundle::VerifySdkPackage(bundle_dir_, *package));
    std::unique_ptr<Session> session;
    KOE_CHECK_OK(cache_.OpenModel(name, bundle_dir_ + "/" + package->path, package->tree_sha256,
                                  [&](const std::string& compiled) -> Result<void> {
                                    KOE_TRY(session, OpenCoreMlModel(compiled, units));
                                    return {};
                                  }));
    return session;
  }
  const std::string& version() const override { return version_; }

 private:
  const std::string bundle_dir_;
  const bundle::SdkManifest manifest_;
  const ComputePolicy policy_;
  const std::string version_;
  mutable CompiledCache cache_;  // thread-safe
};

}  // namespace

Result<std::shared_ptr<const OnnxRuntime>> MakeCoreMlRuntime(const std::string& bundle_dir,
                                                             const std::string& compiled_dir,
                                                             const ComputePolicy& policy) {
  KOE_TRY(bundle::SdkManifest manifest, bundle::ReadSdkManifest(bundle_dir));
  std::string directory = compiled_dir;
  if (const std::string caches = CachesDirectory(); directory.empty() && !caches.empty()) {
    directory = CompiledCacheDirectory(caches, CompiledCacheKey(manifest, KOE_VERSION));
  }
  return std::shared_ptr<const OnnxRuntime>(
      std::make_shared<CoreMlRuntime>(bundle_dir, std::move(manifest), directory, policy));
}

}  // namespace koe::devices
