// SPDX-License-Identifier: Apache-2.0
#include "download/file_ops.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "bundle/files.h"

namespace koe::download {

int FileOps::Open(const char* path, int flags, mode_t mode) { return open(path, flags, mode); }
ssize_t FileOps::Write(int fd, const void* data, size_t size) { return write(fd, data, size); }
int FileOps::Truncate(int fd, off_t size) { return ftruncate(fd, size); }
int FileOps::Sync(int fd) { return fsync(fd); }
int FileOps::Rename(const char* from, const char* to) { return rename(from, to); }
int FileOps::Exchange(const char* a, const char* b) { return bundle::ExchangePaths(a, b); }
int FileOps::Link(const char* from, const char* to) { return link(from, to); }
int FileOps::MakeDirectory(const char* path) { return mkdir(path, 0777); }
int FileOps::Unlink(const char* path) { return unlink(path); }
uint64_t FileOps::FreeBytes(const char* path) {
  struct statvfs info;
  if (statvfs(path, &info) != 0) return UINT64_MAX;
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

FileOps& PosixFileOps() {
  static FileOps ops;
  return ops;
}

Error FileError(const std::string& path, int code) {
  return Error(ErrorCode::kIo, "file: " + path + ": " + std::strerror(code));
}

Result<void> WriteAll(FileOps& ops, int fd, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ops.Write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(path, errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Result<void> ReplaceFile(FileOps& ops, const std::string& folder, const std::string& name, const std::string& text) {
  const std::string path = folder + "/" + name, temporary = folder + "/." + name + ".new";
  (void)ops.Unlink(temporary.c_str());
  const int fd = ops.Open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return FileError(temporary, errno);
  Result<void> done = WriteAll(ops, fd, std::as_bytes(std::span(text)), temporary);
  if (done && ops.Sync(fd) != 0) done = FileError(temporary, errno);
  close(fd);
  if (done && ops.Rename(temporary.c_str(), path.c_str()) != 0) done = FileError(path, errno);
  if (!done) {
    (void)ops.Unlink(temporary.c_str());
    return done;
  }
  return SyncPath(ops, folder, true);
}

Result<void> SyncPath(FileOps& ops, const std::string& path, bool is_directory) {
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (is_directory ? O_DIRECTORY : 0));
  if (fd < 0) return FileError(path, errno);
  const int synced = ops.Sync(fd);
  const int code = errno;
  close(fd);
  // Some file systems cannot sync a directory; theirs is the promise, then.
  if (synced != 0 && !(is_directory && (code == EINVAL || code == EROFS))) return FileError(path, code);
  return {};
}

Result<void> MakeParents(FileOps& ops, const std::string& root, const std::string& path) {
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string folder = root + "/" + path.substr(0, end);
    struct stat info;
    if (lstat(folder.c_str(), &info) == 0) {
      if (S_ISDIR(info.st_mode)) continue;
      return Error(ErrorCode::kCorruptBundle, "file: " + folder + ": no directory");
    }
    if (ops.MakeDirectory(folder.c_str()) != 0 && errno != EEXIST) return FileError(folder, errno);
  }
  return {};
}

}  // namespace koe::download
