// SPDX-License-Identifier: Apache-2.0
#include "stages/harmonic_source/harmonic_source.h"

#include <vector>

#include "support/stage_bench.h"

namespace koe::stages {
namespace {

[[maybe_unused]] const bool kRegistered = test_support::RegisterStageBench(
    "harmonic_source", [] { return MakeHarmonicSourceCpu(test_support::BenchWeights(), test_support::BestKernels()); },
    [](const test_support::SpeechSize& size) {
      return [f0_hz = test_support::RandomVector(2 * size.num_frames, 200, 100)](const HarmonicSource& stage,
                                                                                 const StageContext& context) {
        return stage.Run({.f0_hz = f0_hz, .seed = 1, .source = {}}, context).has_value();
      };
    });

}  // namespace
}  // namespace koe::stages
