// SPDX-License-Identifier: Apache-2.0
#include "download/disk.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>

#include "bundle/files.h"

namespace koe::download {

Result<void> CheckRoom(const std::string& dir, uint64_t bytes) {
  struct statvfs info;
  if (statvfs(dir.c_str(), &info) != 0) return {};
  const uint64_t free = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  if (free >= bytes) return {};
  return Error(ErrorCode::kIo, "store: '" + dir + "': needs " + std::to_string(bytes) + " bytes, " +
                                   std::to_string(free) + " are free");
}

Result<void> MakeParents(const std::string& root, const std::string& path) {
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string folder = root + "/" + path.substr(0, end);
    struct stat info;
    if (lstat(folder.c_str(), &info) == 0) {
      if (S_ISDIR(info.st_mode)) continue;
      return Error(ErrorCode::kCorruptBundle, "file: " + folder + ": no directory");
    }
    if (mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return bundle::FileError(folder, errno);
  }
  return {};
}

}  // namespace koe::download
