// SPDX-License-Identifier: Apache-2.0
// From bytes to what the caller is told: never more than ten times a second, never backwards.
#ifndef KOE_DOWNLOAD_PROGRESS_H_
#define KOE_DOWNLOAD_PROGRESS_H_

#include <chrono>
#include <string>

#include "download/fetch_files.h"
#include "koe/download.h"

namespace koe::download {

// One call's. Not thread-safe.
class ProgressReport {
 public:
  explicit ProgressReport(const DownloadProgressCallback& callback) : callback_(callback) {}

  void SetTotal(uint64_t bytes, size_t files);
  // A file that needs no download, or is not counted as coming any more.
  void AddVerified(uint64_t bytes);
  // Of the file that is being hashed: counts until AddVerified or the next call.
  void Hashing(uint64_t bytes);
  void Downloading(const FilesProgress& files, size_t root_bytes);  // paths are told without their first root_bytes
  void Restart();                                                   // what was verified does not count after all
  void Poll();                                                      // nothing new; the caller lives
  void Waiting();
  void Done();

 private:
  void Tell(bool now);

  const DownloadProgressCallback& callback_;
  DownloadProgress state_;
  uint64_t verified_bytes_ = 0, moving_bytes_ = 0;
  size_t verified_files_ = 0, fetched_files_ = 0;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_PROGRESS_H_
