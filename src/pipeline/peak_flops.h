// SPDX-License-Identifier: Apache-2.0
// What the processor could do at most, for whoever may not see the kernels.
#ifndef KOE_PIPELINE_PEAK_FLOPS_H_
#define KOE_PIPELINE_PEAK_FLOPS_H_

#include <cstddef>
#include <string>

#include "koe/result.h"

namespace koe::pipeline {

// kernels::MeasureFmaPeak of the target that kernels::ParseTarget makes of the name. kUnsupported.
Result<double> PeakFlops(const std::string& target_name, size_t num_threads);

}  // namespace koe::pipeline

#endif  // KOE_PIPELINE_PEAK_FLOPS_H_
