// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/spacy_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>

#include "base/array.h"
#include "g2p/en/tokenizer.h"

namespace koe::g2p::en {
namespace {

using testing::ElementsAre;

// Identifiers as spaCy 3.8.18 prints them.
TEST(SpacyFeatures, HashesStringsAsSpacyDoes) {
  EXPECT_EQ(HashString("ai"), 4489555979637837711U);
  EXPECT_EQ(HashString("x\u2019x"), 6415657131683920182U);  // a tail of 5 bytes
  EXPECT_EQ(HashString("because"), 16950148841647037698U);
  EXPECT_EQ(HashString("n't"), HashString(std::string("n't")));
  EXPECT_NE(HashString("eight by"), HashString("eight bz"));  // exactly one word
}

TEST(SpacyFeatures, HashesIdentifiersAsThincDoes) {
  // thinc.api.NumpyOps().hash(numpy.array([identifier], dtype="uint64"), seed)
  EXPECT_THAT(HashIdentifier(0, 8), ElementsAre(0U, 0U, 0U, 0U));
  EXPECT_THAT(HashIdentifier(1, 8), ElementsAre(1161550108U, 2247783286U, 1742325162U, 1224191281U));
  EXPECT_THAT(HashIdentifier(4489555979637837711U, 13), ElementsAre(312551262U, 4196984188U, 597650501U, 1968213352U));
}

TEST(SpacyFeatures, Shapes) {
  const std::map<std::string, std::string> shapes = {
      {"Apple", "Xxxxx"},
      {"apples", "xxxx"},
      {"U.S.", "X.X."},
      {"20245", "dddd"},
      {"x2", "xd"},
      {"\u00C9t\u00E9", "Xxx"},
      {"\u00B2\u0663", "dd"},  // superscript, Arabic-Indic
      {"\u2014", "\u2014"},
      {"!!!!!!", "!!!!"},
      {"aaaaAAAAA", "xxxxXXXX"},
      {std::string(99, 'a'), "xxxx"},
      {std::string(100, 'a'), "LONG"},
  };
  for (const auto& [text, shape] : shapes) EXPECT_EQ(WordShape(text), shape) << text;
  std::string accents;
  for (int i = 0; i < 99; ++i) accents += "\u00E9";  // 198 bytes, 99 characters
  EXPECT_EQ(WordShape(accents), "xxxx");
  EXPECT_EQ(WordShape(accents + "e"), "LONG");
}

class SpacyStringsTest : public testing::Test {
 protected:
  static std::string Words(std::initializer_list<uint64_t> words) {
    return std::string(reinterpret_cast<const char*>(words.begin()), words.size() * sizeof(uint64_t));
  }
  static Result<SpacyStrings> Open(const std::string& strings, const std::string& norms, const std::string& token_norms,
                                   AlignedBuffer<char>* bytes) {
    const std::vector<TaggerSection> sections = {{"strings", strings}, {"norms", norms}, {"token_norms", token_norms}};
    const auto written = WriteTaggerFile(TaggerKind::kNetwork, sections);
    *bytes = AlignedBuffer<char>(written->size());
    std::memcpy(bytes->data(), written->data(), written->size());
    KOE_TRY(const TaggerFile file, TaggerFile::Open(std::as_bytes(bytes->span())));
    return SpacyStrings::Open(file);
  }
  AlignedBuffer<char> bytes_;
};

TEST_F(SpacyStringsTest, NormsFollowSpacysOrder) {
  const uint64_t euro = HashString("\u20AC"), dollar = HashString("$"), mark = 423;
  const uint64_t let = HashString("let"), s = HashString("'s"), us = HashString("us");
  const uint64_t maam = HashString("ma'am"), madam = HashString("madam"), kAlone = uint64_t{1} << 63;

  const auto strings = Open(Words({HashString("mark"), mark}), Words({euro, dollar}),
                            Words({2, let, s, 0, us, kAlone | 1, maam, madam}), &bytes_);
  ASSERT_TRUE(strings.has_value()) << strings.error().message();
  EXPECT_EQ(strings->Identifier("mark"), mark);
  EXPECT_EQ(strings->Identifier(""), 0U);
  const auto norms_of = [&](const char* text) { return strings->Norms(Tokenize(text, {true})); };
  EXPECT_THAT(norms_of("Mark \u20AC"), ElementsAre(mark, dollar));
  EXPECT_THAT(norms_of("let's"), ElementsAre(let, us));
  EXPECT_THAT(norms_of("\"let's\""), ElementsAre(HashString("\""), let, us, HashString("\"")));
  EXPECT_THAT(norms_of("let 's"), ElementsAre(let, s));
  EXPECT_THAT(norms_of("x-let's"), ElementsAre(HashString("x"), HashString("-"), let, us));
  EXPECT_THAT(norms_of("(ma'am)"), ElementsAre(HashString("("), madam, HashString(")")));
  EXPECT_THAT(norms_of("ma'am's"), ElementsAre(madam, s));
  EXPECT_THAT(norms_of("yes-ma'am"), ElementsAre(HashString("yes"), HashString("-"), maam));
  EXPECT_THAT(norms_of("ma'am-yes ma'am"), ElementsAre(maam, HashString("-"), HashString("yes"), madam));
}

TEST_F(SpacyStringsTest, RefusesBrokenTables) {
  const std::string good = Words({1, 2}), none;
  EXPECT_TRUE(Open(good, good, none, &bytes_).has_value());
  EXPECT_FALSE(Open(Words({1}), good, none, &bytes_).has_value());            // half a pair
  EXPECT_FALSE(Open(good, Words({2, 1, 1, 1}), none, &bytes_).has_value());   // descending
  EXPECT_FALSE(Open(good, Words({1, 1, 1, 2}), none, &bytes_).has_value());   // twice
  EXPECT_FALSE(Open(good, good, Words({0}), &bytes_).has_value());            // no tokens
  EXPECT_FALSE(Open(good, good, Words({2, 1, 1, 1}), &bytes_).has_value());   // one norm missing
  EXPECT_FALSE(Open(good, good, Words({~0ULL, 1, 1}), &bytes_).has_value());  // overflow
}

TEST(SpacyFeatures, AttributesOfTokens) {
  const SpacyStrings strings;
  const std::vector<Token> tokens = Tokenize("\u00C9tudes  x", {true});
  ASSERT_EQ(tokens.size(), 3U);
  const auto of = [&](SpacyAttribute attribute, size_t i) { return AttributeOf(attribute, tokens[i], 7, strings); };
  EXPECT_EQ(of(SpacyAttribute::kNorm, 0), 7U);
  EXPECT_EQ(of(SpacyAttribute::kPrefix, 0), HashString("\u00C9"));
  EXPECT_EQ(of(SpacyAttribute::kSuffix, 0), HashString("des"));
  EXPECT_EQ(of(SpacyAttribute::kSuffix, 2), HashString("x"));
  EXPECT_EQ(of(SpacyAttribute::kShape, 0), HashString("Xxxxx"));
  EXPECT_EQ(of(SpacyAttribute::kSpaceAfter, 0), 1U);
  EXPECT_EQ(of(SpacyAttribute::kSpaceAfter, 2), 0U);
  EXPECT_EQ(of(SpacyAttribute::kIsSpace, 0), 0U);
  EXPECT_EQ(of(SpacyAttribute::kIsSpace, 1), 1U);
}

}  // namespace
}  // namespace koe::g2p::en
