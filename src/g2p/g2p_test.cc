// SPDX-License-Identifier: Apache-2.0
#include "g2p/g2p.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <string>

#include "base/utf8.h"
#include "g2p/chunker.h"
#include "g2p/lexicon.h"

namespace koe::g2p {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream out;
  out << stream.rdbuf();
  return out.str();
}

// A few words, the letters and the units: enough for every kind of rule, always there.
std::string SmallGold() {
  std::string json = R"({"the": "ðə", "to": "tˈu", "am": "æm", "and": "ænd", "hello": "həlˈO", "world": "wˈɜɹld",
    "cat": "kˈæt", "is": "ɪz", "apple": "ˈæpᵊl", "one": "wˈʌn", "two": "tˈu", "five": "fˈIv", "twenty": "twˈɛnti",
    "point": "pˈYnt", "minus": "mˈInəs", "dollar": "dˈɑləɹ", "cent": "sˈɛnt", "million": "mˈɪljən", "walk": "wˈɔk",
    "percent": "pəɹsˈɛnt", "record": {"DEFAULT": "ɹˈɛkəɹd", "VERB": "ɹəkˈɔɹd"}, "used": {"DEFAULT": "jˈuzd", "VBD": "jˈust"})";
  const char* letters[] = {"ˈA",  "bˈi", "sˈi", "dˈi", "ˈi",       "ˈɛf",  "ʤˈi", "ˈAʧ",  "ˈI",
                           "ʤˈA", "kˈA", "ˈɛl", "ˈɛm", "ˈɛn",      "ˈO",   "pˈi", "kjˈu", "ˈɑɹ",
                           "ˈɛs", "tˈi", "jˈu", "vˈi", "dˈʌbᵊlju", "ˈɛks", "wˈI", "zˈi"};
  for (int i = 0; i < 26; ++i) {
    json += ", \"" + std::string(1, static_cast<char>('A' + i)) + "\": \"" + letters[i] + "\"";
  }
  return json + "}";
}

class SmallG2P : public testing::Test {
 protected:
  void SetUp() override {
    auto blob = CompileLexicon(SmallGold(), R"({"silver": "sˈɪlvəɹ"})");
    ASSERT_TRUE(blob) << blob.error().message();
    blob_ = *blob;
    auto g2p = EnglishG2P::Open(std::as_bytes(std::span(blob_)), Language::kAmericanEnglish);
    ASSERT_TRUE(g2p);
    g2p_.emplace(std::move(*g2p));
  }
  std::string Phonemes(const std::string& text) {
    const auto result = g2p_->Phonemize(text);
    return result ? result->phonemes : "error: " + result.error().message();
  }
  std::string blob_;
  std::optional<EnglishG2P> g2p_;
};

TEST_F(SmallG2P, SpeaksWordsPunctuationAndContext) {
  EXPECT_EQ(Phonemes("Hello, world!"), "həlˈO, wˈɜɹld!");
  EXPECT_EQ(Phonemes("the apple, the cat"), "ði ˈæpᵊl, ðə kˈæt");
  EXPECT_EQ(Phonemes("\"Hello\" (world)"), "“həlˈO” (wˈɜɹld)");
  EXPECT_EQ(Phonemes("walks walked walking"), "wˈɔks wˈɔkt wˈɔkɪŋ");
  EXPECT_EQ(Phonemes("cat\n\nworld"), "kˈæt wˈɜɹld");
  EXPECT_EQ(Phonemes("cat  \t world"), "kˈæt wˈɜɹld");
  EXPECT_EQ(Phonemes(""), "");
  EXPECT_EQ(Phonemes(" \n\t "), "");
}

TEST_F(SmallG2P, SpeaksNumbersAndMoney) {
  EXPECT_EQ(Phonemes("25"), "twˈɛnti fˈIv");
  EXPECT_EQ(Phonemes("-5"), "mˈInəs fˈIv");
  EXPECT_EQ(Phonemes("2.5"), "tˈu pYnt fˈIv");
  EXPECT_EQ(Phonemes("$1"), "wˈʌn dˈɑləɹ");
  EXPECT_EQ(Phonemes("$5.02"), "fˈIv dˈɑləɹz ænd tˈu sˈɛnts");
  EXPECT_EQ(Phonemes("$1.2"), "wˈʌn dˈɑləɹ ænd twˈɛnti sˈɛnts");
  EXPECT_EQ(Phonemes("$5 million"), "fˈIv mˈɪljən dˈɑləɹz");
  EXPECT_EQ(Phonemes("25%"), "twˈɛnti fˈIv pəɹsˈɛnt");
}

TEST_F(SmallG2P, ExplainsEveryWord) {
  const std::string text = "Hello silver, zqx ABC 25 cats [Oslo](/ˈɑzlO/) \U0001F600!";
  const auto result = g2p_->Phonemize(text);
  ASSERT_TRUE(result);
  std::vector<std::pair<std::string, std::string>> sources;
  for (const WordInfo& word : result->words) {
    sources.emplace_back(word.text, word.source);
    EXPECT_EQ(text.substr(word.offset, word.length), word.text);
  }
  EXPECT_THAT(sources, testing::ElementsAre(testing::Pair("Hello", "gold"), testing::Pair("silver", "silver"),
                                            testing::Pair(",", "punctuation"), testing::Pair("zqx", "spelled"),
                                            testing::Pair("ABC", "letters"), testing::Pair("25", "number"),
                                            testing::Pair("cats", "stem"), testing::Pair("Oslo", "markup"),
                                            testing::Pair("\U0001F600", "unknown"), testing::Pair("!", "punctuation")));
  EXPECT_EQ(result->unknown_words, 1u);
  EXPECT_EQ(result->dropped_symbols, 1u);
  EXPECT_EQ(result->words[3].phonemes, "zˌikjˌuˈɛks");
}

TEST_F(SmallG2P, RefusesInvalidUtf8ByItsByte) {
  EXPECT_EQ(Phonemes("cat \xFF"), "error: text: invalid UTF-8 at byte 4");
}

// Sets a flag at the first word it sees and counts the words.
class CancellingFallback : public Fallback {
 public:
  std::optional<Pronunciation> Pronounce(std::string_view) const override {
    ++num_words;
    cancelled = true;
    return Pronunciation{"z", Source::kSpelled, 0};
  }
  mutable size_t num_words = 0;
  mutable std::atomic<bool> cancelled{false};
};

TEST_F(SmallG2P, StopsWithinALineOfBeingCancelled) {
  const std::atomic<bool> already{true};
  const auto at_once = g2p_->Phonemize("the cat", &already);
  ASSERT_FALSE(at_once);
  EXPECT_EQ(at_once.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(at_once.error().message(), "synthesis: cancelled: on request");

  const auto fallback = std::make_shared<CancellingFallback>();
  EnglishOptions options;
  options.fallback = fallback;
  const auto g2p = EnglishG2P::Open(std::as_bytes(std::span(blob_)), Language::kAmericanEnglish, options);
  ASSERT_TRUE(g2p);
  std::string long_line;
  while (long_line.size() < (1u << 17)) long_line += "xyzzy ";
  for (const auto& [text, most_words] :
       {std::pair(std::string("xyzzy\nxyzzy\nxyzzy"), size_t{1}), std::pair(long_line, size_t{16384 / 6 + 1})}) {
    fallback->num_words = 0;
    fallback->cancelled = false;
    const auto result = g2p->Phonemize(text, &fallback->cancelled);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::kCancelled);
    EXPECT_GE(fallback->num_words, 1u);
    EXPECT_LE(fallback->num_words, most_words);
  }
  const std::atomic<bool> never{false};
  EXPECT_TRUE(g2p_->Phonemize("the cat", &never));
}

TEST_F(SmallG2P, OffsetsPointIntoTheOriginal) {
  // Controls are dropped and links unpacked on the way; offsets still count the caller's bytes.
  const std::string text =
      "\x01"
      "cat\x02 [the cat](0) \xC3\xA9\r\nworld";
  const auto result = g2p_->Phonemize(text);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->words.size(), 5u);
  EXPECT_EQ(result->words[0].offset, 1u);
  EXPECT_EQ(text.substr(result->words[2].offset, result->words[2].length), "cat");
  EXPECT_EQ(text.substr(result->words[4].offset, result->words[4].length), "world");
  EXPECT_THAT(result->lines, testing::ElementsAre(0, 4));
}

// Whatever the text: offsets ascend and lie inside, phonemes are UTF-8, chunks keep the limit.
void CheckInvariants(const EnglishG2P& g2p, const std::string& text) {
  const auto result = g2p.Phonemize(text);
  ASSERT_TRUE(result) << result.error().message();
  size_t end = 0;
  for (const WordInfo& word : result->words) {
    ASSERT_GE(word.offset, end);
    end = word.offset + word.length;
    ASSERT_LE(end, text.size());
  }
  ASSERT_FALSE(FindInvalidUtf8(result->phonemes));
  for (const Chunk& chunk : ChunkKokoro(*result)) {
    ASSERT_LE(CountCodePoints(chunk.phonemes), 510u);
    ASSERT_LE(chunk.text_offset + chunk.text_length, text.size());
  }
}

TEST_F(SmallG2P, KeepsItsInvariantsOnRandomText) {
  const std::string pieces[] = {"cat",     "the ",   "A",      "'",          "\u2019", "-",      ".", ",",
                                "5",       "$",      " ",      "\n",         "[",      "](",     ")", "/",
                                "n't",     "\u00E9", "\u00BD", "\U0001F600", "\u0301", "\"",     "2", "B",
                                "http://", "@",      "#",      "0.5",        "&",      "\u3000", "%", "s"};
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (unsigned n = random() % 40; n > 0; --n) text += pieces[random() % std::size(pieces)];
    SCOPED_TRACE(text);
    CheckInvariants(*g2p_, text);
    if (HasFatalFailure()) return;
  }
}

// work_test counts what this takes.
TEST_F(SmallG2P, KeepsItsInvariantsOnHostileText) {
  for (const std::string unit : {"[", "a", "'", "7", "1a", "aA", "a.", "AB.C", "\u00E9\u00B2", "[a](", "read ", "-",
                                 "\u0301", "1.,", "://@a."}) {
    SCOPED_TRACE(unit);
    std::string text;
    while (text.size() < 40000) text += unit;
    CheckInvariants(*g2p_, text);
  }
}

// The parts in order are the whole, each line starts one, and the sink's error ends the work.
TEST_F(SmallG2P, GivesPartsThatMakeTheWhole) {
  std::string text = "The cat walked.\n\n  Hello, world!\n";
  while (text.size() < 40000) text += "The cat is used to one apple. ";
  text += "\nAm.";
  const auto whole = g2p_->Phonemize(text);
  ASSERT_TRUE(whole);
  size_t num_words = 0, num_parts = 0;
  std::vector<size_t> lines;
  const auto compare = [&](const PhonemePart& part) -> Result<void> {
    ++num_parts;
    if (part.starts_line) lines.push_back(num_words);
    EXPECT_FALSE(part.words.empty());
    for (const PhonemeWord& word : part.words) {
      const WordInfo& expected = whole->words[num_words++];
      EXPECT_EQ(word.text, expected.text);
      EXPECT_EQ(word.offset, expected.offset);
      EXPECT_EQ(word.length, expected.length);
      EXPECT_EQ(word.phonemes, expected.phonemes);
      EXPECT_EQ(text.substr(word.offset, word.length), word.text);
    }
    return {};
  };
  ASSERT_TRUE(g2p_->PhonemizeEach(text, nullptr, compare));
  EXPECT_EQ(num_words, whole->words.size());
  EXPECT_EQ(lines, whole->lines);
  EXPECT_EQ(lines.size(), 4u);
  EXPECT_GE(num_parts, 5u);

  num_parts = 0;
  const auto stop = [&](const PhonemePart&) -> Result<void> {
    return ++num_parts < 3 ? Result<void>() : Result<void>(Error(ErrorCode::kIo, "full"));
  };
  const auto result = g2p_->PhonemizeEach(text, nullptr, stop);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message(), "full");
  EXPECT_EQ(num_parts, 3u);
}

TEST(Phonemes, EqualTheReference) {
  const char* cache = std::getenv("KOE_MODEL_CACHE");
  const char* home = std::getenv("HOME");
  const std::string dir =
      (cache != nullptr ? std::string(cache) : std::string(home != nullptr ? home : "") + "/.cache/koe") + "/lexicon/";
  std::map<std::string, std::string> blobs;
  std::map<std::string, EnglishG2P> front_ends;
  for (const auto& [accent, code, language] :
       {std::tuple("us", "en-us", Language::kAmericanEnglish), std::tuple("gb", "en-gb", Language::kBritishEnglish)}) {
    const std::string gold = ReadFile(dir + accent + "_gold.json");
    if (gold.empty()) GTEST_SKIP() << "no dictionaries in " << dir;
    auto blob = CompileLexicon(gold, ReadFile(dir + accent + "_silver.json"));
    ASSERT_TRUE(blob) << blob.error().message();
    EXPECT_LE(blob->size(), 3u << 20);
    blobs[code] = std::move(*blob);
    auto g2p = EnglishG2P::Open(std::as_bytes(std::span(blobs[code])), language);
    ASSERT_TRUE(g2p);
    front_ends.emplace(code, std::move(*g2p));
  }
  std::istringstream lines(ReadFile(std::string(KOE_SOURCE_DIR) + "/tests/data/g2p_en.tsv"));
  size_t num_rows = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const size_t text = line.find('\t') + 1, phonemes = line.find('\t', text) + 1;
    const auto result = front_ends.at(line.substr(0, text - 1)).Phonemize(line.substr(text, phonemes - text - 1));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->phonemes, line.substr(phonemes)) << line;
    ++num_rows;
  }
  EXPECT_GT(num_rows, 50u);
}

}  // namespace
}  // namespace koe::g2p
