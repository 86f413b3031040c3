// SPDX-License-Identifier: Apache-2.0
// The twelve things that the seed's text preparation is checked for, from text to chunks of phonemes, with Kokoro's
// dictionaries. The phonemes are misaki 0.9.4's for the same tags, but for what "unknown words" has to say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "bundle/vocab.h"
#include "g2p/chunker.h"
#include "g2p/g2p.h"
#include "text/line_breaks.h"

namespace koe::g2p {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class TextPreparation : public testing::Test {
 protected:
  void SetUp() override {
    const char* given = std::getenv("KOE_BUNDLE");
    const std::string bundle = given != nullptr && *given != '\0' ? given : KOE_SOURCE_DIR "/models/kokoro-82m";
    for (const Language language : {Language::kAmericanEnglish, Language::kBritishEnglish}) {
      const bool british = language == Language::kBritishEnglish;
      auto g2p = EnglishG2P::Open(bundle + (british ? "/lexicon/gb.lex" : "/lexicon/us.lex"), language);
      if (!g2p) GTEST_SKIP() << g2p.error().message();
      (british ? british_ : american_).emplace(std::move(*g2p));
    }
  }
  // Each chunk's phonemes; every symbol is one of the model's and all of them with both boundaries are 450 at most.
  std::vector<std::string> Prepare(const std::string& input, bool british = false) {
    const std::string text = text::JoinWrappedLines(input);
    const auto spoken = (british ? british_ : american_)->Phonemize(text);
    EXPECT_TRUE(spoken) << spoken.error().message();
    std::vector<std::string> chunks;
    texts_.clear();
    for (const Chunk& chunk : ChunkSentences(text, *spoken, 1)) {
      chunks.push_back(chunk.phonemes);
      texts_.push_back(input.substr(chunk.text_offset, chunk.text_length));
      size_t num_tokens = 2;
      for (size_t at = 0; const auto symbol = DecodeUtf8(chunk.phonemes, &at); ++num_tokens) {
        EXPECT_TRUE(bundle::Vocab::Kokoro().Find(*symbol)) << chunk.phonemes;
      }
      EXPECT_LE(num_tokens, kMaxSentenceTokens);
    }
    return chunks;
  }
  std::optional<EnglishG2P> american_, british_;
  std::vector<std::string> texts_;  // of the chunks
};

TEST_F(TextPreparation, Abbreviations) {
  EXPECT_THAT(
      Prepare("Dr. Smith met Mrs. Jones at 5 p.m. on St. James Street. They left at once."),
      ElementsAre("dˈɑktəɹ smˈɪθ mˈɛt mˈɪsɪz ʤˈOnz æt fˈIv pˌiˈɛm ˌɔn sˈAnt ʤˈAmz stɹˈit.", "ðˌA lˈɛft æt wˈʌns."));
}
TEST_F(TextPreparation, BritishVoice) {
  EXPECT_THAT(Prepare("The colour of the aluminium schedule was grey.", true),
              ElementsAre("ðə kˈʌlə ɒv ði ˌaljʊmˈɪnɪəm ʃˈɛdjuːl wɒz ɡɹˈA."));
}
TEST_F(TextPreparation, Currency) {
  EXPECT_THAT(
      Prepare("It cost $3.50, or £2.75 in London."),
      ElementsAre("ˌɪt kˈɔst θɹˈi dˈɑləɹz ænd fˈɪfti sˈɛnts, ɔɹ tˈu pˈWndz ænd sˈɛvənti fˈIv pˈɛns ɪn lˈʌndən."));
}
TEST_F(TextPreparation, Emoji) {
  EXPECT_THAT(Prepare("Hello 👋 world 🌍! 🙂"), ElementsAre("həlˈO  wˈɜɹld !"));
  EXPECT_EQ(texts_[0], "Hello 👋 world 🌍! 🙂");
  EXPECT_THAT(Prepare("👋🌍"), IsEmpty());  // which the engine calls an error
}
TEST_F(TextPreparation, Empty) {
  EXPECT_THAT(Prepare(""), IsEmpty());
  EXPECT_THAT(Prepare(" \n\t "), IsEmpty());
}
TEST_F(TextPreparation, Initials) {
  EXPECT_THAT(Prepare("J. R. R. Jones wrote it. A. B. Testing starts."),
              ElementsAre("ʤˈA ˈɑɹ ˈɑɹ ʤˈOnz ɹˈOt ɪt.", "ˈA bˈi tˈɛstɪŋ stˈɑɹts."));
}
TEST_F(TextPreparation, NearTheTokenCap) {
  // 208 characters, within 15 s by estimate; as words they are seven times what the model takes.
  std::string text;
  for (int i = 0; i < 26; ++i) text += "777,777 ";
  const auto chunks = Prepare(text);
  EXPECT_GT(chunks.size(), 4u);
  size_t num_thousands = 0;
  for (const std::string& chunk : chunks) {
    EXPECT_GT(CountCodePoints(chunk), 60u) << chunk;  // no crumbs: one number has 68 symbols
    for (size_t at = 0; (at = chunk.find("θˈWz", at)) != std::string::npos; ++at) ++num_thousands;
  }
  EXPECT_EQ(num_thousands, 26u);
}
TEST_F(TextPreparation, NumbersWithCommaAndRange) {
  EXPECT_THAT(Prepare("There were 1,234 people aged 10-20."),
              ElementsAre("ðˌɛɹ wɜɹ wˈʌn θˈWzᵊnd tˈu hˈʌndɹəd θˈɜɹTi fˈɔɹ pˈipᵊl ˈAʤd tˌɛntwˈɛnti."));
}
TEST_F(TextPreparation, PunctuationRuns) {
  EXPECT_THAT(Prepare("Wait... what?! No -- really!!!"), ElementsAre("wˈAt... wˌʌt?!", "nˈO  ɹˈiᵊli!!!"));
}
TEST_F(TextPreparation, Quotes) {
  EXPECT_THAT(Prepare("“Hello,” she said. 'Go on.' \"Why?\""), ElementsAre("“həlˈO,” ʃi sˈɛd. “ɡˌO ˌɔn.”", "“wˌI?”"));
}
TEST_F(TextPreparation, UrlsAndEmails) {
  EXPECT_THAT(Prepare("Visit example.com or mail me@example.org. Bye."),
              ElementsAre("vˈɪzət ɪɡzˈæmpəldˌɑtkˈɑm ɔɹ mˈAl mˌi æt ɪɡzˈæmpəl dˌɑt ˈɔɹɡ.", "bˈI."));
}
TEST_F(TextPreparation, WhiteSpace) {
  EXPECT_THAT(Prepare("  Spaces\tand\nempty   lines\r\n\r\n collapse.  "),
              ElementsAre("spˈAsᵻz ænd ˈɛmpti lˈInz kəlˈæps."));
}

}  // namespace
}  // namespace koe::g2p
