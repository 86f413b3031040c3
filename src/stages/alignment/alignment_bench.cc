// SPDX-License-Identifier: Apache-2.0
#include "stages/alignment/alignment.h"

#include <vector>

#include "support/stage_bench.h"

namespace koe::stages {
namespace {

[[maybe_unused]] const bool kRegistered = test_support::RegisterStageBench(
    "alignment", [] { return Result<std::unique_ptr<Alignment>>(MakeAlignmentCpu()); },
    [](const test_support::SpeechSize& size) {
      std::vector<int32_t> durations(size.num_tokens);
      for (size_t i = 0; i < durations.size(); ++i) {
        durations[i] =
            static_cast<int32_t>(size.num_frames * (i + 1) / size.num_tokens - size.num_frames * i / size.num_tokens);
      }
      return [durations = std::move(durations), d = test_support::RandomVector(size.num_tokens * 640),
              text = test_support::RandomVector(size.num_tokens * 512)](const Alignment& stage,
                                                                        const StageContext& context) {
        const size_t rows = durations.size();
        return stage.Run({durations, ConstMatrix(d.data(), rows, 640), ConstMatrix(text.data(), rows, 512)}, context)
            .has_value();
      };
    });

}  // namespace
}  // namespace koe::stages
