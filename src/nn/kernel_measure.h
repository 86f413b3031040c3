// SPDX-License-Identifier: Apache-2.0
// How near the model's products come to what the processor can do, shape by shape, and where the rest of the time goes:
// what koe bench --kernels prints.
#ifndef KOE_NN_KERNEL_MEASURE_H_
#define KOE_NN_KERNEL_MEASURE_H_

#include <atomic>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "kernels/kernel_set.h"

namespace koe::nn {

struct KernelMeasurement {
  std::string name;              // "residual_256_k11"
  std::string plan;              // "fft34", "fft34-int16", "direct", "gemm", "gemv", "int8x3"
  double seconds = 0;            // of the whole operation on one thread: its processor time, best of the repeats
  double seconds_threads = 0;    // on all threads: wall time
  double product_flops = 0;      // float32 operations a second in the main loop of the products, one thread; of whole
                                 // numbers, those of the multiply-adds in whose place its instructions stand: 3/4 for
                                 // int8x3, 9/16 for int16
  double product_seconds = 0;    // of `seconds`: what the products take at that rate
  double transform_seconds = 0;  // of `seconds`: tiles there and back, weights expanded; gates of an LSTM
};

// Every convolution of ModelConvolutions() with the plan of its table, ALBERT's and the LSTMs' matrix products, an
// LSTM, and the convolutions that the preset fast does in another way. Each part by itself in a loop, so that its data
// lie in the caches as in a run. Stops early where cancelled.
std::vector<KernelMeasurement> MeasureKernels(const kernels::KernelSet& kernels, size_t num_threads, int repeats,
                                              const std::atomic<bool>* cancelled,
                                              FunctionRef<void(double fraction, const char* name)> on_progress);

// The rows of kernels/conv_plan_table.inc for this target: every candidate plan of every convolution measured on one
// thread. A line each; empty where cancelled.
std::vector<std::string> MeasureConvPlanTable(const kernels::KernelSet& kernels, int repeats,
                                              const std::atomic<bool>* cancelled,
                                              FunctionRef<void(double fraction, const char* name)> on_progress);

}  // namespace koe::nn

#endif  // KOE_NN_KERNEL_MEASURE_H_
