// SPDX-License-Identifier: Apache-2.0
// Measures the model's matrix products and convolutions by themselves, for `koe bench --kernels`.
#ifndef KOE_KERNEL_RATES_H_
#define KOE_KERNEL_RATES_H_

#include <functional>
#include <string>
#include <vector>

#include "koe/koe.h"
#include "koe/result.h"

namespace koe {

struct KernelBenchOptions {
  std::string simd_target;  // "avx512"...; "": the one that an engine would choose
  int num_threads = 0;      // 1 to 256, 0: one for every processor
  int num_repeats = 5;      // 1 to 1000; the best counts
  const CancelToken* cancel = nullptr;
  std::function<void(double fraction, const std::string& kernel)> progress;  // on the calling thread; may be empty
};

// One shape of the model. Seconds of one thread are its processor time, which other programs leave alone.
struct KernelRate {
  std::string name;            // "residual_256_k11": of the residual blocks, 256 channels, 11 taps
  std::string plan;            // how it is computed: "fft34", "toom12", "direct", "gemm", "gemv"
  double seconds = 0;          // everything on one thread: activation, products, residual, statistics
  double seconds_threads = 0;  // on all threads, wall time
  double product_flops = 0;    // float32 operations a second in the main loop of the products, one thread
  // Shares of `seconds`. The products and transforms are timed by themselves, with their data in the caches where a run
  // has them; the rest is activations, statistics, and waiting for memory.
  double product_seconds = 0, transform_seconds = 0;
};

struct KernelBenchReport {
  std::string simd_target;
  int num_threads = 0;
  double peak_flops = 0;  // MeasurePeakFlops of one thread, before and after: the higher
  double peak_flops_threads = 0;
  std::vector<KernelRate> kernels = {};
};

// Takes some seconds. kUnsupported: the target; kInvalidArgument: a number out of its range; kCancelled.
Result<KernelBenchReport> BenchKernels(const KernelBenchOptions& options);

// The rows of src/kernels/conv_plan_table.inc for one target, a line each: which way of computing each convolution is
// the fastest here. Takes a minute. num_threads is not used. Errors as BenchKernels.
Result<std::vector<std::string>> MeasureConvPlans(const KernelBenchOptions& options);

}  // namespace koe

#endif  // KOE_KERNEL_RATES_H_
