// SPDX-License-Identifier: Apache-2.0
// Compiled Core ML models, kept between runs. A package is compiled on the device that runs it, which takes seconds;
// the result is kept under a name that changes with everything it was made from, checked when it is used, and made anew
// when it is broken. Nothing here needs Apple's libraries.
#ifndef KOE_DEVICES_COREML_COMPILED_CACHE_H_
#define KOE_DEVICES_COREML_COMPILED_CACHE_H_

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "bundle/manifests/sdk.h"
#include "koe/result.h"

namespace koe::devices {

// 16 hexadecimal digits of what a bundle consists of and of the SDK (Koe and its version) that reads it; where the
// bundle lies is left out on purpose, so that a bundle that moves keeps its compiled models.
std::string CompiledCacheKey(const bundle::SdkManifest& manifest, const std::string& sdk);
// "<caches>/KokoroTTS/compiled-<key>"
std::string CompiledCacheDirectory(const std::string& caches, const std::string& key);

inline constexpr char kCompiledEnd[] = ".mlmodelc";
// Beside a compiled model: the tree digest of the package that it was made from.
inline constexpr char kSourceDigestEnd[] = ".kokoro-source-tree-sha256";

// Thread-safe, one model at a time; processes may share a directory.
class CompiledCache {
 public:
  // The path of a newly compiled model in a place of the compiler's own, which is the cache's to move or remove.
  using Compile = std::function<Result<std::string>(const std::string& package_path)>;
  using Open = std::function<Result<void>(const std::string& compiled_path)>;

  // A directory that cannot be written is no error: models are compiled for this object's life then, as with "".
  CompiledCache(std::string directory, Compile compile);
  // Removes what was compiled for this object's life only.
  ~CompiledCache();
  CompiledCache(const CompiledCache&) = delete;
  CompiledCache& operator=(const CompiledCache&) = delete;

  // Calls `open` with a compiled form of the package `name` whose tree digest is tree_sha256. A kept model that is of
  // another digest or cannot be opened is removed and compiled once more; the second failure is returned, and nothing
  // stays in the directory.
  Result<void> OpenModel(const std::string& name, const std::string& package_path, const std::string& tree_sha256,
                         const Open& open);

 private:
  std::string CompiledPath(const std::string& name) const;
  bool IsKept(const std::string& name, const std::string& tree_sha256) const;
  void Forget(const std::string& name) const;
  // Moves a fresh model into the directory; its own path where that fails.
  std::string Keep(const std::string& name, const std::string& tree_sha256, const std::string& fresh);

  const std::string directory_;
  const Compile compile_;
  std::mutex mutex_;
  std::vector<std::string> temporary_;
};

}  // namespace koe::devices

#endif  // KOE_DEVICES_COREML_COMPILED_CACHE_H_
