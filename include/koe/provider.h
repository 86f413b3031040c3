// SPDX-License-Identifier: Apache-2.0
// Where an engine's files come from: a directory, memory, or what a caller makes up (a download store, an archive).
#ifndef KOE_PROVIDER_H_
#define KOE_PROVIDER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "koe/common.h"
#include "koe/result.h"

namespace koe {

// Bytes that live as long as this object. The first is 64-byte aligned.
class ResourceBytes {
 public:
  virtual ~ResourceBytes() = default;
  virtual std::span<const std::byte> bytes() const = 0;
};

// Called on the thread that prepares. fraction is in [0, 1] and never falls.
struct ProviderProgress {
  double fraction;
  const char* phase;  // "verifying", "downloading", "ready"
};
using ProviderProgressCallback = std::function<void(const ProviderProgress&)>;

// Offers one bundle. Thread-safe once Prepare has returned; what it offers does not change while an engine has it. It
// is not trusted: every file's size and SHA-256 are compared with the manifest's before its bytes are believed.
class ResourceProvider {
 public:
  virtual ~ResourceProvider() = default;
  // For messages and EngineInfo::bundle_path.
  virtual std::string Name() const = 0;
  // Whatever must be done before the first file is asked for, such as a download: may take long. Called by
  // Engine::Open.
  virtual Result<void> Prepare(const ProviderProgressCallback& progress, const CancelToken* cancel);
  // Where the files lie on disk, if they do: they are mapped then, and a process hashes an unchanged file once however
  // many engines it opens. "": Open is asked for each file.
  virtual std::string Directory() const { return ""; }
  // A file by its path in the bundle, RuntimeManifest.json first. At most `max_bytes`, else kCorruptBundle. kNotFound.
  // Not called where Directory() is not "".
  virtual Result<std::unique_ptr<const ResourceBytes>> Open(const std::string& path, size_t max_bytes) const = 0;
};

// A directory, as Engine::Open with its path.
std::shared_ptr<ResourceProvider> MakeDirectoryProvider(std::string dir);

// Files in memory by path in the bundle, such as a program's own data. Copied once (so that they are aligned); shared
// by all engines that are opened on it.
std::shared_ptr<ResourceProvider> MakeMemoryProvider(const std::map<std::string, std::span<const std::byte>>& files,
                                                     std::string name = "memory");

// A bundle that may have to be brought first: `bring` returns the directory of a whole one (that of a download store's
// newest version, say) and is called once, by Prepare. Errors of `bring` are those of Engine::Open.
using BringBundle =
    std::function<Result<std::string>(const ProviderProgressCallback& progress, const CancelToken* cancel)>;
std::shared_ptr<ResourceProvider> MakeDownloadedProvider(BringBundle bring, std::string name);

}  // namespace koe

#endif  // KOE_PROVIDER_H_
