// SPDX-License-Identifier: Apache-2.0
#include "audio/replace_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace koe {
namespace {

Error IoError(const std::string& path, const std::string& why) {
  return Error(ErrorCode::kIo, "output: '" + path + "': " + why);
}

// 0 or errno. Closes fd.
int WriteAllAndClose(int fd, std::string_view bytes) {
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (close(fd) != 0 && error == 0) error = errno;  // network file systems report a full disk here
  return error;
}

// The path without symbolic links; the path itself where that cannot be told.
std::string Resolve(const std::string& path) {
  const std::unique_ptr<char, decltype(&free)> resolved(realpath(path.c_str(), nullptr), &free);
  return resolved ? std::string(resolved.get()) : path;
}

// A new, empty file in the folder of `path`: its descriptor, or -1 with errno.
int CreateBeside(const std::string& path, std::string* name) {
  const size_t folder_end = path.rfind('/') + 1;  // npos + 1 == 0
  const std::string stem =
      path.substr(0, folder_end) + "." + path.substr(folder_end, 200) + ".koe-" + std::to_string(getpid()) + "-";
  for (int i = 0;; ++i) {
    *name = stem + std::to_string(i);
    const int fd = open(name->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST || i == 1000) return fd;
  }
}

}  // namespace

Result<void> ReplaceFile(const std::string& path, std::string_view bytes) {
  if (path.empty()) return IoError(path, "the name is empty");
  struct stat info;
  const bool exists = stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode)) return IoError(path, "is a directory");
  if (exists && !S_ISREG(info.st_mode)) {
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const int error = fd < 0 ? errno : WriteAllAndClose(fd, bytes);
    if (error != 0) return IoError(path, std::strerror(error));
    return {};
  }
  if (exists && access(path.c_str(), W_OK) != 0) return IoError(path, std::strerror(errno));
  const std::string target = exists ? Resolve(path) : path;
  std::string temporary;
  const int fd = CreateBeside(target, &temporary);
  if (fd < 0) return IoError(path, std::strerror(errno));
  // Without the right to set them, the new file keeps default permissions: no reason to lose the audio.
  if (exists && fchmod(fd, info.st_mode & 07777) != 0) errno = 0;
  int error = WriteAllAndClose(fd, bytes);
  if (error == 0 && rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error == 0) return {};
  unlink(temporary.c_str());
  return IoError(path, std::strerror(error));
}

}  // namespace koe
