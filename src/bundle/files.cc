// SPDX-License-Identifier: Apache-2.0
#include "bundle/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "bundle/limits.h"

namespace koe::bundle {
namespace {

namespace fs = std::filesystem;

bool IsNameByte(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// What is opened is what is checked and read; `special` is the code for anything but a regular file.
Result<std::string> ReadBounded(const std::string& path, int flags, size_t max_bytes, const std::string& name,
                                ErrorCode special) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
  if (fd < 0) {
    if (errno == ELOOP) {
      return Error(special,
                   "file: " + name + ((flags & O_NOFOLLOW) != 0 ? ": a symbolic link" : ": too many symbolic links"));
    }
    return errno == ENOENT || errno == ENOTDIR ? Error(ErrorCode::kNotFound, "file: " + path + ": missing")
                                               : FileError(path, errno);
  }
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return Error(special, "file: " + name + ": not a regular file");
  }
  std::string text;
  char block[16384];
  bool is_too_large = static_cast<uint64_t>(info.st_size) > max_bytes;
  while (!is_too_large) {
    const ssize_t got = read(fd, block, sizeof(block));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int code = errno;
      close(fd);
      return FileError(path, code);
    }
    if (got == 0) break;
    text.append(block, static_cast<size_t>(got));
    is_too_large = text.size() > max_bytes;  // it may have grown
  }
  close(fd);
  if (!is_too_large) return text;
  return Error(ErrorCode::kCorruptBundle, "file: " + name + ": more than " + std::to_string(max_bytes) + " bytes");
}

}  // namespace

Error FileError(const std::string& path, int code) {
  return Error(ErrorCode::kIo, "file: " + path + ": " + std::strerror(code));
}

bool IsSafePath(const std::string& path) {
  if (path.empty() || path.size() > kMaxPathBytes) return false;
  bool at_start = true;
  for (const char c : path) {
    if (c == '/' ? at_start : c == '.' ? at_start : !IsNameByte(c)) return false;
    at_start = c == '/';
  }
  return !at_start;
}

bool IsVoiceId(const std::string& id) {
  return !id.empty() && id.size() <= kMaxVoiceIdBytes && std::all_of(id.begin(), id.end(), IsNameByte);
}

Result<void> CheckInside(const std::string& root, const std::string& path) {
  if (!IsSafePath(path)) return Error(ErrorCode::kCorruptBundle, "file: " + path + ": not a path within a bundle");
  for (size_t end = path.find('/');; end = path.find('/', end + 1)) {
    struct stat info;
    const std::string part = root + "/" + path.substr(0, end);
    if (lstat(part.c_str(), &info) != 0) return Error(ErrorCode::kNotFound, "file: " + path + ": missing");
    const bool last = end == std::string::npos;
    if (last ? !S_ISREG(info.st_mode) : !S_ISDIR(info.st_mode)) {
      return Error(ErrorCode::kCorruptBundle, "file: " + path + ": a link or not a regular file");
    }
    if (last) return {};
  }
}

Result<std::string> ReadSmallFile(const std::string& path, size_t max_bytes, const std::string& name) {
  return ReadBounded(path, O_NOFOLLOW, max_bytes, name, ErrorCode::kCorruptBundle);
}

Result<std::string> ReadInputFile(const std::string& path, size_t max_bytes) {
  return ReadBounded(path, 0, max_bytes, path, ErrorCode::kNotFound);
}

Result<std::vector<std::string>> ListFiles(const std::string& root, size_t max_files) {
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator it(root, fs::directory_options::none, error), end;
  size_t seen = 0;
  for (; !error && it != end; it.increment(error)) {
    const fs::file_status status = it->symlink_status(error);
    if (error) break;
    const std::string path = it->path().lexically_relative(root).generic_string();
    if (++seen > 2 * max_files || it.depth() > 8) {
      return Error(ErrorCode::kCorruptBundle, "bundle: " + root + ": too many files");
    }
    if (fs::is_directory(status)) continue;
    if (!fs::is_regular_file(status)) {
      return Error(ErrorCode::kCorruptBundle, "file: " + path + ": a link or not a regular file");
    }
    files.push_back(path);
  }
  if (error) return Error(ErrorCode::kIo, "bundle: " + root + ": " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

Result<FileWriter> FileWriter::Create(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return FileError(path, errno);
  return FileWriter(fd, path);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

FileWriter::~FileWriter() {
  if (fd_ >= 0) close(fd_);
}

Result<void> FileWriter::Write(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), std::min(bytes.size(), size_t{1} << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(path_, errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Result<void> FileWriter::Finish() {
  const int fd = std::exchange(fd_, -1);
  const int synced = fsync(fd);
  const int code = errno;
  if (close(fd) != 0 && synced == 0) return FileError(path_, errno);
  if (synced != 0) return FileError(path_, code);
  return {};
}

Result<void> SyncFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return FileError(path, errno);
  const int synced = fsync(fd);
  const int code = errno;
  close(fd);
  if (synced != 0) return FileError(path, code);
  return {};
}

Result<void> SyncDirectory(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError(path, errno);
  const int synced = fsync(fd);
  const int code = errno;
  close(fd);
  // Some file systems cannot sync a directory; theirs is the promise, then.
  if (synced != 0 && code != EINVAL && code != EROFS) return FileError(path, code);
  return {};
}

Result<void> ReplaceSmallFile(const std::string& path, const std::string& temporary, std::string_view text) {
  // What a killed writer has left is written over.
  if (unlink(temporary.c_str()) != 0 && errno != ENOENT) return FileError(temporary, errno);
  KOE_TRY(FileWriter writer, FileWriter::Create(temporary));
  auto written = writer.Write(AsBytes(text));
  if (written) written = writer.Finish();
  if (written && rename(temporary.c_str(), path.c_str()) != 0) written = FileError(path, errno);
  if (!written) {
    unlink(temporary.c_str());
    return written;
  }
  const size_t slash = path.rfind('/');
  return SyncDirectory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

Result<void> ReplaceSmallFileIn(const std::string& folder, const std::string& name, std::string_view text) {
  return ReplaceSmallFile(folder + "/" + name, folder + "/." + name + ".new", text);
}

}  // namespace koe::bundle
