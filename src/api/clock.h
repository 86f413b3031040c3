// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_API_CLOCK_H_
#define KOE_API_CLOCK_H_

#include <chrono>

namespace koe::api {

using Clock = std::chrono::steady_clock;
inline double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace koe::api

#endif  // KOE_API_CLOCK_H_
