// SPDX-License-Identifier: Apache-2.0
// Replacing a directory so that at every moment, also after a power loss, the old or the new one is there.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#include <sys/syscall.h>
#endif

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "bundle/files.h"

namespace koe::bundle {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSuffixLength = 8;

// The path with links resolved as far as it exists; "" where that fails.
fs::path Resolve(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (error) return {};
  fs::path resolved = fs::weakly_canonical(absolute, error);
  if (error) return {};
  return resolved.has_filename() ? resolved : resolved.parent_path();
}

// `inner` is `outer` or lies below it.
bool Holds(const fs::path& outer, const fs::path& inner) {
  auto o = outer.begin(), i = inner.begin();
  for (; o != outer.end(); ++o, ++i) {
    if (i == inner.end() || *o != *i) return false;
  }
  return true;
}

enum class Lock { kTaken, kHeldByAnother, kNotPossible };

// Locks the directory that `path` names, for as long as *fd is open. flock dies with its process.
Lock LockDirectory(const std::string& path, int* fd) {
  *fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (*fd < 0) return Lock::kHeldByAnother;  // gone already
  struct stat locked, named;
  if (flock(*fd, LOCK_EX | LOCK_NB) == 0) {
    // Between open and flock another build may have taken it for abandoned and removed it.
    if (fstat(*fd, &locked) == 0 && lstat(path.c_str(), &named) == 0 && locked.st_ino == named.st_ino) {
      return Lock::kTaken;
    }
    errno = EWOULDBLOCK;
  }
  const bool held = errno == EWOULDBLOCK;
  close(*fd);
  *fd = -1;
  return held ? Lock::kHeldByAnother : Lock::kNotPossible;  // a file system without locks
}

// A file system without exchange: what Commit moves the old target to.
constexpr std::string_view kAsideSuffix = ".old";

// Where a build was killed between Commit's two renames, the old target goes back to its place.
void RestoreAside(const fs::path& aside, const std::string& target) {
  std::string staging = aside.string();
  staging.resize(staging.size() - kAsideSuffix.size());
  struct stat info;
  int fd = -1;
  if (lstat(staging.c_str(), &info) == 0) {
    if (LockDirectory(staging, &fd) == Lock::kHeldByAnother) return;  // its build lives
  }
  if (lstat(target.c_str(), &info) == 0 || rename(aside.c_str(), target.c_str()) != 0) RemoveTree(aside.string());
  if (fd >= 0) close(fd);
}

// A build holds a lock on its directory while it lives, so one that can be locked belongs to no one.
void RemoveAbandoned(const fs::path& parent, const std::string& prefix, const std::string& target) {
  std::error_code error;
  std::vector<std::string> found, aside;
  for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.compare(0, prefix.size(), prefix) == 0 && name.size() == prefix.size() + kSuffixLength) {
      found.push_back(it->path().string());
    } else if (name.starts_with(prefix) && name.size() == prefix.size() + kSuffixLength + kAsideSuffix.size() &&
               name.ends_with(kAsideSuffix)) {
      aside.push_back(it->path().string());
    }
  }
  for (const std::string& path : aside) RestoreAside(path, target);
  for (const std::string& path : found) {
    int fd;
    if (LockDirectory(path, &fd) != Lock::kTaken) continue;
    RemoveTree(path);
    close(fd);
  }
}

}  // namespace

int ExchangePaths(const char* a, const char* b) {
#if defined(__linux__)
  return static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE));
#elif defined(__APPLE__)
  return renamex_np(a, b, RENAME_SWAP);
#else
  errno = ENOSYS;
  return -1;
#endif
}

void RemoveTree(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

bool IsMarked(const std::string& directory, const Marker& marker) {
  const auto text = ReadSmallFile(directory + "/" + marker.name, 64, marker.name);
  return text && *text == marker.text;
}

bool IsWithin(const std::string& outer, const std::string& inner) { return Holds(Resolve(outer), Resolve(inner)); }

Result<void> CheckOutputDirectory(const std::string& output, const std::vector<std::string>& inputs,
                                  const Marker& marker) {
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::kInvalidArgument, "output directory: '" + output + "': " + why);
  };
  if (output.empty()) return refuse("empty");
  std::string trimmed = output;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  struct stat info;
  const bool exists = lstat(trimmed.c_str(), &info) == 0;
  if (exists && S_ISLNK(info.st_mode)) return refuse("a symbolic link");
  if (exists && !S_ISDIR(info.st_mode)) return refuse("not a directory");
  const fs::path target = Resolve(trimmed);
  if (target.empty()) return refuse("cannot be resolved");
  if (target == target.root_path()) return refuse("the root directory");
  std::error_code error;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != 0 && Holds(target, Resolve(home))) {
    return refuse("the home directory or above it");
  }
  const fs::path current = fs::current_path(error);
  if (!error && Holds(target, current)) return refuse("the current directory or above it");
  error.clear();
  for (const std::string& input : inputs) {
    if (!input.empty() && Holds(target, Resolve(input))) return refuse("holds the input '" + input + "'");
  }
  if (exists && !fs::is_empty(target, error) && !IsMarked(target.string(), marker)) {
    return refuse(std::string("neither empty nor ") + marker.what);
  }
  return error ? Result<void>(refuse(error.message())) : Result<void>();
}

Result<StagingDirectory> StagingDirectory::Create(const std::string& target) {
  const fs::path resolved = Resolve(target);
  if (resolved.empty()) return Error(ErrorCode::kIo, "output directory: '" + target + "': cannot be resolved");
  StagingDirectory staging;
  staging.target_ = resolved.string();
  const fs::path parent = resolved.parent_path();
  fs::path so_far;
  for (const fs::path& part : parent) {
    so_far /= part;
    if (mkdir(so_far.c_str(), 0777) == 0) {
      staging.made_parents_.push_back(so_far.string());
    } else if (errno != EEXIST && errno != EISDIR) {
      struct stat info;
      if (stat(so_far.c_str(), &info) == 0) continue;  // read-only parents above a writable one
      return Error(ErrorCode::kIo, "directory: " + so_far.string() + ": " + std::strerror(errno));
    }
  }
  const std::string prefix = "." + resolved.filename().string() + ".koe-build-";
  RemoveAbandoned(parent, prefix, staging.target_);
  // Not mkdtemp: its directories are private, and a bundle is as readable as any directory the user makes.
  for (int attempt = 0; attempt < 100; ++attempt) {
    unsigned char random[kSuffixLength];
    if (getentropy(random, sizeof(random)) != 0) continue;
    std::string path = (parent / prefix).string();
    for (const unsigned char r : random) path.push_back("abcdefghijklmnopqrstuvwxyz012345"[r % 32]);
    if (mkdir(path.c_str(), 0777) == 0) {
      if (LockDirectory(path, &staging.lock_fd_) == Lock::kHeldByAnother) continue;  // removed as abandoned: once more
      staging.path_ = path;
      return staging;
    }
    if (errno != EEXIST) return Error(ErrorCode::kIo, "directory: " + path + ": " + std::strerror(errno));
  }
  return Error(ErrorCode::kIo, "directory: " + parent.string() + ": no free name for a temporary directory");
}

StagingDirectory::StagingDirectory(StagingDirectory&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::exchange(other.path_, "")),
      made_parents_(std::exchange(other.made_parents_, {})),
      lock_fd_(std::exchange(other.lock_fd_, -1)) {}

StagingDirectory::~StagingDirectory() {
  if (!path_.empty()) RemoveTree(path_);
  if (lock_fd_ >= 0) close(lock_fd_);
  // Only what is still empty goes.
  for (auto it = made_parents_.rbegin(); it != made_parents_.rend(); ++it) rmdir(it->c_str());
}

Result<void> StagingDirectory::Commit() {
  const std::string parent = fs::path(target_).parent_path().string();
  const auto failed = [&](int code) {
    return Error(ErrorCode::kIo, "directory: " + target_ + ": " + std::strerror(code));
  };
  KOE_CHECK_OK(SyncDirectory(path_));
  struct stat info;
  if (lstat(target_.c_str(), &info) != 0) {
    if (rename(path_.c_str(), target_.c_str()) != 0) return failed(errno);
  } else if (ExchangePaths(path_.c_str(), target_.c_str()) == 0) {
    RemoveTree(path_);  // now the old one
  } else {
    // A file system without exchange: the old one stands aside for the moment between two renames.
    const std::string aside = path_ + std::string(kAsideSuffix);
    if (rename(target_.c_str(), aside.c_str()) != 0) return failed(errno);
    if (rename(path_.c_str(), target_.c_str()) != 0) {
      const int code = errno;
      rename(aside.c_str(), target_.c_str());
      return failed(code);
    }
    RemoveTree(aside);
  }
  path_.clear();
  made_parents_.clear();
  return SyncDirectory(parent);
}

}  // namespace koe::bundle
