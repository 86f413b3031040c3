// SPDX-License-Identifier: Apache-2.0
// How many multiply-adds a processor can do: what the rates of the kernels are held against.
#ifndef KOE_KERNELS_FMA_PEAK_FMA_PEAK_H_
#define KOE_KERNELS_FMA_PEAK_FMA_PEAK_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

struct FmaPeakOps {
  // `rounds` times x = x * scale + shift in num_values independent floats that start at 0, 1, 2, ... and stay in
  // registers; stores them to values. Twelve vectors, enough to hide the units' latency.
  void (*chains)(size_t rounds, float scale, float shift, float* values);
  size_t (*num_values)();
};

const FmaPeakOps* FindFmaPeakOps(Target target);

namespace scalar {
extern const FmaPeakOps kFmaPeakOps;
}

// float32 operations a second of this many threads at once, two to a multiply-add: the best of several short runs,
// about 0.1 s in all. 0 where threads cannot be started.
double MeasureFmaPeak(Target target, size_t num_threads);

}  // namespace koe::kernels

#endif  // KOE_KERNELS_FMA_PEAK_FMA_PEAK_H_
