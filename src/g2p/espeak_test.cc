// SPDX-License-Identifier: Apache-2.0
#include "g2p/espeak_fallback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace koe::g2p {
namespace {

using testing::HasSubstr;

class FakeEspeak : public testing::Test {
 protected:
  FakeEspeak() { unsetenv("KOE_FAKE_ESPEAK"); }
  ~FakeEspeak() override { unsetenv("KOE_FAKE_ESPEAK"); }
  static Result<std::unique_ptr<EspeakFallback>> Open(Language language = Language::kAmericanEnglish,
                                                      const std::string& data = "its-data") {
    EspeakOptions options;
    options.library = KOE_FAKE_ESPEAK_PATH;
    options.data = data;
    return EspeakFallback::Open(language, options);
  }
  static std::string Say(const EspeakFallback& espeak, const std::string& text) {
    const auto spoken = espeak.Pronounce(text);
    return spoken ? spoken->phonemes : "none";
  }
};

TEST_F(FakeEspeak, PassesTextOn) {
  const auto espeak = Open();
  ASSERT_TRUE(espeak) << espeak.error().message();
  EXPECT_EQ((*espeak)->version(), "9.99");
  EXPECT_EQ((*espeak)->library(), KOE_FAKE_ESPEAK_PATH);
  // "gmw/en-US" as the replacements leave it.
  EXPECT_EQ(Say(**espeak, "abc"), "<gmw/An-US:abc>");
  const auto spoken = (*espeak)->Pronounce("abc");
  EXPECT_EQ(spoken->source, Source::kEspeak);
  const auto british = Open(Language::kBritishEnglish);
  ASSERT_TRUE(british);
  EXPECT_EQ(Say(**british, "abc"), "<gmw/An:abc>");
  EXPECT_EQ(Say(**espeak, "abc"), "<gmw/An-US:abc>");  // the voice is set again
  EXPECT_EQ(Say(**espeak, "a|b"), "<gmw/An-US:a> <gmw/An-US:b>");
}

TEST_F(FakeEspeak, KeepsMarks) {
  const auto espeak = Open();
  ASSERT_TRUE(espeak);
  const auto in = [](const std::string& text) { return "<gmw/An-US:" + text + ">"; };
  EXPECT_EQ(Say(**espeak, "ab.cd"), in("ab") + "." + in("cd"));
  EXPECT_EQ(Say(**espeak, "ab , (cd) "), in("ab") + " , (" + in("cd") + ")");
  EXPECT_EQ(Say(**espeak, "«ab»"), "«" + in("ab") + "»");
  EXPECT_EQ(Say(**espeak, "..."), "...");
  EXPECT_EQ(Say(**espeak, ""), "");
  EXPECT_EQ(Say(**espeak, "a\nb"), in("a b"));
}

TEST_F(FakeEspeak, EndsWhateverTheLibraryDoes) {
  const auto espeak = Open();
  ASSERT_TRUE(espeak);
  setenv("KOE_FAKE_ESPEAK", "stuck", 1);
  EXPECT_THAT(Say(**espeak, "abc"), HasSubstr("abc"));
  setenv("KOE_FAKE_ESPEAK", "null", 1);
  EXPECT_EQ(Say(**espeak, "abc"), "");
}

TEST_F(FakeEspeak, ReportsFailures) {
  setenv("KOE_FAKE_ESPEAK", "voice", 1);
  EXPECT_THAT(Open().error().message(), HasSubstr("has no voice 'gmw/en-US'"));
  EXPECT_EQ(Open().error().code(), ErrorCode::kUnsupported);
  setenv("KOE_FAKE_ESPEAK", "data", 1);
  EXPECT_THAT(Open().error().message(), HasSubstr("cannot find its data in 'its-data'; set KOE_ESPEAK_DATA"));
  unsetenv("KOE_FAKE_ESPEAK");
  EXPECT_THAT(Open(Language::kBritishEnglish, "no-such-data").error().message(),
              HasSubstr("cannot find its data in 'no-such-data'"));
  EXPECT_TRUE(Open());
}

TEST_F(FakeEspeak, ManyThreads) {
  const auto american = Open(), british = Open(Language::kBritishEnglish);
  ASSERT_TRUE(american && british);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(Say(t % 2 ? **american : **british, "ab"), t % 2 ? "<gmw/An-US:ab>" : "<gmw/An:ab>");
        if (i % 50 == 0) {
          EXPECT_TRUE(Open());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Espeak, NamesWhatWasSearched) {
  EspeakOptions options;
  options.library = "/nowhere/libespeak-ng.so.1";
  const auto missing = EspeakFallback::Open(Language::kAmericanEnglish, options);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(missing.error().message(), HasSubstr("/nowhere/libespeak-ng.so.1"));
  EXPECT_THAT(missing.error().message(), HasSubstr("set KOE_ESPEAK_LIBRARY"));
  options.library = "libm.so.6";
  EXPECT_THAT(EspeakFallback::Open(Language::kAmericanEnglish, options).error().message(),
              HasSubstr("'libm.so.6': not libespeak-ng: lacks its functions"));
}

TEST(Espeak, Replacements) {
  const std::vector<std::array<std::string, 3>> rows = {
      {"kˈa^ɪt", "kˈIt", "kˈIt"},          {"ɡˈo^ʊ", "ɡˈO", "ɡˈɔʊ"},        {"ɡˈə^ʊ", "ɡˈəʊ", "ɡˈQ"},
      {"bˈɜːɹd", "bˈɜɹd", "bˈɜːɹd"},       {"bˈɜːd", "bˈɜɹd", "bˈɜːd"},     {"nˈɪə", "nˈiə", "nˈɪə"},
      {"d^ʒˈʌd^ʒ", "ʤˈʌʤ", "ʤˈʌʤ"},        {"lˈɪɾə^l", "lˈɪTᵊl", "lˈɪTᵊl"}, {"bˈʌʔn\u0329", "bˈʌtn", "bˈʌtn"},
      {"mˈɪdn\u0329", "mˈɪdᵊn", "mˈɪdᵊn"}, {"\u0329a", "a", "a"},           {"ɐbˈaʊt", "əbˈaʊt", "əbˈaʊt"},
  };
  for (const auto& [ipa, american, british] : rows) {
    EXPECT_EQ(KokoroFromEspeak(ipa, false, true), american);
    EXPECT_EQ(KokoroFromEspeak(ipa, true, true), british);
  }
  // misaki's slip: by then the e is an A.
  EXPECT_EQ(KokoroFromEspeak("skwˈe^əd", true, true), "skwˈAəd");
  EXPECT_EQ(KokoroFromEspeak("skwˈe^əd", true, false), "skwˈɛːd");
  EXPECT_EQ(KokoroFromEspeak("nˈi^ə", true, true), "nˈiə");
  EXPECT_EQ(KokoroFromEspeak("nˈi^ə", true, false), "nˈɪə");
}

// The strings of ["...", "..."] from `at` on, which holds no escapes but \" \\ \uXXXX and \u pairs outside the BMP are
// not in it.
std::string ReadString(const std::string& json, size_t* at) {
  std::string out;
  *at = json.find('"', *at) + 1;
  for (; json[*at] != '"'; ++*at) {
    if (json[*at] != '\\') {
      out += json[*at];
    } else if (json[++*at] == 'n') {
      out += '\n';
    } else {
      out += json[*at];
    }
  }
  ++*at;
  return out;
}

// Every word that misaki's espeak-ng 1.52 spoke in the corpus of phonemes. Needs a libespeak-ng, by preference 1.52.
TEST(Espeak, EqualsTheTrace) {
  const char* shared = std::getenv("KOE_SHARED");
  const std::string path =
      std::string(shared != nullptr ? shared : KOE_SOURCE_DIR "/../shared") + "/g2p/dev.trace.jsonl";
  if (!std::ifstream(path)) GTEST_SKIP() << path << " is not there";
  EspeakOptions options;
  options.misaki_quirks = true;
  auto american = EspeakFallback::Open(Language::kAmericanEnglish, options);
  if (!american) GTEST_SKIP() << american.error().message();
  auto british = EspeakFallback::Open(Language::kBritishEnglish, options);
  ASSERT_TRUE(british) << british.error().message();
  std::ifstream file(path);
  size_t num_pairs = 0, num_equal = 0;
  for (std::string line; std::getline(file, line);) {
    const bool is_british = line.find("-gb\"") < line.find(',');
    size_t at = line.find("\"espeak\": [") + 11;
    while (line[at] == '[' || (line[at] == ',' && line[at + 2] == '[')) {
      const std::string word = ReadString(line, &at), expected = ReadString(line, &at);
      at = line.find(']', at) + 1;
      const auto spoken = (is_british ? **british : **american).Pronounce(word);
      ++num_pairs;
      num_equal += spoken && spoken->phonemes == expected ? 1 : 0;
      if (spoken && spoken->phonemes != expected) {
        ADD_FAILURE() << (is_british ? "GB " : "US ") << word << ": " << spoken->phonemes << ", misaki " << expected;
      }
    }
  }
  EXPECT_EQ(num_equal, num_pairs) << (*american)->library() << " " << (*american)->version();
  EXPECT_GT(num_pairs, 700u);
}

}  // namespace
}  // namespace koe::g2p
