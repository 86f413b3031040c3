// SPDX-License-Identifier: Apache-2.0
#include "download/retry.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

namespace koe::download {
namespace {

constexpr auto kPoll = std::chrono::milliseconds(20);

bool Wait(double seconds, const std::atomic<bool>& cancel) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (cancel.load(std::memory_order_relaxed)) return false;
    std::this_thread::sleep_for(kPoll);
  }
  return !cancel.load(std::memory_order_relaxed);
}

// Many clients that fail together should not come back together.
double Jitter() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.5, 1.0)(random);
}

}  // namespace

Result<void> WithRetries(const RetryOptions& options, const std::atomic<bool>& cancel,
                         const std::function<Try()>& attempt) {
  const Error cancelled(ErrorCode::kCancelled, "download: cancelled");
  uint64_t best = 0;
  int failures = 0;
  for (;;) {
    if (cancel.load(std::memory_order_relaxed)) return cancelled;
    const Try done = attempt();
    if (done.result) return {};
    if (!done.is_transient) return done.result;
    if (done.offset >= best + kProgressBytes) {
      best = done.offset;
      failures = 0;
    }
    ++failures;
    const double backoff =
        options.backoff_s * static_cast<double>(uint64_t{1} << std::min(failures - 1, 16)) * Jitter();
    const double wait = std::max(std::min(backoff, kMaxBackoffSeconds), done.retry_after_s);
    if (failures >= options.tries || wait > kMaxBackoffSeconds) {
      const std::string count = failures == 1 ? "1 try" : std::to_string(failures) + " tries";
      return Error(done.result.error().code(), done.result.error().message() + " (after " + count + ")");
    }
    if (!Wait(wait, cancel)) return cancelled;
  }
}

}  // namespace koe::download
