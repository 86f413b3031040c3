// SPDX-License-Identifier: Apache-2.0
// Which of an Apple machine's processors runs which stage: kokoro-coreml's measured choices.
#ifndef KOE_DEVICES_COREML_COMPUTE_POLICY_H_
#define KOE_DEVICES_COREML_COMPUTE_POLICY_H_

#include <string>
#include <string_view>

#include "koe/result.h"

namespace koe::devices {

// MLComputeUnits
enum class ComputeUnits { kCpuOnly, kCpuAndGpu, kCpuAndNeuralEngine, kAll };
const char* ComputeUnitsName(ComputeUnits units);  // cpu, gpu, ane, all

struct ComputePolicy {
  ComputeUnits duration, prosody, decoder, generator;
  bool operator==(const ComputePolicy&) const = default;
};

// Duration on the CPU (making a GPU program of it took minutes on phones), prosody and generator on the GPU (prosody on
// the Neural Engine decorrelates, the generator there is 50 times slower), the decoder on the Neural Engine, which
// frees the GPU for the generator of the chunk before.
inline constexpr ComputePolicy kDefaultPolicy = {ComputeUnits::kCpuOnly, ComputeUnits::kCpuAndGpu,
                                                 ComputeUnits::kCpuAndNeuralEngine, ComputeUnits::kCpuAndGpu};

// What a place names: "coreml" the default, "coreml:cpu", "coreml:gpu", "coreml:ane" and "coreml:all" every stage so.
// kInvalidArgument.
Result<ComputePolicy> ParseComputePolicy(const std::string& place);

// Of a package by its name, "kokoro_decoder_pre_3s". kInvalidArgument: no stage's.
Result<ComputeUnits> UnitsFor(const ComputePolicy& policy, std::string_view package_name);

}  // namespace koe::devices

#endif  // KOE_DEVICES_COREML_COMPUTE_POLICY_H_
