// SPDX-License-Identifier: Apache-2.0
#include "stages/decoder/decoder.h"

#include <vector>

#include "support/stage_bench.h"

namespace koe::stages {
namespace {

[[maybe_unused]] const bool kRegistered = test_support::RegisterStageBench(
    "decoder", [] { return MakeDecoderCpu(test_support::BenchWeights(), test_support::BestKernels()); },
    [](const test_support::SpeechSize& size) {
      return [rows = size.num_frames, text = test_support::RandomVector(size.num_frames * 512),
              f0_hz = test_support::RandomVector(2 * size.num_frames, 20, 180),
              energy = test_support::RandomVector(2 * size.num_frames),
              style = test_support::RandomVector(kStyleSize, 0.2f)](const Decoder& stage, const StageContext& context) {
        return stage.Run({ConstMatrix(text.data(), rows, 512), f0_hz, energy, style}, context).has_value();
      };
    });

}  // namespace
}  // namespace koe::stages
