// SPDX-License-Identifier: Apache-2.0
// SIMD targets as values: a kernel set is chosen once and passed down, so a test can run any target in one process.
#ifndef KOE_KERNELS_TARGET_H_
#define KOE_KERNELS_TARGET_H_

#include <string_view>
#include <vector>

#include "koe/result.h"

namespace koe::kernels {

enum class Target { kScalar, kNeon, kAvx2, kAvx512 };

// "scalar", "neon", "avx2", "avx512".
const char* TargetName(Target target);
// Targets compiled in and supported by this CPU (and its operating system), best first, kScalar always last.
std::vector<Target> SupportedTargets();
// "": the best supported. kInvalidArgument for an unknown name, kUnsupported for one this CPU lacks; both list what is.
Result<Target> ParseTarget(std::string_view name);

}  // namespace koe::kernels

#endif  // KOE_KERNELS_TARGET_H_
