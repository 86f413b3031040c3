// SPDX-License-Identifier: Apache-2.0
// What docs/g2p_en.md lists as misaki's faults, with and without them.
#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "g2p/g2p.h"
#include "g2p/lexicon.h"
#include "g2p/tagger.h"

namespace koe::g2p {
namespace {

class FixedTags : public Tagger {
 public:
  explicit FixedTags(std::vector<Tag> tags) : tags_(std::move(tags)) {}
  void TagTokens(std::span<Token> tokens) const override {
    ASSERT_EQ(tokens.size(), tags_.size());
    for (size_t i = 0; i < tokens.size(); ++i) tokens[i].tag = tags_[i];
  }

 private:
  std::vector<Tag> tags_;
};

class NoFallback : public Fallback {
 public:
  std::optional<Pronunciation> Pronounce(std::string_view) const override {
    return Pronunciation{"?", Source::kEspeak, 1};
  }
};

class MisakiQuirks : public testing::Test {
 protected:
  void SetUp() override {
    auto blob = CompileLexicon(
        R"({"one": "wˈʌn", "two": "tˈu", "five": "fˈIv", "six": "sˈɪks", "fifty": "fˈɪfti", "twenty": "twˈɛnti",
            "first": "fˈɜɹst", "and": "ænd", "point": "pˈYnt", "dollar": "dˈɑləɹ", "cent": "sˈɛnt", "cat": "kˈæt", "plus": "plˈʌs",
            "was": "wˈʌz", "wasn't": "wˈʌzᵊnt", "S": "ˈɛs", "T": "tˈi", "A": "ˈA", "B": "bˈi", "X": "ˈɛks"})",
        "{}");
    ASSERT_TRUE(blob) << blob.error().message();
    blob_ = std::move(*blob);
  }
  std::string Speak(bool misaki_quirks, const std::string& text, std::vector<Tag> tags) {
    EnglishOptions options;
    options.misaki_quirks = misaki_quirks;
    options.tagger = std::make_shared<FixedTags>(std::move(tags));
    options.fallback = std::make_shared<NoFallback>();
    const auto g2p = EnglishG2P::Open(std::as_bytes(std::span(blob_)), Language::kAmericanEnglish, options);
    if (!g2p) return g2p.error().message();
    const auto result = g2p->Phonemize(text);
    return result ? result->phonemes : result.error().message();
  }
  std::string blob_;
};

TEST_F(MisakiQuirks, WhiteSpaceLosesTheNextWord) {
  EXPECT_EQ(Speak(true, "cat  cat", {Tag::kNN, Tag::kSP, Tag::kNN}), "kˈæt ?");
  EXPECT_EQ(Speak(false, "cat  cat", {Tag::kNN, Tag::kNN}), "kˈæt kˈæt");
}

TEST_F(MisakiQuirks, OneDecimalOfMoney) {
  EXPECT_EQ(Speak(true, "$1.5", {Tag::kDollar, Tag::kCD}), "wˈʌn dˈɑləɹ ænd fˈIv sˈɛnts");
  EXPECT_EQ(Speak(false, "$1.5", {Tag::kDollar, Tag::kCD}), "wˈʌn dˈɑləɹ ænd fˈɪfti sˈɛnts");
}

TEST_F(MisakiQuirks, ThreeDecimalsLoseTheUnit) {
  EXPECT_EQ(Speak(true, "$1.562", {Tag::kDollar, Tag::kCD}), "wˈʌn pYnt fˈIv sˈɪks tˈu");
  EXPECT_EQ(Speak(false, "$1.562", {Tag::kDollar, Tag::kCD}), "wˈʌn pYnt fˈIv sˈɪks tˈu dˈɑləɹz");
}

TEST_F(MisakiQuirks, MoneyGoesOnBehindAComma) {
  const std::vector<Tag> tags = {Tag::kDollar, Tag::kCD, Tag::kComma, Tag::kCD};
  EXPECT_EQ(Speak(true, "$5, 6", tags), "fˈIv dˈɑləɹz, sˈɪks dˈɑləɹz");
  EXPECT_EQ(Speak(false, "$5, 6", tags), "fˈIv dˈɑləɹz, sˈɪks");
}

TEST_F(MisakiQuirks, WordsTaggedAsPunctuationAreLost) {
  const std::vector<Tag> tags = {Tag::kNN, Tag::kCloseQuote};
  EXPECT_EQ(Speak(true, "cat caf\u00E9", tags), "kˈæt ”");
  EXPECT_EQ(Speak(false, "cat caf\u00E9", tags), "kˈæt ?");
  EXPECT_EQ(Speak(false, "cat \u2019", tags), "kˈæt ”");
}

TEST_F(MisakiQuirks, CurlyNegationTaggedAsAQuotationMark) {
  const std::vector<Tag> tags = {Tag::kVBD, Tag::kCloseQuote};
  EXPECT_EQ(Speak(true, "wasn\u2019t", tags), "wˈʌz”");
  EXPECT_EQ(Speak(false, "wasn\u2019t", tags), "wˈʌzᵊnt");
}

TEST_F(MisakiQuirks, FeaturesMoveBehindATokenOfTwoWords) {
  // "x" + "cat" is one token in two words of the markup.
  const std::vector<Tag> tags = {Tag::kNN, Tag::kNN, Tag::kNN};
  EXPECT_EQ(Speak(true, "x[cat](1) [cat](/a/) cat", tags), "? kˈæt a");
  EXPECT_EQ(Speak(false, "x[cat](1) [cat](/a/) cat", tags), "? a kˈæt");
}

TEST_F(MisakiQuirks, TwoWordsInOneToken) {
  EXPECT_EQ(Speak(true, "[cat](/a/)[cat](/b/) cat", {Tag::kNN, Tag::kNN}), "a b");
  EXPECT_EQ(Speak(false, "[cat](/a/)[cat](/b/) cat", {Tag::kNN, Tag::kNN}), "ab kˈæt");
}

TEST_F(MisakiQuirks, OrdinalsInCapitals) {
  EXPECT_EQ(Speak(true, "21ST", {Tag::kJJ}), "twˈɛnti wˈʌn ˌɛstˈi");
  EXPECT_EQ(Speak(false, "21ST", {Tag::kJJ}), "twˈɛnti fˈɜɹst");
}

TEST_F(MisakiQuirks, SymbolsBeforeAnApostropheAreLost) {
  const std::vector<Tag> tags = {Tag::kNN, Tag::kSYM, Tag::kSYM};
  EXPECT_EQ(Speak(true, "cat +\u2019", tags), "kˈæt");
  EXPECT_EQ(Speak(false, "cat +\u2019", tags), "kˈæt plˈʌs");
}

TEST_F(MisakiQuirks, DecimalsBeyondADouble) {
  EXPECT_EQ(Speak(true, "1.5000000000000000001", {Tag::kCD}), "wˈʌn pYnt fˈIv");
  EXPECT_TRUE(Speak(false, "1.6222222222222222221", {Tag::kCD}).ends_with("tˈu wˈʌn"));
}

}  // namespace
}  // namespace koe::g2p
