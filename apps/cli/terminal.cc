// SPDX-License-Identifier: Apache-2.0
#include "terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "text.h"

namespace koe::cli {
namespace {

constexpr double kQuietSeconds = 0.7;
constexpr double kProgressIntervalSeconds = 0.1;

// 0 or errno.
int WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return errno;
    if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Terminal::Terminal() {
  const bool can_overwrite =
      isatty(STDERR_FILENO) != 0 && !Environment("TERM").empty() && Environment("TERM") != "dumb";
  shows_progress_ = can_overwrite;
  colours_ = can_overwrite && Environment("NO_COLOR").empty();
}

void Terminal::WriteLine(std::string_view line) {
  EraseProgress();
  // Nobody is left to tell when standard error is gone.
  (void)WriteAll(STDERR_FILENO, std::string(line) + "\n");
}

void Terminal::Error(std::string_view message) {
  WriteLine((colours_ ? "koe: \x1b[1;31merror:\x1b[0m " : "koe: error: ") + OneLine(message));
}

void Terminal::Note(std::string_view message) {
  if (!quiet) WriteLine("koe: note: " + OneLine(message));
}

void Terminal::Summary(std::string_view message) {
  if (!quiet) WriteLine(OneLine(message));
}

void Terminal::Progress(double fraction, std::string_view what) {
  if (!shows_progress_ || quiet) return;
  const Clock::time_point now = Clock::now();
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  if (elapsed < kQuietSeconds) return;
  if (std::chrono::duration<double>(now - last_progress_).count() < kProgressIntervalSeconds) return;
  last_progress_ = now;
  fraction = std::clamp(fraction, 0.0, 1.0);
  std::string line = Format("\r\x1b[K%3.0f%%  ", 100 * fraction) + OneLine(what);
  if (fraction > 0.02) line += Format("  %.0f s left", elapsed * (1 - fraction) / fraction);
  has_progress_ = WriteAll(STDERR_FILENO, line) == 0;
}

void Terminal::EraseProgress() {
  if (has_progress_) (void)WriteAll(STDERR_FILENO, "\r\x1b[K");
  has_progress_ = false;
}

Result<void> WriteStandardOutput(std::string_view bytes) {
  const int error = WriteAll(STDOUT_FILENO, bytes);
  if (error != 0) return koe::Error(ErrorCode::kIo, std::string("output: standard output: ") + std::strerror(error));
  return {};
}

}  // namespace koe::cli
