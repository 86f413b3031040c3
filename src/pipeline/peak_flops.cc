// SPDX-License-Identifier: Apache-2.0
#include "pipeline/peak_flops.h"

#include "kernels/fma_peak/fma_peak.h"

namespace koe::pipeline {

Result<double> PeakFlops(const std::string& target_name, size_t num_threads) {
  KOE_TRY(const kernels::Target target, kernels::ParseTarget(target_name));
  return kernels::MeasureFmaPeak(target, num_threads);
}

}  // namespace koe::pipeline
