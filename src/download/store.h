// SPDX-License-Identifier: Apache-2.0
// The folder that downloads live in. At every moment, also after a kill or a power loss, "current" names a version that
// is whole: a new one is made under incoming/, moved to versions/ in one rename and then named.
//
//   .koe-store           marker
//   .lock                held by whoever changes the store
//   current              the id of the version that counts
//   versions/<id>/       whole bundles; the id is the first 32 digits of HostedManifest.json's SHA-256
//   incoming/<id>/       one on its way: verified files under their names, others as .part
#ifndef KOE_DOWNLOAD_STORE_H_
#define KOE_DOWNLOAD_STORE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "koe/result.h"

namespace koe::download {

// Holds the store's lock while it lives.
class Store {
 public:
  // Makes the store where there is none. While another process holds it, waits and calls `waiting` about ten times a
  // second. kInvalidArgument: a folder that is no store and not empty, a link; kCancelled; kIo.
  static Result<Store> Open(const std::string& dir, const std::atomic<bool>* cancel,
                            const std::function<void()>& waiting);
  Store(Store&& other) noexcept : dir_(std::move(other.dir_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}
  Store& operator=(Store&&) = delete;
  ~Store();

  const std::string& dir() const { return dir_; }
  std::string CurrentId() const;  // "" where there is none, or none that can be read
  std::string VersionDir(const std::string& id) const;
  std::string IncomingDir(const std::string& id) const;
  // Every folder that may hold files of use: versions, then incoming ones.
  std::vector<std::string> BundleDirs() const;

  Result<void> MakeIncoming(const std::string& id);
  // incoming/<id> is complete: syncs every file and folder of it, moves it to versions/<id> (in exchange for what may
  // be there, which is removed) and makes it current.
  Result<void> Commit(const std::string& id);
  Result<void> MakeCurrent(const std::string& id);

  struct Garbage {
    std::vector<std::string> removed;  // ids
    uint64_t bytes = 0;
    size_t in_use = 0;  // old versions that an engine has open: they stay
  };
  // Removes all but the current version, and what is on its way.
  Result<Garbage> CollectGarbage();

 private:
  Store(std::string dir, int lock_fd) : dir_(std::move(dir)), lock_fd_(lock_fd) {}
  Result<void> Prepare();

  std::string dir_;
  int lock_fd_;
};

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_STORE_H_
