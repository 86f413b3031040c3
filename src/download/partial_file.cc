// SPDX-License-Identifier: Apache-2.0
#include "download/partial_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "bundle/files.h"

namespace koe::download {
namespace {

constexpr size_t kBlockBytes = 1 << 20;
constexpr size_t kMaxEtagFileBytes = 1024;
// The disk starts on what has come while the rest is on its way, so that the syncs before the commit find little to do.
constexpr uint64_t kFlushBytes = 8 << 20;

bool IsRegular(const std::string& path, uint64_t* size) {
  struct stat info;
  if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  *size = static_cast<uint64_t>(info.st_size);
  return true;
}

// If-Range takes strong ETags only (RFC 9110, 13.1.5).
bool IsStrong(const std::string& etag) { return etag.size() >= 2 && etag.front() == '"' && etag.back() == '"'; }

}  // namespace

std::optional<Refusal> CheckStatus(const ResponseHead& head, const std::string& name) {
  const int status = head.status;
  if (status >= 200 && status <= 299) return std::nullopt;
  // Not a redirect that was followed: a 3xx without Location, or 304, to which nothing in our request leads.
  const bool is_transient = status == 408 || status == 425 || status == 429 || status >= 500 || status < 200;
  const bool is_missing = status == 404 || status == 410;
  return Refusal{Error(is_missing ? ErrorCode::kNotFound : ErrorCode::kIo,
                       "file: " + name + ": the server's answer is " + std::to_string(status)),
                 is_transient};
}

PartialFile::PartialFile(std::string path, Expected expected, FileCounters* counters)
    : path_(std::move(path)),
      part_path_(path_ + kPartSuffix),
      etag_path_(path_ + kEtagSuffix),
      expected_(std::move(expected)),
      counters_(*counters),
      sha256_(std::make_unique<bundle::Sha256>()) {}

PartialFile::~PartialFile() {
  if (fd_ >= 0) close(fd_);
}

void PartialFile::DeletePart() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
  (void)unlink(part_path_.c_str());
  (void)unlink(etag_path_.c_str());
  offset_ = flushed_ = 0;
  counters_.present.store(0, std::memory_order_relaxed);
  etag_.clear();
  sha256_ = std::make_unique<bundle::Sha256>();
}

Result<void> PartialFile::Open() {
  if (fd_ >= 0) return {};
  // Refuses a link at this path, and what is not a regular file.
  fd_ = open(part_path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
  if (fd_ < 0) return bundle::FileError(part_path_, errno);
  struct stat info;
  if (fstat(fd_, &info) == 0 && S_ISREG(info.st_mode)) return {};
  close(std::exchange(fd_, -1));
  return Error(ErrorCode::kIo, "file: " + part_path_ + ": not a regular file");
}

Result<void> PartialFile::Resume() {
  uint64_t size = 0;
  const bool is_regular = IsRegular(part_path_, &size);
  auto etag = bundle::ReadSmallFile(etag_path_, kMaxEtagFileBytes, etag_path_);
  if (etag && !etag->empty() && etag->back() == '\n') etag->pop_back();
  if (!is_regular || size == 0 || size > expected_.bytes || !etag || !IsStrong(*etag)) {
    DeletePart();
    return {};
  }
  KOE_CHECK_OK(Open());
  std::vector<std::byte> block(kBlockBytes);
  while (offset_ < size) {
    const ssize_t got = pread(fd_, block.data(), block.size(), static_cast<off_t>(offset_));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;  // an unreadable part is worth nothing
    sha256_->Update({block.data(), static_cast<size_t>(got)});
    offset_ += static_cast<uint64_t>(got);
  }
  if (offset_ != size || lseek(fd_, static_cast<off_t>(offset_), SEEK_SET) < 0) {
    DeletePart();
    return {};
  }
  etag_ = *etag;
  flushed_ = offset_;
  counters_.present.store(offset_, std::memory_order_relaxed);
  return {};
}

Request PartialFile::MakeRequest(const std::string& url) const {
  const bool resumes = offset_ > 0 && !etag_.empty();
  return {url, resumes ? offset_ : 0, resumes ? etag_ : ""};
}

Error PartialFile::Refuse(ErrorCode code, const std::string& why, bool is_transient) {
  refusal_is_transient_ = is_transient;
  return Error(code, "file: " + expected_.name + ": " + why);
}

Error PartialFile::Discard(const std::string& why) {
  DeletePart();
  return Refuse(ErrorCode::kCorruptBundle, why, true);
}

Result<void> PartialFile::Restart(const std::string& etag) {
  KOE_CHECK_OK(Open());
  // The old ETag goes before the old bytes, the new one comes before the new ones: no bytes lie under another's.
  (void)unlink(etag_path_.c_str());
  if (ftruncate(fd_, 0) != 0 || lseek(fd_, 0, SEEK_SET) != 0) return bundle::FileError(part_path_, errno);
  offset_ = flushed_ = 0;
  counters_.present.store(0, std::memory_order_relaxed);
  sha256_ = std::make_unique<bundle::Sha256>();
  etag_ = IsStrong(etag) ? etag : "";
  if (etag_.empty()) return {};
  KOE_TRY(bundle::FileWriter etag_file, bundle::FileWriter::Create(etag_path_));
  Result<void> written = etag_file.Write(bundle::AsBytes(etag_ + "\n"));
  if (!written) (void)unlink(etag_path_.c_str());
  return written;
}

Result<void> PartialFile::OnHead(const ResponseHead& head) {
  refusal_is_transient_ = false;
  retry_after_s_ = head.retry_after_s;
  const std::string status = "the server's answer is " + std::to_string(head.status);
  const bool asked_to_resume = offset_ > 0 && !etag_.empty();
  if (head.status == 416) return Discard(status + " (range not satisfiable)");
  if (const auto refusal = CheckStatus(head, expected_.name)) {
    refusal_is_transient_ = refusal->is_transient;
    return refusal->error;
  }
  if (!head.content_encoding.empty() && head.content_encoding != "identity") {
    return Refuse(ErrorCode::kCorruptBundle, "the server encoded it, which was not asked for", true);
  }
  if (head.status == 206) {
    if (!asked_to_resume) return Refuse(ErrorCode::kCorruptBundle, status + " to a request for all of it", true);
    if (!head.etag.empty() && head.etag != etag_) return Discard(status + " with another ETag than the part's");
    const auto& range = head.content_range;
    if (!range || range->first != offset_ || range->last + 1 != expected_.bytes ||
        (range->total && *range->total != expected_.bytes)) {
      return Discard(status + " with another range than was asked for");
    }
    if (head.content_length && *head.content_length != expected_.bytes - offset_) {
      return Discard(status + " with a length that is not its range's");
    }
    return {};
  }
  if (head.content_length && *head.content_length != expected_.bytes) {
    return Refuse(ErrorCode::kCorruptBundle,
                  "the server has " + std::to_string(*head.content_length) + " bytes, the manifest says " +
                      std::to_string(expected_.bytes),
                  true);
  }
  return Restart(head.etag);
}

Result<void> PartialFile::OnBody(std::span<const std::byte> bytes) {
  if (bytes.size() > expected_.bytes - offset_) {
    return Discard("the server sends more than the " + std::to_string(expected_.bytes) + " bytes of the manifest");
  }
  counters_.transferred.fetch_add(bytes.size(), std::memory_order_relaxed);
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = write(fd_, bytes.data() + written, bytes.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      // What a failed write left is not hashed: cut back to what is, so that the part can be continued.
      const int code = errno;
      if (ftruncate(fd_, static_cast<off_t>(offset_)) != 0) DeletePart();
      refusal_is_transient_ = false;
      return bundle::FileError(part_path_, code);
    }
    sha256_->Update(bytes.subspan(written, static_cast<size_t>(n)));
    written += static_cast<size_t>(n);
    offset_ += static_cast<uint64_t>(n);
  }
  counters_.present.store(offset_, std::memory_order_relaxed);
  if (offset_ - flushed_ >= kFlushBytes) {
    (void)sync_file_range(fd_, static_cast<off_t>(flushed_), static_cast<off_t>(offset_ - flushed_),
                          SYNC_FILE_RANGE_WRITE);
    flushed_ = offset_;
  }
  return {};
}

Result<void> PartialFile::Finish() {
  refusal_is_transient_ = false;
  if (!IsComplete()) {
    return Refuse(
        ErrorCode::kIo,
        "the transfer ended after " + std::to_string(offset_) + " of " + std::to_string(expected_.bytes) + " bytes",
        true);
  }
  if (expected_.bytes == 0) KOE_CHECK_OK(Open());  // no request was needed
  const std::string digest = sha256_->FinishHex();
  if (digest != expected_.sha256) {
    return Discard("SHA-256 is " + digest + ", the manifest says " + expected_.sha256);
  }
  close(std::exchange(fd_, -1));
  if (rename(part_path_.c_str(), path_.c_str()) != 0) {
    const int code = errno;
    sha256_ = std::make_unique<bundle::Sha256>();
    return bundle::FileError(path_, code);
  }
  (void)unlink(etag_path_.c_str());
  return {};
}

}  // namespace koe::download
