// SPDX-License-Identifier: Apache-2.0
// A file on its way: <path>.part holds what has come, <path>.part-etag the ETag it came under. It gets its final name
// only with the right size and digest; until then it can be continued, in this process or a later one.
#ifndef KOE_DOWNLOAD_PARTIAL_FILE_H_
#define KOE_DOWNLOAD_PARTIAL_FILE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "bundle/digest.h"
#include "download/transport.h"
#include "koe/result.h"

namespace koe::download {

inline constexpr char kPartSuffix[] = ".part";
inline constexpr char kEtagSuffix[] = ".part-etag";

// What an answer's status means: nullopt for 2xx.
struct Refusal {
  Error error;
  bool is_transient;  // another try may help
};
std::optional<Refusal> CheckStatus(const ResponseHead& head, const std::string& name);

// What others may read while a file comes.
struct FileCounters {
  std::atomic<uint64_t> present{0};      // bytes of the file that are there
  std::atomic<uint64_t> transferred{0};  // bytes that came from the network, discarded ones too
};

// The bytes and digest a file must have.
struct Expected {
  std::string name;  // for messages
  uint64_t bytes = 0;
  std::string sha256;
};

// One attempt after the other; not thread-safe. `path`'s folder exists.
class PartialFile : public Receiver {
 public:
  PartialFile(std::string path, Expected expected, FileCounters* counters);
  ~PartialFile() override;
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  // Takes up what an earlier process has left: a regular file with 0 < size <= the expected one and an ETag, whose
  // bytes are hashed; anything else is deleted.
  Result<void> Resume();

  // Range and If-Range for what is there.
  Request MakeRequest(const std::string& url) const;
  bool IsComplete() const { return offset_ == expected_.bytes; }
  uint64_t offset() const { return offset_; }

  // What makes a 206 or 200 acceptable: kokoro-coreml's rules (docs/fetch.md). A refusal is kCorruptBundle, kNotFound
  // or kIo; `last_refusal_is_transient` tells whether another try may help.
  Result<void> OnHead(const ResponseHead& head) override;
  Result<void> OnBody(std::span<const std::byte> bytes) override;
  bool last_refusal_is_transient() const { return refusal_is_transient_; }
  double retry_after_s() const { return retry_after_s_; }

  // After a transfer that ended well: kIo where bytes are missing (the part stays), kCorruptBundle where the digest is
  // another (the part goes), else the file has its final name. It is not synced yet.
  Result<void> Finish();

 private:
  Result<void> Open();
  Result<void> Restart(const std::string& etag);  // from the first byte, under this ETag ("": cannot be resumed)
  Error Refuse(ErrorCode code, const std::string& why, bool is_transient);
  Error Discard(const std::string& why);  // deletes the part; transient
  void DeletePart();

  const std::string path_, part_path_, etag_path_;
  const Expected expected_;
  FileCounters& counters_;
  int fd_ = -1;
  uint64_t offset_ = 0;
  uint64_t flushed_ = 0;  // the disk has been asked to take the bytes before this
  std::string etag_;
  std::unique_ptr<bundle::Sha256> sha256_;
  bool refusal_is_transient_ = false;
  double retry_after_s_ = 0;
};

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_PARTIAL_FILE_H_
