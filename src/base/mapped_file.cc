// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace koe {

Result<MappedFile> MappedFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe without a writer is not waited for
  if (fd < 0) {
    return Error(errno == ENOENT || errno == ENOTDIR ? ErrorCode::kNotFound : ErrorCode::kIo,
                 "file: " + path + ": " + std::strerror(errno));
  }
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return Error(ErrorCode::kIo, "file: " + path + ": not a regular file");
  }
  const size_t size = static_cast<size_t>(info.st_size);
  if (size == 0) {
    close(fd);
    return MappedFile();
  }
  void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int map_errno = errno;
  close(fd);
  if (address == MAP_FAILED) {
    return Error(map_errno == ENOMEM ? ErrorCode::kOutOfMemory : ErrorCode::kIo,
                 "file: " + path + ": " + std::strerror(map_errno));
  }
  return MappedFile({static_cast<const std::byte*>(address), size});
}

MappedFile MappedFile::OfMemory(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  MappedFile file(bytes);
  file.owner_ = std::move(owner);
  if (file.owner_ == nullptr) file.bytes_ = {};  // nothing to hold them by
  return file;
}

MappedFile::~MappedFile() {
  if (owner_ == nullptr && !bytes_.empty()) munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace koe
