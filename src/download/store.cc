// SPDX-License-Identifier: Apache-2.0
#include "download/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>

#include "bundle/files.h"
#include "bundle/store_path.h"

namespace koe::download {
namespace {

namespace fs = std::filesystem;

constexpr auto kLockPoll = std::chrono::milliseconds(100);
constexpr char kLockName[] = ".lock";

Error StoreError(ErrorCode code, const std::string& dir, const std::string& why) {
  return Error(code, "store: '" + dir + "': " + why);
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

// Names of the folders in `path` that are ids.
std::vector<std::string> Ids(const std::string& path) {
  std::vector<std::string> ids;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (bundle::IsStoreId(name)) ids.push_back(name);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

uint64_t BytesBelow(const std::string& path) {
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    struct stat info;
    // A file that another version shares stays on the disk.
    if (lstat(it->path().c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1) {
      bytes += static_cast<uint64_t>(info.st_size);
    }
  }
  return bytes;
}

// Files before the folders that hold them.
Result<void> SyncTree(const std::string& root) {
  std::vector<std::string> folders = {root};
  std::error_code error;
  for (fs::recursive_directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
    if (fs::is_directory(it->symlink_status())) {
      folders.push_back(it->path().string());
    } else {
      KOE_CHECK_OK(bundle::SyncFile(it->path().string()));
    }
  }
  if (error) return bundle::FileError(root, error.value());
  for (auto it = folders.rbegin(); it != folders.rend(); ++it) KOE_CHECK_OK(bundle::SyncDirectory(*it));
  return {};
}

// Held by no engine, as far as locks tell.
bool CanRemove(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return true;
  const bool is_held = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return !is_held;
}

}  // namespace

Result<Store> Store::Open(const std::string& dir, const std::atomic<bool>* cancel,
                          const std::function<void()>& waiting) {
  std::string trimmed = dir;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  if (trimmed.empty()) return StoreError(ErrorCode::kInvalidArgument, dir, "the folder's name is empty");
  struct stat info;
  if (lstat(trimmed.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
    return StoreError(ErrorCode::kInvalidArgument, dir, S_ISLNK(info.st_mode) ? "a symbolic link" : "no directory");
  }
  std::error_code error;
  fs::create_directories(trimmed, error);
  if (error) return StoreError(ErrorCode::kIo, dir, error.message());
  if (!bundle::IsStore(trimmed)) {
    for (fs::directory_iterator it(trimmed, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name == kLockName || name == "." + std::string(bundle::kStoreMarkerName) + ".new") continue;
      // Another process may have made it a store since we looked.
      if (bundle::IsStore(trimmed)) break;
      return StoreError(ErrorCode::kInvalidArgument, dir, "neither empty nor a download store");
    }
    if (error) return StoreError(ErrorCode::kIo, dir, error.message());
  }
  const std::string lock_path = trimmed + "/" + kLockName;
  const int fd = open(lock_path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return bundle::FileError(lock_path, errno);
  Store store(trimmed, fd);  // closes fd
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return StoreError(ErrorCode::kIo, dir, std::string("lock: ") + std::strerror(errno));
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) {
      return Error(ErrorCode::kCancelled, "download: cancelled");
    }
    waiting();
    std::this_thread::sleep_for(kLockPoll);
  }
  KOE_CHECK_OK(store.Prepare());
  return store;
}

Store::~Store() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

Result<void> Store::Prepare() {
  if (!bundle::IsStore(dir_))
    KOE_CHECK_OK(bundle::ReplaceSmallFileIn(dir_, bundle::kStoreMarkerName, bundle::kStoreMarkerText));
  for (const char* name : {bundle::kStoreVersionsName, bundle::kStoreIncomingName}) {
    const std::string path = dir_ + "/" + name;
    if (IsDirectory(path)) continue;
    if (mkdir(path.c_str(), 0777) != 0) return bundle::FileError(path, errno);
  }
  return {};
}

std::string Store::CurrentId() const {
  const auto id = bundle::CurrentOfStore(dir_);
  return id ? *id : "";
}

std::string Store::VersionDir(const std::string& id) const {
  return dir_ + "/" + bundle::kStoreVersionsName + "/" + id;
}

std::string Store::IncomingDir(const std::string& id) const {
  return dir_ + "/" + bundle::kStoreIncomingName + "/" + id;
}

std::vector<std::string> Store::BundleDirs() const {
  std::vector<std::string> dirs;
  for (const char* name : {bundle::kStoreVersionsName, bundle::kStoreIncomingName}) {
    for (const std::string& id : Ids(dir_ + "/" + name)) dirs.push_back(dir_ + "/" + name + "/" + id);
  }
  return dirs;
}

Result<void> Store::MakeIncoming(const std::string& id) {
  const std::string path = IncomingDir(id);
  if (IsDirectory(path)) return {};
  if (mkdir(path.c_str(), 0777) != 0) return bundle::FileError(path, errno);
  return {};
}

Result<void> Store::Commit(const std::string& id) {
  const std::string from = IncomingDir(id), to = VersionDir(id);
  KOE_CHECK_OK(SyncTree(from));
  if (rename(from.c_str(), to.c_str()) != 0) {
    if (errno != EEXIST && errno != ENOTEMPTY) return bundle::FileError(to, errno);
    // A damaged version of the same name: an engine that has it open keeps its files.
    if (bundle::ExchangePaths(from.c_str(), to.c_str()) != 0) {
      if (errno != EINVAL && errno != ENOSYS) return bundle::FileError(to, errno);
      const std::string aside = from + ".old";
      bundle::RemoveTree(aside);
      if (rename(to.c_str(), aside.c_str()) != 0) return bundle::FileError(to, errno);
      if (rename(from.c_str(), to.c_str()) != 0) return bundle::FileError(to, errno);
      bundle::RemoveTree(aside);
    }
    bundle::RemoveTree(from);
  }
  return MakeCurrent(id);
}

Result<void> Store::MakeCurrent(const std::string& id) {
  // The version's name must be on the disk before "current" is.
  KOE_CHECK_OK(bundle::SyncDirectory(dir_ + "/" + bundle::kStoreVersionsName));
  KOE_CHECK_OK(bundle::SyncDirectory(dir_ + "/" + bundle::kStoreIncomingName));
  KOE_CHECK_OK(bundle::SyncDirectory(dir_));
  return bundle::ReplaceSmallFileIn(dir_, bundle::kStoreCurrentName, id + "\n");
}

Result<Store::Garbage> Store::CollectGarbage() {
  Garbage garbage;
  const auto current = bundle::CurrentOfStore(dir_);
  // Not while it is unclear which version counts.
  if (!current && current.error().code() != ErrorCode::kNotFound) return current.error();
  for (const char* name : {bundle::kStoreVersionsName, bundle::kStoreIncomingName}) {
    const std::string folder = dir_ + "/" + name;
    const bool is_incoming = name == bundle::kStoreIncomingName;
    std::error_code error;
    std::vector<std::string> found;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      found.push_back(it->path().filename().string());
    }
    if (error) return bundle::FileError(folder, error.value());
    for (const std::string& entry : found) {
      if (!is_incoming && current && entry == *current) continue;
      const std::string path = folder + "/" + entry;
      if (!CanRemove(path)) {
        ++garbage.in_use;
        continue;
      }
      garbage.bytes += BytesBelow(path);
      std::error_code failed;
      fs::remove_all(path, failed);
      if (failed) return bundle::FileError(path, failed.value());
      garbage.removed.push_back(entry);
    }
  }
  return garbage;
}

}  // namespace koe::download
