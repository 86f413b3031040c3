// SPDX-License-Identifier: Apache-2.0
#include "bundle/store_path.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "bundle/files.h"

namespace koe::bundle {

bool IsStoreId(const std::string& text) {
  return text.size() == kStoreIdBytes && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool IsStore(const std::string& dir) {
  const auto text = ReadSmallFile(dir + "/" + kStoreMarkerName, 64, kStoreMarkerName);
  return text && *text == kStoreMarkerText;
}

Result<std::string> CurrentOfStore(const std::string& dir) {
  auto text = ReadSmallFile(dir + "/" + kStoreCurrentName, 64, kStoreCurrentName);
  if (!text && text.error().code() == ErrorCode::kNotFound) {
    return Error(ErrorCode::kNotFound, "store: '" + dir + "': no complete bundle in it yet (see 'koe bundle fetch')");
  }
  if (!text) return text.error();
  std::string id = text->substr(0, text->find('\n'));
  if (!IsStoreId(id) || *text != id + "\n") {
    return Error(ErrorCode::kCorruptBundle, "store: '" + dir + "': current: not the name of a version");
  }
  return id;
}

Result<std::string> ResolveStore(const std::string& dir) {
  if (!IsStore(dir)) return dir;
  KOE_TRY(const std::string id, CurrentOfStore(dir));
  return dir + "/" + kStoreVersionsName + "/" + id;
}

BundleInUse::BundleInUse(const std::string& dir) : fd_(open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (fd_ >= 0) (void)flock(fd_, LOCK_SH | LOCK_NB);
}

BundleInUse::~BundleInUse() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace koe::bundle
