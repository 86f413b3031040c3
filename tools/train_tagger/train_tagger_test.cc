// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include "corpus.h"
#include "dictionary_builder.h"
#include "g2p/en/tokenizer.h"
#include "g2p/tagger_file.h"
#include "training.h"

namespace koe::g2p::training {
namespace {

std::span<const std::byte> Bytes(const std::string& s) { return std::as_bytes(std::span(s)); }

std::string ReadFixture() {
  std::ifstream stream(std::string(KOE_SOURCE_DIR) + "/tools/train_tagger/testdata/sentences.tsv");
  std::ostringstream out;
  out << stream.rdbuf();
  return out.str();
}

TrainingOptions SmallOptions() {
  TrainingOptions options;
  options.passes = 10;
  options.dictionary.min_count = 1;
  options.dictionary.certain_count = 3;
  options.dropout = 0.5;
  return options;
}

std::string Train(const Corpus& corpus, const TrainingOptions& options) {
  auto file = TrainTagger(corpus, {}, {}, options, nullptr);
  EXPECT_TRUE(file) << file.error().message();
  return file ? *file : "";
}

const std::string& SmallFile() {
  static const std::string file = Train(ReadTaggedLines(ReadFixture()).value(), SmallOptions());
  return file;
}

std::string TagsOf(const Tagger& tagger, std::string_view text) {
  std::vector<Token> tokens = en::Tokenize(text, {true});
  tagger.TagTokens(tokens);
  std::string tags;
  for (const Token& token : tokens) tags += std::string(tags.empty() ? "" : " ") + TagName(token.tag);
  return tags;
}

TEST(TrainTagger, LearnsItsFixture) {
  const auto tagger = OpenTagger(Bytes(SmallFile()));
  ASSERT_TRUE(tagger) << tagger.error().message();
  EXPECT_EQ(TagsOf(**tagger, "They record it every week."), "PRP VBP PRP DT NN .");
  EXPECT_EQ(TagsOf(**tagger, "The record was broken."), "DT NN VBD VBN .");
  EXPECT_EQ(TagsOf(**tagger, "She knows that song."), "PRP VBZ DT NN .");
  EXPECT_EQ(TagsOf(**tagger, "I think that she knows him."), "PRP VBP IN PRP VBZ PRP .");
}

TEST(TrainTagger, CarriesOverToNewSentences) {
  const auto tagger = OpenTagger(Bytes(SmallFile()));
  ASSERT_TRUE(tagger);
  EXPECT_EQ(TagsOf(**tagger, "He wants to use the boat."), "PRP VBZ TO VB DT NN .");
  EXPECT_EQ(TagsOf(**tagger, "THE RECORD WAS BROKEN."), "DT NN VBD VBN .");
}

TEST(TrainTagger, GivesEqualBytesForEqualInput) {
  const std::string again = Train(ReadTaggedLines(ReadFixture()).value(), SmallOptions());
  EXPECT_EQ(again, SmallFile());
  TrainingOptions other = SmallOptions();
  other.seed = 2;
  EXPECT_NE(Train(ReadTaggedLines(ReadFixture()).value(), other), SmallFile());
}

TEST(TrainTagger, KeepsToTheSizeAskedFor) {
  TrainingOptions options = SmallOptions();
  options.max_bytes = 6000;
  const std::string small = Train(ReadTaggedLines(ReadFixture()).value(), options);
  EXPECT_LE(small.size(), 6000u);
  EXPECT_LT(small.size(), SmallFile().size());
  EXPECT_TRUE(OpenTagger(Bytes(small)));
}

TEST(Corpus, CutsAsTheFrontEndDoes) {
  const auto corpus = ReadTaggedLines(ReadFixture());
  ASSERT_TRUE(corpus);
  ASSERT_EQ(corpus->size(), 20u);
  const auto tags = [&](size_t sentence) {
    std::string all;
    for (const Token& token : (*corpus)[sentence].tokens) {
      all += std::string(token.text) + "/" + TagName(token.tag) + " ";
    }
    return all;
  };
  EXPECT_EQ(tags(14), "He/PRP does/VBZ n't/RB use/VB it/PRP ./. ");
  EXPECT_EQ(tags(10), "The/DT shop/NN is/VBZ close/JJ to/IN the/DT sea/NN ./. ") << "to without a verb";
  EXPECT_EQ(tags(16), "A/DT high/ -/HYPH rise/ stands/VBZ there/RB ./. ") << "the tag is the compound's";
  EXPECT_EQ(tags(17), "Anna/NNP paid/VBD $/$ 5/CD on/IN Friday/NNP ./. ");
  EXPECT_EQ(tags(18), "Write/VB to/IN anna@example.org/ADD today/NN ./. ");
  EXPECT_EQ(tags(19), "It/PRP is/VBZ non/AFX -/HYPH linear/JJ ./. ");
}

TEST(Corpus, NamesBadLines) {
  const auto corpus = ReadTaggedLines("The\tDT\ncat NN\n");
  ASSERT_FALSE(corpus);
  EXPECT_NE(corpus.error().message().find("line 2"), std::string::npos) << corpus.error().message();
  EXPECT_FALSE(ReadTrace("{\"id\": \"x\"}\n"));
  EXPECT_FALSE(ReadTrace("not json\n"));
}

TEST(Corpus, ReadsATraceOnceForBothAccents) {
  const std::string row = R"("tokens": [["I", "PRP", " "], ["read", "VBD", ""], [".", ".", ""]]})";
  const auto corpus = ReadTrace("{\"id\": \"s1-us\", " + row + "\n{\"id\": \"s1-gb\", " + row + "\n");
  ASSERT_TRUE(corpus) << corpus.error().message();
  ASSERT_EQ(corpus->size(), 1u);
  EXPECT_EQ((*corpus)[0].text, "I read.");
  EXPECT_EQ((*corpus)[0].tokens[1].text, "read");
  EXPECT_EQ((*corpus)[0].tokens[1].tag, Tag::kVBD);
}

TEST(PerceptronTagger, RefusesWhatIsCut) {
  const std::string& good = SmallFile();
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(OpenTagger(Bytes(good).first(size))) << size;
}

// Whatever a damaged file holds, tagging ends and every tag is one of the file's.
TEST(PerceptronTagger, SurvivesAnyByteOfAConsistentFile) {
  TrainingOptions options = SmallOptions();
  options.max_bytes = 6000;
  const std::string good = Train(ReadTaggedLines(ReadFixture()).value(), options);
  size_t num_opened = 0;
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (i % 3 == 0 ? 0xFF : 0x01));
    const uint64_t checksum = tagger_file::Checksum(Bytes(bad).subspan(tagger_file::kHeaderBytes));
    std::memcpy(bad.data() + tagger_file::kChecksumAt, &checksum, 8);
    const auto tagger = OpenTagger(Bytes(bad));
    if (!tagger) continue;
    ++num_opened;
    std::vector<Token> tokens = en::Tokenize("They use that record in a live show, don't they?", {true});
    (*tagger)->TagTokens(tokens);
    for (const Token& token : tokens) EXPECT_NE(token.tag, Tag::kNone) << i;
  }
  EXPECT_GT(num_opened, good.size() / 2) << "weights and tables are most of the file";
}

}  // namespace
}  // namespace koe::g2p::training
