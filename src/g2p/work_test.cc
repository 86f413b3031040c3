// SPDX-License-Identifier: Apache-2.0
// The front end does work in proportion to the text, whatever the text. Work is counted, not timed: this program holds
// the front end compiled to report every basic block it enters.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "g2p/g2p.h"
#include "g2p/testing/small_lexicon.h"

namespace {

uint64_t num_blocks = 0;

}  // namespace

extern "C" void __sanitizer_cov_trace_pc() { ++num_blocks; }

namespace koe::g2p {
namespace {

struct Hostile {
  const char* unit;
  bool at_length;  // also with 1 MB
};
class WorkTest : public testing::TestWithParam<Hostile> {};

// Basic blocks for each byte of a text of that size.
double WorkPerByte(const EnglishG2P& g2p, const char* unit, size_t size) {
  std::string text;
  while (text.size() < size) text += unit;
  const uint64_t before = num_blocks;
  EXPECT_TRUE(g2p.PhonemizeEach(text, nullptr, [](const PhonemePart&) -> Result<void> { return {}; }));
  return static_cast<double>(num_blocks - before) / static_cast<double>(text.size());
}

// Within one part, and over many. Quadratic work would be 8 and 10 times as much a byte; the factors leave room for
// limits on the way (a longest number, key or address) that small texts do not reach.
void CheckGrowth(const EnglishG2P& g2p, const char* unit, bool at_length) {
  ASSERT_TRUE(g2p.Phonemize("Tables that are made once: 1999, $5."));
  const double small = WorkPerByte(g2p, unit, 2048), part = WorkPerByte(g2p, unit, 16384);
  testing::Test::RecordProperty("blocks_per_byte", std::to_string(part));
  EXPECT_GT(small, 1);  // something is counted
  EXPECT_LE(part, 2 * small);
  if (!at_length) return;
  const double many = WorkPerByte(g2p, unit, 100'000);
  EXPECT_LE(many, 2 * small);
  EXPECT_LE(WorkPerByte(g2p, unit, 1'000'000), 1.1 * many);
}

TEST_P(WorkTest, GrowsAsTheText) {
  const auto blob = SmallLexicon();
  ASSERT_TRUE(blob);
  const auto g2p = EnglishG2P::Open(std::as_bytes(std::span(*blob)), Language::kAmericanEnglish);
  ASSERT_TRUE(g2p);
  CheckGrowth(*g2p, GetParam().unit, GetParam().at_length);
}

// A tagger that knows no punctuation makes one group of all that has no white space in it.
class NounTagger : public Tagger {
 public:
  void TagTokens(std::span<Token> tokens) const override {
    for (Token& token : tokens) token.tag = Tag::kNN;
  }
};

TEST_P(WorkTest, GrowsAsTheTextWhateverTheTags) {
  const auto blob = SmallLexicon();
  ASSERT_TRUE(blob);
  EnglishOptions options;
  options.tagger = std::make_shared<NounTagger>();
  const auto g2p = EnglishG2P::Open(std::as_bytes(std::span(*blob)), Language::kAmericanEnglish, options);
  ASSERT_TRUE(g2p);
  CheckGrowth(*g2p, GetParam().unit, false);
}

constexpr Hostile kHostile[] = {{"[", true},
                                {"a", true},
                                {"'", true},
                                {"7", true},
                                {"-", true},
                                {".", true},
                                {"$1", true},
                                {" ", true},
                                {"\u0301", true},
                                {"a'", true},
                                {"http://", true},
                                {"\U0001F600", true},
                                {"1a", false},
                                {"aA", false},
                                {"a.", false},
                                {"AB.C", false},
                                {"\u00E9\u00B2", false},
                                {",", false},
                                {".,", false},
                                {"[a](", false},
                                {"read ", false},
                                {"1.,", false},
                                {"://@a.", false},
                                {"@", false},
                                {"\r", false},
                                {"\n", false},
                                {"\x01", false},
                                {"a\u0301", false},
                                {"[a](1)", false},
                                {"(\" ", false},
                                {"that use ", false}};
INSTANTIATE_TEST_SUITE_P(Hostile, WorkTest, testing::ValuesIn(kHostile));

}  // namespace
}  // namespace koe::g2p
