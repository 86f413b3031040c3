// SPDX-License-Identifier: Apache-2.0
// Many files side by side, each with its tries; and one small file into memory.
#ifndef KOE_DOWNLOAD_FETCH_FILES_H_
#define KOE_DOWNLOAD_FETCH_FILES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "download/partial_file.h"
#include "download/retry.h"
#include "download/transport.h"
#include "koe/result.h"

namespace koe::download {

struct Settings {
  TransportOptions transport;  // its `cancel` is the caller's token, or null
  RetryOptions retry;
  size_t parallel = 4;  // 1..kMaxParallel
};
inline constexpr size_t kMaxParallel = 32;

struct FileJob {
  std::string url;
  std::string path;  // where it goes; its folder exists
  Expected expected;
};

struct FilesProgress {
  uint64_t bytes_present = 0;      // of all jobs
  uint64_t bytes_transferred = 0;  // over the network (or from file://)
  size_t files_done = 0;
  struct Active {
    const FileJob* job;
    uint64_t bytes_present;
  };
  std::vector<Active> active;  // those on their way now
};

// Fetches all of them. The first error that is not mended by tries ends the others; what has come stays as parts for
// the next call. `report` is called on this thread, about ten times a second and once at the end. Returns the bytes
// transferred.
Result<uint64_t> FetchFiles(const std::vector<FileJob>& jobs, const Settings& settings,
                            const std::function<void(const FilesProgress&)>& report);

// The body of `url`: kTooLong above max_bytes, counted while it comes. `poll` is called about ten times a second.
Result<std::string> FetchBytes(const std::string& url, const std::string& name, size_t max_bytes,
                               const Settings& settings, const std::function<void()>& poll);

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_FETCH_FILES_H_
