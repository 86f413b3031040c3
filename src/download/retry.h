// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_DOWNLOAD_RETRY_H_
#define KOE_DOWNLOAD_RETRY_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <random>

#include "download/transport.h"
#include "koe/result.h"

namespace koe::download {

struct RetryOptions {
  int tries = 3;           // in a row without progress
  double backoff_s = 0.5;  // before the second try; doubles with each
};

inline constexpr double kMaxBackoffSeconds = 30;
// A try that brought so much counts as progress: a long file over a bad line may need more tries than three.
inline constexpr uint64_t kProgressBytes = 1 << 20;

// How one try ended, beyond its error.
struct Try {
  Result<void> result;
  bool is_transient = false;
  double retry_after_s = 0;  // the server's wish
  uint64_t offset = 0;       // bytes that stay for the next try
};

// Calls `attempt` until it ends well, with an error that is not transient, or `tries` times in a row without progress.
// Between tries it waits backoff x 2^n x [0.5, 1), at least what the server asked for and at most kMaxBackoffSeconds; a
// wish beyond that ends the tries. kCancelled soon after *cancel is set.
Result<void> WithRetries(const RetryOptions& options, const std::atomic<bool>& cancel,
                         const std::function<Try()>& attempt);

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_RETRY_H_
