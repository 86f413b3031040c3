// SPDX-License-Identifier: Apache-2.0
#include "download/progress.h"

#include <algorithm>

namespace koe::download {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);

}  // namespace

void ProgressReport::SetTotal(uint64_t bytes, size_t files) {
  state_.bytes_total = bytes;
  state_.files_total = files;
  Tell(false);
}

void ProgressReport::AddVerified(uint64_t bytes) {
  verified_bytes_ += bytes;
  ++verified_files_;
  moving_bytes_ = 0;
  Tell(false);
}

void ProgressReport::Hashing(uint64_t bytes) {
  moving_bytes_ = bytes;
  Tell(false);
}

void ProgressReport::Downloading(const FilesProgress& files, size_t root_bytes) {
  state_.phase = DownloadProgress::Phase::kDownloading;
  moving_bytes_ = files.bytes_present;
  fetched_files_ = files.files_done;
  state_.bytes_transferred = files.bytes_transferred;
  state_.active.clear();
  for (const FilesProgress::Active& active : files.active) {
    state_.active.push_back({active.job->path.substr(root_bytes), active.bytes_present, active.job->expected.bytes});
  }
  Tell(false);
}

void ProgressReport::Restart() {
  verified_bytes_ = moving_bytes_ = 0;
  verified_files_ = 0;
}

void ProgressReport::Poll() { Tell(false); }

void ProgressReport::Waiting() {
  state_.waits_for_other = true;
  Tell(false);
  state_.waits_for_other = false;
}

void ProgressReport::Done() {
  state_.active.clear();
  verified_bytes_ = state_.bytes_total;
  verified_files_ = state_.files_total;
  moving_bytes_ = 0;
  fetched_files_ = 0;
  Tell(true);
}

void ProgressReport::Tell(bool now) {
  if (!callback_) return;
  const auto time = std::chrono::steady_clock::now();
  if (!now && time - last_ < kInterval) return;
  last_ = time;
  state_.bytes_done = std::min(verified_bytes_ + moving_bytes_, state_.bytes_total);
  state_.files_done = std::min(verified_files_ + fetched_files_, state_.files_total);
  if (state_.bytes_total > 0) {
    const double fraction = static_cast<double>(state_.bytes_done) / static_cast<double>(state_.bytes_total);
    state_.fraction = std::max(state_.fraction, fraction);
  }
  callback_(state_);
}

}  // namespace koe::download
