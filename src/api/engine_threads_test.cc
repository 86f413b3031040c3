// SPDX-License-Identifier: Apache-2.0
// Callers that share one engine, from its first call on: loading, workspaces, the pool. Also run under ThreadSanitizer,
// so the phonemes are few.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "koe/koe.h"
#include "support/model.h"

namespace koe {
namespace {

TEST(EngineThreadsTest, CallersLoadAndShareTheModel) {
  if (!ReadBundle(test_support::BundlePath()).has_value())
    GTEST_SKIP() << "no bundle at " << test_support::BundlePath();
  EngineOptions options;
  options.num_threads = 2;
  const auto engine = Engine::Open(test_support::BundlePath(), options);
  ASSERT_TRUE(engine.has_value()) << engine.error().message();
  SynthesisOptions speech;
  speech.input_is_phonemes = true;
  speech.speed = 4;
  std::vector<Result<Audio>> audio(2, Error(ErrorCode::kInternal, "not run"));
  std::vector<std::thread> callers;
  for (auto& mine : audio) {
    callers.emplace_back([&] {
      mine = engine->Synthesize("a", speech);
      EXPECT_TRUE(engine->Phonemize("Hello.", Language::kAmericanEnglish).has_value());
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const auto& mine : audio) ASSERT_TRUE(mine.has_value()) << mine.error().message();
  EXPECT_EQ(audio[0]->samples, audio[1]->samples);
  EXPECT_FALSE(audio[0]->samples.empty());
}

}  // namespace
}  // namespace koe
