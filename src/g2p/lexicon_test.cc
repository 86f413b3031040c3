// SPDX-License-Identifier: Apache-2.0
#include "g2p/lexicon.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "g2p/lexicon_format.h"

namespace koe::g2p {
namespace {

constexpr char kGold[] = R"({"word": "wˈɜɹd", "Paris": "pˈɛɹɪs", "polish": {"DEFAULT": "pˈɑlɪʃ", "ADJ": "pˈOlɪʃ"},
  "US": {"DEFAULT": "ˌʌs", "NOUN": null}, "Word": "wˈɜɹd2", "a": "ɐ"})";
constexpr char kSilver[] = R"({"word": "never", "wordless": "wˈɜɹdləs", "words": "wˈɜɹdz", "Oslo": "ˈɑzlO"})";

std::string Compile() {
  auto blob = CompileLexicon(kGold, kSilver);
  EXPECT_TRUE(blob) << blob.error().message();
  return *blob;
}
Result<Lexicon> Open(const std::string& blob) { return Lexicon::Open(std::as_bytes(std::span(blob))); }

TEST(Lexicon, FindsKeysTiersAndVariants) {
  const std::string blob = Compile();
  auto lexicon = Open(blob);
  ASSERT_TRUE(lexicon) << lexicon.error().message();
  EXPECT_EQ(lexicon->num_keys(), 9u);
  const auto word = lexicon->Find("word");
  ASSERT_TRUE(word);
  EXPECT_EQ(word->tier, Lexicon::Tier::kGold);
  EXPECT_EQ(lexicon->Phonemes(*word), "wˈɜɹd");
  EXPECT_EQ(lexicon->Phonemes(*lexicon->Find("Word")), "wˈɜɹd2");
  EXPECT_EQ(lexicon->Find("wordless")->tier, Lexicon::Tier::kSilver);
  const auto polish = lexicon->Find("polish");
  ASSERT_TRUE(polish && polish->has_variants);
  EXPECT_EQ(lexicon->Decode(lexicon->FindVariant(*polish, "ADJ")->codes), "pˈOlɪʃ");
  EXPECT_FALSE(lexicon->FindVariant(*polish, "NOUN"));
  EXPECT_TRUE(lexicon->FindVariant(*lexicon->Find("US"), "NOUN")->is_null);
  for (const char* absent : {"", "wor", "wordl", "wordlessness", "zzz", "A", "Polish"}) {
    EXPECT_FALSE(lexicon->Find(absent)) << absent;
  }
}

TEST(Lexicon, GrowsCapitalisedAndLowerForms) {
  const std::string blob = Compile();
  auto lexicon = Open(blob);
  ASSERT_TRUE(lexicon);
  EXPECT_TRUE(lexicon->FindGrown("Polish") && lexicon->FindGrown("paris") && lexicon->FindGrown("oslo"));
  EXPECT_EQ(lexicon->Phonemes(*lexicon->FindGrown("Word")), "wˈɜɹd2");  // an explicit key wins
  EXPECT_FALSE(lexicon->FindGrown("POLISH") || lexicon->FindGrown("us") || lexicon->FindGrown("A"));
  EXPECT_FALSE(lexicon->FindGold("oslo"));
}

TEST(Lexicon, CompilesTheSameBytesTwice) { EXPECT_EQ(Compile(), Compile()); }

TEST(Lexicon, FindsEveryKeyOfALargeDictionary) {
  // Long shared prefixes, long suffixes and blocks of every fill.
  std::string json = "{";
  std::vector<std::string> keys;
  for (int i = 0; i < 3000; ++i) {
    keys.push_back(std::string(static_cast<size_t>(i % 40) + 1, static_cast<char>('a' + i % 26)) + std::to_string(i));
    json += (i > 0 ? ", \"" : "\"") + keys.back() + "\": \"p" + std::to_string(i) +
            std::string(static_cast<size_t>(i % 90), 'x') + "\"";
  }
  json += "}";
  const auto blob = CompileLexicon(json, "{}");
  ASSERT_TRUE(blob) << blob.error().message();
  const auto lexicon = Open(*blob);
  ASSERT_TRUE(lexicon);
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto entry = lexicon->Find(keys[i]);
    ASSERT_TRUE(entry) << keys[i];
    EXPECT_EQ(lexicon->Phonemes(*entry), "p" + std::to_string(i) + std::string(i % 90, 'x'));
    EXPECT_FALSE(lexicon->Find(keys[i] + "x"));
  }
}

TEST(Lexicon, RefusesWhatIsNotADictionary) {
  for (const char* json :
       {"", "[]", "{\"a\": 1}", "{\"a\": {\"NOUN\": \"x\"}}", "{\"\": \"x\"}", "{\"two words\": \"x\"}",
        "{\"caf\u00E9\": \"x\"}", "{\"a\": {\"DEFAULT\": \"x\", \"NOUN\": 3}}",
        "{\"a\": {\"DEFAULT\": \"x\", \"TOOLONGTAG\": \"y\"}}"}) {
    const auto blob = CompileLexicon(json, "{}");
    ASSERT_FALSE(blob) << json;
    EXPECT_EQ(blob.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_FALSE(CompileLexicon("{}", json)) << json;
  }
}

TEST(Lexicon, OpensAnEmptyDictionary) {
  const auto blob = CompileLexicon("{}", "{}");
  ASSERT_TRUE(blob);
  const auto lexicon = Open(*blob);
  ASSERT_TRUE(lexicon) << lexicon.error().message();
  EXPECT_FALSE(lexicon->Find("a"));
}

TEST(Lexicon, RefusesDamagedHeaders) {
  const std::string blob = Compile();
  for (size_t size = 0; size < blob.size(); ++size) {
    const auto lexicon = Open(blob.substr(0, size));
    ASSERT_FALSE(lexicon) << size;
    EXPECT_EQ(lexicon.error().code(), ErrorCode::kCorruptBundle);
  }
  std::string other = blob;
  other[0] = 'X';
  EXPECT_FALSE(Open(other));
  other = blob;
  other[sizeof(lexicon_format::kMagic)] = 9;
  const auto version = Open(other);
  ASSERT_FALSE(version);
  EXPECT_NE(version.error().message().find("version 9"), std::string::npos);
  EXPECT_FALSE(Open(blob + "x"));
}

// Whatever the bytes say, nothing outside them is read (the sanitizer builds watch) and every call returns.
TEST(Lexicon, SurvivesAnyDamage) {
  const std::string blob = Compile();
  std::mt19937 random(7);
  size_t opened = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = blob;
    for (unsigned n = 1 + random() % 4; n > 0; --n) damaged[random() % damaged.size()] = static_cast<char>(random());
    const auto lexicon = Open(damaged);
    if (!lexicon) continue;
    ++opened;
    for (const char* key : {"word", "US", "polish", "wordless", "Oslo", "zzz"}) {
      const auto entry = lexicon->FindGrown(key);
      if (!entry) continue;
      lexicon->Phonemes(*entry);
      for (const char* tag : {"ADJ", "NOUN", "None"}) {
        if (const auto variant = lexicon->FindVariant(*entry, tag)) lexicon->Decode(variant->codes);
      }
    }
  }
  EXPECT_GT(opened, 1000u);  // or only headers would be tested
}

}  // namespace
}  // namespace koe::g2p
