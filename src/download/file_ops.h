// SPDX-License-Identifier: Apache-2.0
// The calls that change a store, behind an interface so that tests can let each of them fail (a full disk, a dying
// one). The functions are those of POSIX: -1 and errno on failure.
#ifndef KOE_DOWNLOAD_FILE_OPS_H_
#define KOE_DOWNLOAD_FILE_OPS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "koe/result.h"

namespace koe::download {

class FileOps {
 public:
  virtual ~FileOps() = default;
  virtual int Open(const char* path, int flags, mode_t mode);
  virtual ssize_t Write(int fd, const void* data, size_t size);
  virtual int Truncate(int fd, off_t size);
  virtual int Sync(int fd);
  virtual int Rename(const char* from, const char* to);
  virtual int Exchange(const char* a, const char* b);  // EINVAL or ENOSYS where the file system cannot
  virtual int Link(const char* from, const char* to);
  virtual int MakeDirectory(const char* path);
  virtual int Unlink(const char* path);
  virtual uint64_t FreeBytes(const char* path);  // that this user may fill; UINT64_MAX where that cannot be told
};

FileOps& PosixFileOps();

// kIo: "file: <path>: <strerror>".
Error FileError(const std::string& path, int code);

// All of the bytes.
Result<void> WriteAll(FileOps& ops, int fd, std::span<const std::byte> bytes, const std::string& path);

// `text` at `path`, at once and on the disk: written beside it, synced, renamed; the folder is synced too.
Result<void> ReplaceFile(FileOps& ops, const std::string& folder, const std::string& name, const std::string& text);

// Opens, syncs and closes a file or a directory.
Result<void> SyncPath(FileOps& ops, const std::string& path, bool is_directory);

// Makes `root`/a/b for "a/b/c.bin"; kCorruptBundle where a part is there and is no directory (a link, say).
Result<void> MakeParents(FileOps& ops, const std::string& root, const std::string& path);

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_FILE_OPS_H_
