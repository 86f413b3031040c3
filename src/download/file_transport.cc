// SPDX-License-Identifier: Apache-2.0
// file:// as if a server stood there: a strong ETag of inode, size and times, ranges, 404.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/file_times.h"
#include "download/transport.h"
#include "download/url.h"

namespace koe::download {
namespace {

constexpr size_t kBlockBytes = 1 << 20;

class FileTransport : public Transport {
 public:
  explicit FileTransport(const TransportOptions& options) : options_(options) {}

  Transfer Get(const Request& request, Receiver* receiver) override {
    const Result<std::string> path = PathOfFileUrl(request.url);
    if (!path) return {path.error()};
    const int fd = open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
      const int code = errno;
      const bool missing = code == ENOENT || code == ENOTDIR;
      return {Error(missing ? ErrorCode::kNotFound : ErrorCode::kIo,
                    "url: " + Shown(request.url) + ": " + std::strerror(code))};
    }
    Transfer transfer = Send(fd, request, receiver);
    close(fd);
    return transfer;
  }

 private:
  Transfer Send(int fd, const Request& request, Receiver* receiver) {
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
      return {Error(ErrorCode::kNotFound, "url: " + Shown(request.url) + ": not a regular file")};
    }
    const uint64_t size = static_cast<uint64_t>(info.st_size);
    ResponseHead head;
    head.etag = '"' + std::to_string(info.st_dev) + '-' + std::to_string(info.st_ino) + '-' + std::to_string(size) +
                '-' + std::to_string(ModificationTime(info).tv_sec) + '.' +
                std::to_string(ModificationTime(info).tv_nsec) + '"';
    const bool is_partial = request.offset > 0 && request.offset < size && request.if_range == head.etag;
    uint64_t at = is_partial ? request.offset : 0;
    head.status = is_partial ? 206 : 200;
    head.content_length = size - at;
    if (is_partial) head.content_range = ContentRange{at, size - 1, size};
    if (Result<void> told = receiver->OnHead(head); !told) return {told.error(), false, true};
    if (lseek(fd, static_cast<off_t>(at), SEEK_SET) < 0) return ReadError(request, errno);
    std::vector<std::byte> block(kBlockBytes);
    for (;;) {
      if (options_.cancel != nullptr && options_.cancel->load(std::memory_order_relaxed)) {
        return {Error(ErrorCode::kCancelled, "download: cancelled")};
      }
      const ssize_t got = read(fd, block.data(), block.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ReadError(request, errno);
      if (got == 0) return {};
      const auto told = receiver->OnBody({block.data(), static_cast<size_t>(got)});
      if (!told) return {told.error(), false, true};
    }
  }
  static Transfer ReadError(const Request& request, int code) {
    return {Error(ErrorCode::kIo, "url: " + Shown(request.url) + ": " + std::strerror(code)), true, false};
  }

  const TransportOptions options_;
};

class AnyTransport : public Transport {
 public:
  explicit AnyTransport(const TransportOptions& options) : options_(options) {}
  Transfer Get(const Request& request, Receiver* receiver) override {
    const bool is_file = request.url.rfind("file:", 0) == 0;
    std::unique_ptr<Transport>& transport = is_file ? file_ : curl_;
    if (transport == nullptr) transport = is_file ? MakeFileTransport(options_) : MakeCurlTransport(options_);
    return transport->Get(request, receiver);
  }

 private:
  const TransportOptions options_;
  std::unique_ptr<Transport> file_, curl_;
};

}  // namespace

std::unique_ptr<Transport> MakeFileTransport(const TransportOptions& options) {
  return std::make_unique<FileTransport>(options);
}

std::unique_ptr<Transport> MakeTransport(const TransportOptions& options) {
  return std::make_unique<AnyTransport>(options);
}

}  // namespace koe::download
