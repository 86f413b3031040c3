// SPDX-License-Identifier: Apache-2.0
// Constants, cancellation and progress: what every other header needs.
#ifndef KOE_COMMON_H_
#define KOE_COMMON_H_

#include <atomic>
#include <cstddef>
#include <functional>

namespace koe {

inline constexpr int kSampleRateHz = 24000;
inline constexpr int kSamplesPerDurationFrame = 600;  // duration frames: 40 a second
inline constexpr float kMinSpeed = 0.25f, kMaxSpeed = 4.0f;
inline constexpr int kMaxThreads = 256;
inline constexpr size_t kMaxInputBytes = size_t{10} << 20;  // of one call
inline constexpr int kMaxPhonemesPerChunk = 510;            // positions of ALBERT less the two boundary tokens

// "0.1.0"
const char* Version();

// Set from any thread to end a running call early; the call then returns kCancelled. Must outlive that call.
class CancelToken {
 public:
  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool IsCancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  const std::atomic<bool>& flag() const { return cancelled_; }

 private:
  std::atomic<bool> cancelled_{false};
};

// Called on the calling thread, between stages and within the long one. fraction is in [0, 1] over the whole call and
// never falls.
struct Progress {
  double fraction;
  const char* stage;  // name of the stage that starts now, or "done"
  size_t chunk;       // index of the chunk
  size_t num_chunks;
};
using ProgressCallback = std::function<void(const Progress&)>;

}  // namespace koe

#endif  // KOE_COMMON_H_
