// SPDX-License-Identifier: Apache-2.0
// The committed weights, and the rules around them; training is tested beside tools/train_tagger.
#include "g2p/en/perceptron_tagger.h"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "g2p/en/grammar_rules.h"
#include "g2p/en/tokenizer.h"

namespace koe::g2p::en {
namespace {

const std::string& WeightsPath() {
  static const std::string path = std::string(KOE_SOURCE_DIR) + "/data/g2p/en.tagger";
  return path;
}

const Tagger& Shipped() {
  static const std::unique_ptr<Tagger> tagger = std::move(OpenTagger(WeightsPath()).value());
  return *tagger;
}

std::string TagsOf(std::string_view text) {
  std::vector<Token> tokens = Tokenize(text, {true});
  Shipped().TagTokens(tokens);
  std::string tags;
  for (const Token& token : tokens) tags += std::string(tags.empty() ? "" : " ") + TagName(token.tag);
  return tags;
}

std::string TagOf(std::string_view text, std::string_view word) {
  std::vector<Token> tokens = Tokenize(text, {true});
  Shipped().TagTokens(tokens);
  for (const Token& token : tokens) {
    if (token.text == word) return TagName(token.tag);
  }
  return "no such word";
}

TEST(PerceptronTagger, ShippedWeightsFitTwoMegabytes) {
  std::ifstream stream(WeightsPath(), std::ios::binary | std::ios::ate);
  EXPECT_LE(static_cast<int64_t>(stream.tellg()), 2000000);
}

// Sentences that are in no training data.
TEST(PerceptronTagger, TellsHomographsApart) {
  EXPECT_EQ(TagOf("They record each visitor.", "record"), "VBP");
  EXPECT_EQ(TagOf("Her record is spotless.", "record"), "NN");
  EXPECT_EQ(TagOf("Nobody thinks that he will come.", "that"), "IN");
  EXPECT_EQ(TagOf("I like that colour.", "that"), "DT");
  EXPECT_EQ(TagOf("They have read it twice.", "read"), "VBN");
  EXPECT_EQ(TagOf("I want to read it.", "read"), "VB");
  EXPECT_EQ(TagOf("Farmers produce milk.", "produce"), "VBP");
  EXPECT_EQ(TagOf("He did not refuse.", "refuse"), "VB");
}

TEST(PerceptronTagger, FollowsShapeAndGrammar) {
  EXPECT_EQ(TagsOf("the ... (\"the\") $5!"), "DT : -LRB- `` DT '' -RRB- $ CD .");
  EXPECT_EQ(TagOf("We met at 9 am on Monday.", "am"), "NN");
  EXPECT_EQ(TagOf("I am here.", "am"), "VBP");
  EXPECT_EQ(TagOf("She used to sing.", "used"), "VBD");
  EXPECT_EQ(TagOf("Take that.", "that"), "DT");
  EXPECT_EQ(TagOf("Plan A worked.", "A"), "NN");
  EXPECT_EQ(TagOf("A plan worked.", "A"), "DT");
}

// Capitals for emphasis or in a headline are not names.
TEST(PerceptronTagger, ReadsShoutedTextAsIfSmall) {
  EXPECT_EQ(TagsOf("THE DOG SAT IN THE GARDEN."), TagsOf("the dog sat in the garden."));
}

TEST(PerceptronTagger, TakesAnyTokens) {
  std::vector<Token> none;
  Shipped().TagTokens(none);
  std::vector<Token> odd(5);
  const std::string long_word(100000, 'x');
  odd[1].text = "\xE2\x80\x99";
  odd[2].text = long_word;
  odd[3].text = "\xF0\x9F\x98\x80";
  Shipped().TagTokens(odd);
  for (const Token& token : odd) EXPECT_NE(token.tag, Tag::kNone);
}

TEST(PerceptronTagger, ThreadsShareIt) {
  const std::string text = "They live where the live wires were, and I read that they object to it.";
  const std::string expected = TagsOf(text);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) wrong[t] += TagsOf(text) == expected ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

}  // namespace
}  // namespace koe::g2p::en
