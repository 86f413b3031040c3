// SPDX-License-Identifier: Apache-2.0
#include "audio/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

namespace koe {
namespace {

constexpr int kMaxLinks = 40;  // Linux's own limit

Error IoError(const std::string& path, const std::string& why) {
  return Error(ErrorCode::kIo, "output: '" + path + "': " + why);
}

// On the disk, so that a rename never outruns the data and leaves an empty file after a power cut. 0 or errno.
int Sync(int fd) {
  while (fsync(fd) != 0) {
    // Some file systems cannot sync; theirs is the promise, then.
    if (errno == EINVAL || errno == EROFS || errno == ENOTSUP) return 0;
    if (errno != EINTR) return errno;
  }
  return 0;
}

// 0 or errno. Closes fd.
int WriteAllAndClose(int fd, std::string_view bytes, bool sync) {
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && sync) error = Sync(fd);
  if (close(fd) != 0 && error == 0) error = errno;  // network file systems report a full disk here
  return error;
}

// Replaces a symbolic link by the name it stands for, until it is none; that file need not exist. 0 or errno.
int FollowLinks(std::string* path) {
  for (int i = 0; i < kMaxLinks; ++i) {
    char link[PATH_MAX];
    const ssize_t size = readlink(path->c_str(), link, sizeof(link));
    if (size < 0) return errno == EINVAL || errno == ENOENT ? 0 : errno;  // not a link; nothing there
    if (size == sizeof(link)) return ENAMETOOLONG;
    const size_t folder_end = link[0] == '/' ? 0 : path->rfind('/') + 1;  // npos + 1 == 0
    path->replace(folder_end, std::string::npos, link, static_cast<size_t>(size));
  }
  return ELOOP;
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
    const int error = fd < 0 ? errno : WriteAllAndClose(fd, bytes, false);
    if (error != 0) return IoError(path, std::strerror(error));
    return {};
  }
  if (exists && access(path.c_str(), W_OK) != 0) return IoError(path, std::strerror(errno));
  std::string target = path;
  if (const int error = FollowLinks(&target); error != 0) return IoError(path, std::strerror(error));
  std::string temporary;
  const int fd = CreateBeside(target, &temporary);
  if (fd < 0) return IoError(path, std::strerror(errno));
  // Without the right to set them, the new file keeps default permissions: no reason to lose the audio.
  if (exists && fchmod(fd, info.st_mode & 07777) != 0) errno = 0;
  int error = WriteAllAndClose(fd, bytes, true);
  if (error == 0 && rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error == 0) return {};
  unlink(temporary.c_str());
  return IoError(path, std::strerror(error));
}

}  // namespace koe
