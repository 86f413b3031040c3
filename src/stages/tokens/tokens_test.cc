// SPDX-License-Identifier: Apache-2.0
#include "stages/tokens/tokens.h"

#include <gmock/gmock.h>

#include <string>

#include "support/synthetic_test_fixture.h"

namespace koe::stages {
namespace {

class TokensTest : public testing::Test {
 protected:
  static std::optional<int32_t> Lookup(char32_t symbol) {
    if (symbol == U'a') return 43;
    if (symbol == U'\u0259') return 83;
    if (symbol == U'\U0001F600') return 7;
    return std::nullopt;
  }
  Result<Tokens::Output> Run(const std::string& phonemes) {
    test_support::Machine machine(test_support::BestKernels(), 1);
    return MakeTokensCpu(Lookup)->Run({phonemes}, machine.context());
  }
};

TEST_F(TokensTest, PutsABoundaryTokenAtBothEnds) {
  const auto output = Run("a\u0259\U0001F600a");
  KOE_ASSERT_OK(output);
  EXPECT_THAT(output->token_ids, testing::ElementsAre(0, 43, 83, 7, 43, 0));
  EXPECT_EQ(output->num_symbols, 4u);
  EXPECT_EQ(output->dropped_symbols, 0u);
}

TEST_F(TokensTest, UnknownSymbolsAreDroppedAndCounted) {
  const auto output = Run("?a\u2192?a");
  KOE_ASSERT_OK(output);
  EXPECT_THAT(output->token_ids, testing::ElementsAre(0, 43, 43, 0));
  EXPECT_EQ(output->num_symbols, 5u);
  EXPECT_EQ(output->dropped_symbols, 3u);
}

TEST_F(TokensTest, TakesAsManySymbolsAsAlbertHasPositions) {
  std::string phonemes;
  for (int i = 0; i < 510; ++i) phonemes += "\u0259";
  const auto output = Run(phonemes);
  KOE_ASSERT_OK(output);
  EXPECT_EQ(output->token_ids.size(), 512u);
  EXPECT_EQ(output->num_symbols, 510u);

  const auto too_long = Run(phonemes + "?");  // an unknown symbol counts
  KOE_EXPECT_ERROR(too_long, ErrorCode::kTooLong);
  EXPECT_THAT(too_long.error().message(), testing::HasSubstr("511"));
  EXPECT_THAT(too_long.error().message(), testing::HasSubstr("510"));
}

TEST_F(TokensTest, NothingToSpeakIsAnError) {
  KOE_EXPECT_ERROR(Run(""), ErrorCode::kInvalidArgument);
  const auto unknown = Run("?!");
  KOE_EXPECT_ERROR(unknown, ErrorCode::kInvalidArgument);
  EXPECT_THAT(unknown.error().message(), testing::HasSubstr("'?!'"));
}

TEST_F(TokensTest, IllFormedTextIsAnErrorThatNamesTheByte) {
  for (const std::string bad : {"aa\xff", "aa\xc9", "aa\xed\xa0\x80", "aa\xc0\x80"}) {
    const auto output = Run(bad);
    KOE_EXPECT_ERROR(output, ErrorCode::kInvalidArgument);
    EXPECT_THAT(output.error().message(), testing::HasSubstr("byte 2"));
  }
}

}  // namespace
}  // namespace koe::stages
