// SPDX-License-Identifier: Apache-2.0
#include "stages/tokens/tokens.h"

#include <string>

#include "support/stage_bench.h"

namespace koe::stages {
namespace {

[[maybe_unused]] const bool kRegistered = test_support::RegisterStageBench(
    "tokens",
    [] {
      return Result<std::unique_ptr<Tokens>>(
          MakeTokensCpu([](char32_t symbol) { return std::optional<int32_t>(static_cast<int32_t>(symbol % 178)); }));
    },
    [](const test_support::SpeechSize& size) {
      std::string phonemes;
      for (size_t i = 0; i + 2 < size.num_tokens; ++i) phonemes += i % 2 == 0 ? "\u0259" : "n";
      return [phonemes = std::move(phonemes)](const Tokens& stage, const StageContext& context) {
        return stage.Run({phonemes}, context).has_value();
      };
    });

}  // namespace
}  // namespace koe::stages
