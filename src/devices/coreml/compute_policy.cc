// SPDX-License-Identifier: Apache-2.0
#include "devices/coreml/compute_policy.h"

#include <array>

namespace koe::devices {
namespace {

constexpr std::array<ComputeUnits, 4> kUnits = {ComputeUnits::kCpuOnly, ComputeUnits::kCpuAndGpu,
                                                ComputeUnits::kCpuAndNeuralEngine, ComputeUnits::kAll};

}  // namespace

const char* ComputeUnitsName(ComputeUnits units) {
  constexpr std::array<const char*, 4> kNames = {"cpu", "gpu", "ane", "all"};
  return kNames[static_cast<size_t>(units)];
}

Result<ComputePolicy> ParseComputePolicy(const std::string& place) {
  if (place == "coreml") return kDefaultPolicy;
  for (const ComputeUnits units : kUnits) {
    if (place == std::string("coreml:") + ComputeUnitsName(units)) return ComputePolicy{units, units, units, units};
  }
  return Error(ErrorCode::kInvalidArgument,
               "place: '" + place + "': must be coreml, coreml:cpu, coreml:gpu, coreml:ane or coreml:all");
}

Result<ComputeUnits> UnitsFor(const ComputePolicy& policy, std::string_view package_name) {
  if (package_name.starts_with("kokoro_duration")) return policy.duration;
  if (package_name.starts_with("kokoro_f0ntrain_")) return policy.prosody;
  if (package_name.starts_with("kokoro_decoder_pre_")) return policy.decoder;
  if (package_name.starts_with("kokoro_decoder_har_post_")) return policy.generator;
  return Error(ErrorCode::kInvalidArgument, "package: '" + std::string(package_name) + "': of no stage");
}

}  // namespace koe::devices
