// SPDX-License-Identifier: Apache-2.0
#include "stages/prosody/prosody.h"

#include <vector>

#include "support/stage_bench.h"

namespace koe::stages {
namespace {

[[maybe_unused]] const bool kRegistered = test_support::RegisterStageBench(
    "prosody", [] { return MakeProsodyCpu(test_support::BenchWeights(), test_support::BestKernels()); },
    [](const test_support::SpeechSize& size) {
      return [rows = size.num_frames, features = test_support::RandomVector(size.num_frames * 640),
              style = test_support::RandomVector(kStyleSize, 0.2f)](const Prosody& stage, const StageContext& context) {
        return stage.Run({ConstMatrix(features.data(), rows, 640), style}, context).has_value();
      };
    });

}  // namespace
}  // namespace koe::stages
