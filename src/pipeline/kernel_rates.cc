// SPDX-License-Identifier: Apache-2.0
#include "pipeline/kernel_rates.h"

#include <algorithm>

#include "kernels/fma_peak/fma_peak.h"
#include "nn/kernel_measure.h"

namespace koe::pipeline {
namespace {

const std::atomic<bool>* FlagOf(const KernelBenchOptions& options) {
  return options.cancel != nullptr ? &options.cancel->flag() : nullptr;
}

Error Cancelled() { return Error(ErrorCode::kCancelled, "bench: cancelled: on request"); }

bool IsCancelled(const KernelBenchOptions& options) {
  return options.cancel != nullptr && options.cancel->IsCancelled();
}

}  // namespace

Result<KernelBenchReport> BenchKernels(const KernelBenchOptions& options) {
  KOE_TRY(const kernels::Target target, kernels::ParseTarget(options.simd_target));
  KernelBenchReport report{.simd_target = kernels::TargetName(target), .num_threads = options.num_threads};
  const size_t num_threads = static_cast<size_t>(options.num_threads);
  const auto measure_peaks = [&] {
    report.peak_flops = std::max(report.peak_flops, kernels::MeasureFmaPeak(target, 1));
    report.peak_flops_threads = std::max(report.peak_flops_threads, kernels::MeasureFmaPeak(target, num_threads));
  };
  measure_peaks();
  const auto progress = [&](double fraction, const char* name) {
    if (options.progress) options.progress(fraction, name);
  };
  for (nn::KernelMeasurement& m :
       nn::MeasureKernels(kernels::KernelsFor(target), num_threads, options.num_repeats, FlagOf(options), progress)) {
    report.kernels.push_back({std::move(m.name), std::move(m.plan), m.seconds, m.seconds_threads, m.product_flops,
                              m.product_seconds, m.transform_seconds});
  }
  if (IsCancelled(options)) return Cancelled();
  measure_peaks();
  return report;
}

Result<std::vector<std::string>> MeasureConvPlans(const KernelBenchOptions& options) {
  KOE_TRY(const kernels::Target target, kernels::ParseTarget(options.simd_target));
  const auto progress = [&](double fraction, const char* name) {
    if (options.progress) options.progress(fraction, name);
  };
  std::vector<std::string> rows =
      nn::MeasureConvPlanTable(kernels::KernelsFor(target), options.num_repeats, FlagOf(options), progress);
  if (IsCancelled(options)) return Cancelled();
  return rows;
}

}  // namespace koe::pipeline
