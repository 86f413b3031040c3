// SPDX-License-Identifier: Apache-2.0
// Where a download store (src/download, docs/fetch.md) keeps its bundles. A store is a folder with the marker
// ".koe-store"; its file "current" names the folder below "versions" that counts.
#ifndef KOE_BUNDLE_STORE_PATH_H_
#define KOE_BUNDLE_STORE_PATH_H_

#include <string>
#include <utility>

#include "koe/result.h"

namespace koe::bundle {

inline constexpr char kStoreMarkerName[] = ".koe-store";
inline constexpr char kStoreMarkerText[] = "koe-store\n";
inline constexpr char kStoreCurrentName[] = "current";
inline constexpr char kStoreVersionsName[] = "versions";
inline constexpr char kStoreIncomingName[] = "incoming";
inline constexpr size_t kStoreIdBytes = 32;  // the first digits of HostedManifest.json's SHA-256

bool IsStoreId(const std::string& text);
bool IsStore(const std::string& dir);
// What "current" says. kNotFound: the store has no complete version; kCorruptBundle.
Result<std::string> CurrentOfStore(const std::string& dir);
// The bundle's folder: `dir` itself unless it is a store. Errors of CurrentOfStore.
Result<std::string> ResolveStore(const std::string& dir);

// Keeps `koe bundle gc` from removing a store's version while this object lives (a shared lock on its folder; where the
// file system has no locks, nothing is kept).
class BundleInUse {
 public:
  BundleInUse() = default;
  explicit BundleInUse(const std::string& dir);
  BundleInUse(BundleInUse&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  BundleInUse& operator=(BundleInUse&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~BundleInUse();

 private:
  int fd_ = -1;
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_STORE_PATH_H_
