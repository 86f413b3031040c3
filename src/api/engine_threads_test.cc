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

TEST(EngineThreadsTest, EightCallersLoadAndShareTheModel) {
  if (!ReadBundle(test_support::BundlePath()).has_value())
    GTEST_SKIP() << "no bundle at " << test_support::BundlePath();
  EngineOptions options;
  options.num_threads = 2;
  const auto engine = Engine::Open(test_support::BundlePath(), options);
  ASSERT_TRUE(engine.has_value()) << engine.error().message();
  SynthesisOptions speech;
  speech.input_is_phonemes = true;
  speech.speed = 4;
  std::vector<Result<Audio>> audio(8, Error(ErrorCode::kInternal, "not run"));
  std::vector<std::thread> callers;
  for (auto& mine : audio) {
    callers.emplace_back([&] {
      mine = engine->Synthesize("a", speech);
      EXPECT_TRUE(engine->Phonemize("Hello.", Language::kAmericanEnglish).has_value());
    });
  }
  for (std::thread& caller : callers) caller.join();
  const auto alone = engine->Synthesize("a", speech);
  ASSERT_TRUE(alone.has_value()) << alone.error().message();
  EXPECT_FALSE(alone->samples.empty());
  for (const auto& mine : audio) {
    ASSERT_TRUE(mine.has_value()) << mine.error().message();
    EXPECT_EQ(mine->samples, alone->samples);
  }
}

TEST(EngineThreadsTest, StreamsPushAndPullAtTheSameTime) {
  if (!ReadBundle(test_support::BundlePath()).has_value())
    GTEST_SKIP() << "no bundle at " << test_support::BundlePath();
  EngineOptions options;
  options.num_threads = 2;
  const auto engine = Engine::Open(test_support::BundlePath(), options);
  ASSERT_TRUE(engine.has_value()) << engine.error().message();
  SynthesisOptions speech;
  speech.speed = 4;
  auto stream = engine->OpenStream(speech);
  ASSERT_TRUE(stream.has_value()) << stream.error().message();
  std::thread writer([&] {
    for (const char* text : {"A", ". B", ". C."}) EXPECT_TRUE(stream->Push(text).has_value());
    EXPECT_TRUE(stream->Finish().has_value());
  });
  std::thread watcher([&] {
    EXPECT_TRUE(stream->Peek().has_value());
    EXPECT_GE(stream->Statistics().num_chunks + stream->Sentences().size(), 0u);
  });
  size_t samples = 0;
  while (true) {
    const auto next = stream->Next();
    ASSERT_TRUE(next.has_value()) << next.error().message();
    if (!*next) break;
    samples += (*next)->samples.size();
  }
  writer.join();
  watcher.join();
  EXPECT_GT(samples, 0u);
  auto left = engine->OpenStream("A. B. C.", speech);  // and it goes while it is being made
  ASSERT_TRUE(left.has_value());
}

}  // namespace
}  // namespace koe
