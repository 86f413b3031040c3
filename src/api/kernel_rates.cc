// SPDX-License-Identifier: Apache-2.0
#include "koe/kernel_rates.h"

#include <algorithm>
#include <string>
#include <thread>

#include "api/guard.h"
#include "pipeline/kernel_rates.h"

namespace koe {
namespace {

Result<KernelBenchOptions> Checked(const KernelBenchOptions& options) {
  const auto check = [](const char* what, int value, int low, int high) -> Result<void> {
    if (value >= low && value <= high) return {};
    return Error(ErrorCode::kInvalidArgument, std::string(what) + ": " + std::to_string(value) + ": must be " +
                                                  std::to_string(low) + " to " + std::to_string(high));
  };
  KOE_CHECK_OK(check("threads", options.num_threads, 0, kMaxThreads));
  KOE_CHECK_OK(check("repeats", options.num_repeats, 1, 1000));
  KernelBenchOptions checked = options;
  if (checked.num_threads == 0) {
    checked.num_threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMaxThreads);
  }
  return checked;
}

}  // namespace

Result<KernelBenchReport> BenchKernels(const KernelBenchOptions& options) {
  return api::Guard([&]() -> Result<KernelBenchReport> {
    KOE_TRY(const KernelBenchOptions checked, Checked(options));
    return pipeline::BenchKernels(checked);
  });
}

Result<std::vector<std::string>> MeasureConvPlans(const KernelBenchOptions& options) {
  return api::Guard([&]() -> Result<std::vector<std::string>> {
    KOE_TRY(const KernelBenchOptions checked, Checked(options));
    return pipeline::MeasureConvPlans(checked);
  });
}

}  // namespace koe
