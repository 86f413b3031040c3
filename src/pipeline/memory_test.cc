// SPDX-License-Identifier: Apache-2.0
// What a chunk takes is known before it is taken, and what the presets make of it.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "support/synthetic_synthesizer.h"

namespace koe::pipeline {
namespace {

using test_support::SyntheticSynthesizer;

std::unique_ptr<SyntheticSynthesizer> Make(Precision precision) {
  auto made =
      SyntheticSynthesizer::Make(test_support::SharedSyntheticWeights(), test_support::BestKernels(), 2, precision);
  EXPECT_TRUE(made.has_value());
  return made.has_value() ? std::move(*made) : nullptr;
}

size_t FramesOf(const ChunkResult& result) {
  return static_cast<size_t>(std::accumulate(result.durations.begin(), result.durations.end(), 0));
}

TEST(PipelineMemoryTest, ThePeakIsKnownBefore) {
  const std::vector<float> voice = test_support::RandomVoice();
  for (const Precision precision : {Precision::kExact, Precision::kLowMemory}) {
    const auto synthesizer = Make(precision);
    ASSERT_NE(synthesizer, nullptr);
    const Model& model = synthesizer->get().model();
    EXPECT_GT(model.weight_bytes, size_t{60} << 20);  // 82 million values of a byte or more, less single vectors
    Workspace workspace;
    for (const char* phonemes : {"abc", "a", "abcdefghijklmnop"}) {  // shorter, then longer than what is held
      Workspace fresh;
      const auto result = synthesizer->Run({.phonemes = phonemes, .voice = voice}, fresh);
      KOE_ASSERT_OK(result);
      const size_t planned = synthesizer->get().PeakBytes(result->tokens.token_ids.size(), FramesOf(*result));
      const size_t result_bytes = fresh.results[0].CapacityBytes();  // planned twice: for the next chunk, too
      if (precision == Precision::kExact) {
        EXPECT_EQ(planned, model.weight_bytes + fresh.HeldBytes() + result_bytes) << phonemes;
      } else {
        EXPECT_EQ(fresh.front.CapacityBytes(), 0u);
        EXPECT_GE(planned, model.weight_bytes + fresh.HeldBytes() + result_bytes) << phonemes;
      }
      // A workspace that is used again holds the most that any run has needed.
      KOE_ASSERT_OK(synthesizer->Run({.phonemes = phonemes, .voice = voice}, workspace));
      EXPECT_GE(workspace.HeldBytes(), fresh.HeldBytes());
    }
  }
}

TEST(PipelineMemoryTest, RefusesWhatIsOverTheLimitBeforeTakingIt) {
  const auto synthesizer = Make(Precision::kExact);
  ASSERT_NE(synthesizer, nullptr);
  const std::vector<int32_t> ids = {0, 6, 12, 18, 0};
  const std::vector<float> voice = test_support::RandomVoice();
  const auto run = [&](size_t max_bytes, Workspace* workspace) {
    StageSeconds seconds{};
    return synthesizer->get().RunFront(
        {.token_ids = ids, .voice_row = VoiceTableRow(voice, 3), .max_bytes = max_bytes}, *workspace, 0, nullptr,
        [](StageId, double) {}, &seconds);
  };
  Workspace workspace, tight, tiny;
  const auto front = run(~size_t{0}, &workspace);
  KOE_ASSERT_OK(front);
  const size_t peak = synthesizer->get().PeakBytes(ids.size(), front->decoder_features.rows / 2);
  EXPECT_TRUE(run(peak, &tight).has_value());
  EXPECT_EQ(tight.results[0].CapacityBytes(), workspace.results[0].CapacityBytes());
  Workspace refused;
  const auto result = run(peak - 1, &refused);
  KOE_EXPECT_ERROR(result, ErrorCode::kTooLong);
  EXPECT_EQ(result.error().message(),
            "memory: " + std::to_string(peak) + " bytes needed: " + std::to_string(peak - 1) + " are allowed");
  EXPECT_EQ(refused.results[0].CapacityBytes(), 0u);
  KOE_EXPECT_ERROR(run(1, &tiny), ErrorCode::kTooLong);
  EXPECT_EQ(tiny.HeldBytes(), 0u);
}

// The same samples as kExact, to the bit, for a third of its weights' memory. (A quarter of the synthetic weights is
// float32.)
TEST(PipelineMemoryTest, LowMemoryIsExactToTheBit) {
  const std::vector<float> voice = test_support::RandomVoice();
  const auto exact = Make(Precision::kExact), low = Make(Precision::kLowMemory);
  ASSERT_TRUE(exact != nullptr && low != nullptr);
  Workspace workspace;
  const std::vector<float> want = test_support::WaveformOf(exact->Run({.phonemes = "koe", .voice = voice}, workspace));
  const std::vector<float> got = test_support::WaveformOf(low->Run({.phonemes = "koe", .voice = voice}, workspace));
  ASSERT_FALSE(want.empty());
  EXPECT_TRUE(test_support::SameBits(got, want));
  EXPECT_LT(low->get().model().weight_bytes, exact->get().model().weight_bytes / 2);
}

TEST(PipelineMemoryTest, FastKeepsTheDurationsAndTheWaveform) {
  const std::vector<float> voice = test_support::RandomVoice();
  const auto exact = Make(Precision::kExact), fast = Make(Precision::kFast);
  ASSERT_TRUE(exact != nullptr && fast != nullptr);
  Workspace workspace;
  const auto exact_result = exact->Run({.phonemes = "koe", .voice = voice}, workspace);
  KOE_ASSERT_OK(exact_result);
  const std::vector<float> want = test_support::WaveformOf(exact_result);
  const std::vector<int32_t> durations(exact_result->durations.begin(), exact_result->durations.end());
  const auto fast_result = fast->Run({.phonemes = "koe", .voice = voice}, workspace);
  KOE_ASSERT_OK(fast_result);
  EXPECT_EQ(std::vector<int32_t>(fast_result->durations.begin(), fast_result->durations.end()), durations);
  const std::vector<float> got = test_support::WaveformOf(fast_result);
  EXPECT_GE(test_support::SnrDb(got, want), 75);
}

}  // namespace
}  // namespace koe::pipeline
