// SPDX-License-Identifier: Apache-2.0
#include "download/verify.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "bundle/digest.h"
#include "bundle/files.h"

namespace koe::download {
namespace {

constexpr size_t kBlockBytes = 1 << 20;

}  // namespace

Result<bool> IsIntact(const std::string& root, const bundle::FileRecord& record, const std::atomic<bool>* cancel,
                      const std::function<void(uint64_t)>& hashed) {
  if (!bundle::CheckInside(root, record.path)) return false;
  const std::string path = root + "/" + record.path;
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || static_cast<uint64_t>(info.st_size) != record.bytes) {
    close(fd);
    return false;
  }
  bundle::Sha256 sha256;
  std::vector<std::byte> block(kBlockBytes);
  uint64_t total = 0;
  bool is_cancelled = false, can_read = true;
  while (can_read && !is_cancelled) {
    const ssize_t got = read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) break;
    can_read = got > 0;
    if (!can_read) break;
    sha256.Update({block.data(), static_cast<size_t>(got)});
    total += static_cast<uint64_t>(got);
    hashed(total);
    is_cancelled = cancel != nullptr && cancel->load(std::memory_order_relaxed);
  }
  close(fd);
  if (is_cancelled) return Error(ErrorCode::kCancelled, "download: cancelled");
  return can_read && sha256.FinishHex() == record.sha256;
}

}  // namespace koe::download
