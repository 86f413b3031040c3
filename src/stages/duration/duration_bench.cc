// SPDX-License-Identifier: Apache-2.0
#include "stages/duration/duration.h"

#include <vector>

#include "support/stage_bench.h"

namespace koe::stages {
namespace {

[[maybe_unused]] const bool kRegistered = test_support::RegisterStageBench(
    "duration", [] { return MakeDurationCpu(test_support::BenchWeights(), test_support::BestKernels()); },
    [](const test_support::SpeechSize& size) {
      std::vector<int32_t> ids(size.num_tokens);
      for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 37 % 178);
      return [ids = std::move(ids), style = test_support::RandomVector(kStyleSize, 0.2f)](const Duration& stage,
                                                                                          const StageContext& context) {
        return stage.Run({ids, style, 1}, context).has_value();
      };
    });

}  // namespace
}  // namespace koe::stages
