// SPDX-License-Identifier: Apache-2.0
#include "kernels/target.h"

#include <algorithm>
#include <string>

#include "hwy/targets.h"

namespace koe::kernels {

const char* TargetName(Target target) {
  switch (target) {
    case Target::kScalar:
      return "scalar";
    case Target::kNeon:
      return "neon";
    case Target::kAvx2:
      return "avx2";
    case Target::kAvx512:
      return "avx512";
  }
  return "unknown";
}

std::vector<Target> SupportedTargets() {
  std::vector<Target> targets;
  [[maybe_unused]] const int64_t supported = hwy::SupportedTargets();
#if defined(__x86_64__)
  if (supported & HWY_AVX3) targets.push_back(Target::kAvx512);
  if (supported & HWY_AVX2) targets.push_back(Target::kAvx2);
#elif defined(__aarch64__)
  if (supported & HWY_NEON) targets.push_back(Target::kNeon);
#endif
  targets.push_back(Target::kScalar);
  return targets;
}

Result<Target> ParseTarget(std::string_view name) {
  const std::vector<Target> supported = SupportedTargets();
  if (name.empty()) return supported.front();
  std::string names;
  for (const Target target : supported) {
    if (name == TargetName(target)) return target;
    names += (names.empty() ? "" : ", ") + std::string(TargetName(target));
  }
  for (const Target target : {Target::kNeon, Target::kAvx2, Target::kAvx512}) {
    if (name == TargetName(target)) {
      return Error(ErrorCode::kUnsupported, "SIMD target: " + std::string(name) + ": this CPU has " + names);
    }
  }
  return Error(ErrorCode::kInvalidArgument, "SIMD target: '" + std::string(name) + "': this CPU has " + names);
}

}  // namespace koe::kernels
