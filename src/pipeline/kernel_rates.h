// SPDX-License-Identifier: Apache-2.0
// koe/kernel_rates.h for whoever may not see the kernels.
#ifndef KOE_PIPELINE_KERNEL_RATES_H_
#define KOE_PIPELINE_KERNEL_RATES_H_

#include <string>
#include <vector>

#include "koe/kernel_rates.h"

namespace koe::pipeline {

// The options' numbers must be in their ranges, num_threads not 0. kUnsupported, kCancelled.
Result<KernelBenchReport> BenchKernels(const KernelBenchOptions& options);
Result<std::vector<std::string>> MeasureConvPlans(const KernelBenchOptions& options);

}  // namespace koe::pipeline

#endif  // KOE_PIPELINE_KERNEL_RATES_H_
