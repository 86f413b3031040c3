// SPDX-License-Identifier: Apache-2.0
// The whole pipeline on several threads and by several callers; small enough for ThreadSanitizer.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/synthetic_synthesizer.h"

namespace koe::pipeline {
namespace {

using test_support::SyntheticSynthesizer;

TEST(PipelineThreadsTest, TheSameBitsOn1And2And4Threads) {
  const std::vector<float> voice = test_support::RandomVoice();
  std::vector<float> first;
  for (const size_t num_threads : {1, 2, 4}) {
    const auto made =
        SyntheticSynthesizer::Make(test_support::SharedSyntheticWeights(), test_support::BestKernels(), num_threads);
    KOE_ASSERT_OK(made);
    Workspace workspace;
    const std::vector<float> waveform =
        test_support::WaveformOf((*made)->Run({.phonemes = "a", .voice = voice}, workspace));
    ASSERT_FALSE(waveform.empty());
    if (first.empty()) first = waveform;
    EXPECT_TRUE(test_support::SameBits(waveform, first)) << num_threads << " threads";
  }
}

// One model and one pool serve several callers, each with a workspace of its own.
TEST(PipelineThreadsTest, CallersDoNotDisturbEachOther) {
  const auto made = SyntheticSynthesizer::Make(test_support::SharedSyntheticWeights(), test_support::BestKernels(), 3);
  KOE_ASSERT_OK(made);
  const std::vector<float> voice = test_support::RandomVoice();
  const std::vector<std::string> phonemes = {"a", "z"};
  std::vector<std::vector<float>> alone(2), together(2);
  for (size_t i = 0; i < 2; ++i) {
    Workspace workspace;
    alone[i] = test_support::WaveformOf((*made)->Run({.phonemes = phonemes[i], .voice = voice}, workspace));
    ASSERT_FALSE(alone[i].empty());
  }
  std::vector<std::thread> callers;
  for (size_t i = 0; i < 2; ++i) {
    callers.emplace_back([&, i] {
      Workspace workspace;
      together[i] = test_support::WaveformOf((*made)->Run({.phonemes = phonemes[i], .voice = voice}, workspace));
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(test_support::SameBits(together[i], alone[i]));
}

// The flag is set while the stages run; whatever it meets, the run ends with the error or whole.
TEST(PipelineThreadsTest, CancelsFromAnotherThread) {
  const auto made = SyntheticSynthesizer::Make(test_support::SharedSyntheticWeights(), test_support::BestKernels(), 2);
  KOE_ASSERT_OK(made);
  const std::vector<float> voice = test_support::RandomVoice();
  std::atomic<bool> started{false};
  std::thread other([&] {
    while (!started.load()) std::this_thread::yield();
    (*made)->cancelled = true;
  });
  Workspace workspace;
  const auto result = (*made)->Run({.phonemes = "abcdef", .voice = voice}, workspace,
                                   [&](StageId stage, double) { started = started || stage == StageId::kDecoder; });
  other.join();
  EXPECT_TRUE(result.has_value() || result.error().code() == ErrorCode::kCancelled);
}

}  // namespace
}  // namespace koe::pipeline
