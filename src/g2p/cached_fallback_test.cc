// SPDX-License-Identifier: Apache-2.0
#include "g2p/cached_fallback.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace koe::g2p {
namespace {

// Says the text backwards; has nothing to say of what starts with a digit.
class Reverser : public Fallback {
 public:
  std::optional<Pronunciation> Pronounce(std::string_view text) const override {
    ++num_calls;
    if (text.starts_with('1')) return std::nullopt;
    return Pronunciation{std::string(text.rbegin(), text.rend()), Source::kNeural, 0.5f};
  }
  mutable std::atomic<size_t> num_calls{0};
};

TEST(CachedFallback, AsksOnceForAWord) {
  const auto reverser = std::make_shared<Reverser>();
  const CachedFallback cached(reverser);
  for (int i = 0; i < 3; ++i) {
    const auto said = cached.Pronounce("abc");
    ASSERT_TRUE(said);
    EXPECT_EQ(said->phonemes, "cba");
    EXPECT_EQ(said->source, Source::kNeural);
    EXPECT_EQ(said->confidence, 0.5f);
    EXPECT_FALSE(cached.Pronounce("1abc"));
  }
  EXPECT_EQ(reverser->num_calls, 2u);
}

TEST(CachedFallback, KeepsNoLongWords) {
  const auto reverser = std::make_shared<Reverser>();
  const CachedFallback cached(reverser);
  const std::string longest(CachedFallback::kMaxTextBytes, 'a'), longer = longest + "a";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(cached.Pronounce(longest)->phonemes, longest);
    EXPECT_EQ(cached.Pronounce(longer)->phonemes, longer);
    EXPECT_EQ(cached.Pronounce("")->phonemes, "");
  }
  EXPECT_EQ(reverser->num_calls, 1u + 3 + 3);
}

TEST(CachedFallback, AnswersRightWithMoreWordsThanItKeepsAndManyThreads) {
  const auto reverser = std::make_shared<Reverser>();
  const CachedFallback cached(reverser);
  std::vector<std::thread> threads;
  std::atomic<size_t> num_wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (size_t i = 0; i < 2 * CachedFallback::kMaxWords; ++i) {
        const std::string word = "w" + std::to_string(i), reversed(word.rbegin(), word.rend());
        if (cached.Pronounce(word)->phonemes != reversed) ++num_wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_wrong, 0u);
  EXPECT_LE(reverser->num_calls, 4 * 2 * CachedFallback::kMaxWords);
}

}  // namespace
}  // namespace koe::g2p
