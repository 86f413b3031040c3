// SPDX-License-Identifier: Apache-2.0
#include "stages/generator/generator.h"

#include <vector>

#include "support/stage_bench.h"

namespace koe::stages {
namespace {

[[maybe_unused]] const bool kRegistered = test_support::RegisterStageBench(
    "generator", [] { return MakeGeneratorCpu(test_support::BenchWeights(), test_support::BestKernels()); },
    [](const test_support::SpeechSize& size) {
      return
          [f = size.num_frames, features = test_support::RandomVector(2 * size.num_frames * 512),
           excitation = test_support::RandomVector((120 * size.num_frames + 1) * 22, 0.3f),
           style = test_support::RandomVector(kStyleSize, 0.2f)](const Generator& stage, const StageContext& context) {
            return stage
                .Run({ConstMatrix(features.data(), 2 * f, 512), ConstMatrix(excitation.data(), 120 * f + 1, 22), style},
                     context)
                .has_value();
          };
    });

}  // namespace
}  // namespace koe::stages
