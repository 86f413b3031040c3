// SPDX-License-Identifier: Apache-2.0
// The rules around the model, and what the committed weights make of real words.
#include "g2p/letter_to_sound/neural_fallback.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "g2p/letter_to_sound/respell.h"
#include "g2p/lexicon.h"
#include "g2p/phonemes.h"

namespace koe::g2p {
namespace {

using letter_to_sound::Guess;
using letter_to_sound::Manner;
using letter_to_sound::Model;
using letter_to_sound::Piece;

std::string Describe(std::string_view text) {
  std::string result;
  for (const Piece& piece : letter_to_sound::SplitUnknown(text)) {
    result += "WN=.-_"[static_cast<size_t>(piece.kind)];
    result += piece.text;
    if (piece.kind == Piece::Kind::kWord && piece.respelled != piece.text) result += "~" + piece.respelled;
    result += ' ';
  }
  return result;
}

TEST(SplitUnknown, SeparatesWordsNumbersAndSigns) {
  EXPECT_EQ(Describe("Zorb-o-matic's"), "WZorb - Wo - Wmatic's ");
  EXPECT_EQ(Describe("10:30pm"), "N10 .: N30 Wpm ");
  EXPECT_EQ(Describe("1,234.5."), "N1,234.5 .. ");
  EXPECT_EQ(Describe("'tis rock'n'roll'"), "_ Wtis _ Wrock'n'roll ");
  EXPECT_EQ(Describe("Yes;no"), "WYes .; Wno ");
  EXPECT_EQ(Describe("x=5"), "Wx =equals N5 ");
  EXPECT_EQ(Describe("mc\u00B2"), "Wmc N2 ");
  EXPECT_EQ(Describe("US$20"), "WUS =dollars N20 ");
  EXPECT_EQ(Describe("soft\u00ADhyphen"), "Wsofthyphen ");
  EXPECT_EQ(Describe("\u5317\u4EAC"), "_ ");
  EXPECT_EQ(Describe("\u03A9\u03B8"), "=omega =theta ");
  EXPECT_EQ(Describe(""), "");
}

TEST(SplitUnknown, RespellsAccents) {
  EXPECT_EQ(Describe("Ni\u00F1o"), "WNino~Ninyo ");
  EXPECT_EQ(Describe("Nin\u0303o"), "WNino ");  // a mark of its own is only taken off
  EXPECT_EQ(Describe("\u0160koda"), "WSkoda~Shkoda ");
  EXPECT_EQ(Describe("stra\u00DFe"), "Wstrasse ");
  EXPECT_EQ(Describe("Beyonc\u00E9"), "WBeyonce~Beyoncee ");
  EXPECT_EQ(Describe("brul\u00E9e"), "Wbrulee ");
  EXPECT_EQ(Describe("d\u00E9j\u00E0"), "Wdeja ");
  EXPECT_TRUE(letter_to_sound::SplitUnknown("caf\u00E9").at(0).ends_in_ay);
  EXPECT_FALSE(letter_to_sound::SplitUnknown("d\u00E9j\u00E0").at(0).ends_in_ay);
}

TEST(SplitCamelCase, FindsTheParts) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(letter_to_sound::SplitCamelCase("TikTok"), (Parts{"Tik", "Tok"}));
  EXPECT_EQ(letter_to_sound::SplitCamelCase("HTMLParser"), (Parts{"HTML", "Parser"}));
  EXPECT_EQ(letter_to_sound::SplitCamelCase("iPhone"), (Parts{"i", "Phone"}));
  EXPECT_EQ(letter_to_sound::SplitCamelCase("Zorb"), (Parts{"Zorb"}));
  EXPECT_EQ(letter_to_sound::SplitCamelCase("ABC"), (Parts{"ABC"}));
}

constexpr char kGold[] = R"({"box": "bˈɑks", "ten": "tˈɛn", "thirty": "θˈɜɹɾi", "kilograms": "kˈɪləɡɹˌæmz", "a": "ɐ",
  "equals": "ˈikwəlz", "five": "fˈIv", "zero": "zˈɪɹO", "seven": "sˈɛvən", "tutor": "tjˈuːtə", "two": "tˈu",
  "approximately": "əpɹˈɑksəmətli", "cafe": "kæfˈA")";

class NeuralFallbackTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string gold = kGold;
    for (char c = 'A'; c <= 'Z'; ++c) gold += std::string(", \"") + c + "\": \"ˈ" + (c == 'M' ? "ɛm" : "i") + "\"";
    lexicon_ = new std::string(CompileLexicon(gold + "}", "{}").value());
    auto file = MappedFile::Open(KOE_SOURCE_DIR "/data/g2p/en.l2s");
    ASSERT_TRUE(file) << file.error().message();
    ASSERT_LE(file->bytes().size(), 4u << 20);
    for (const kernels::Target target : kernels::SupportedTargets()) {
      auto model = Model::Open(file->bytes(), kernels::KernelsFor(target));
      ASSERT_TRUE(model) << model.error().message();
      models_.push_back(*model);
    }
  }
  static void TearDownTestSuite() {
    models_.clear();
    delete lexicon_;
  }
  static std::unique_ptr<Fallback> Make(Language language) {
    auto fallback = MakeNeuralFallback(models_.front(), std::as_bytes(std::span(*lexicon_)), language);
    EXPECT_TRUE(fallback);
    return std::move(*fallback);
  }
  static std::string Say(std::string_view text, Language language = Language::kAmericanEnglish) {
    const auto spoken = Make(language)->Pronounce(text);
    return spoken ? spoken->phonemes : "(nothing)";
  }

  static std::string* lexicon_;
  static std::vector<std::shared_ptr<const Model>> models_;  // by target, best first
};
std::string* NeuralFallbackTest::lexicon_ = nullptr;
std::vector<std::shared_ptr<const Model>> NeuralFallbackTest::models_;

TEST_F(NeuralFallbackTest, UsesTheDictionaryForWhatItHas) {
  EXPECT_EQ(Say("10:30"), "tˈɛn:θˈɜɹɾi");
  EXPECT_EQ(Say("5kg"), "fˈIv kˈɪləɡɹˌæmz");
  EXPECT_EQ(Say("07"), "zˈɪɹO sˈɛvən");
  EXPECT_EQ(Say("5=5"), "fˈIv ˈikwəlz fˈIv");
  EXPECT_EQ(Say("caf\u00E9"), "kæfˈA");
  EXPECT_EQ(Say("box-ten"), "bˈɑkstˈɛn");
  EXPECT_EQ(Say("approx."), "əpɹˈɑksəmətli");
  EXPECT_EQ(Say("Box."), "bˈɑks");
  EXPECT_EQ(Say("ii"), "tˈu");
  EXPECT_EQ(Say("tutoring", Language::kBritishEnglish), "tjˈuːtəɹɪŋ");
}

TEST_F(NeuralFallbackTest, AccentsMayMakeAnotherWord) {
  EXPECT_EQ(Say("r\u00E9sum\u00E9"), "ɹˈɛzəmˌA");
  EXPECT_EQ(Say("R\u00E9sum\u00E9s", Language::kBritishEnglish), "ɹˈɛzjuːmAz");
  EXPECT_EQ(Say("ros\u00E9's"), "ɹOzˈAz");
  EXPECT_EQ(Say("cr\u00E8me br\u00FBl\u00E9e"), "kɹˈɛm bɹulˈA");
  EXPECT_EQ(Say("Cort\u00E9s"), "kɔɹtˈɛz");
  // In neither list, and "box" ends otherwise.
  EXPECT_TRUE(Say("box\u00E9").ends_with("A"));
  EXPECT_TRUE(Say("box\u00E9s").ends_with("Az"));
}

TEST_F(NeuralFallbackTest, SpellsWhatIsNoWord) {
  EXPECT_EQ(Say("mx"), "ˌɛmˈi");
  EXPECT_EQ(Say("Xbox"), "ˈi bˈɑks");
  EXPECT_EQ(Say("m"), "ˈɛm");
  const auto long_word = Make(Language::kAmericanEnglish)->Pronounce(std::string(100000, 'm'));
  ASSERT_TRUE(long_word);
  EXPECT_EQ(long_word->source, Source::kSpelled);
}

TEST_F(NeuralFallbackTest, SaysNothingForNoWord) {
  for (const char* text : {"", "-", "'", "\u5317", "...", "\U0001F600"}) EXPECT_EQ(Say(text), "(nothing)") << text;
}

TEST_F(NeuralFallbackTest, AddsEndingsAndJoinsParts) {
  const std::string zorb = Say("zorb");
  EXPECT_EQ(Say("Zorb"), zorb);
  EXPECT_EQ(Say("Zorb's"), zorb + "z");
  EXPECT_EQ(Say("Zorb\u2019s"), zorb + "z");
  EXPECT_EQ(Say("zorb-box"), zorb + "bˈɑks");
  EXPECT_EQ(Say("ZorbBox"), zorb + " bˈɑks");
  EXPECT_EQ(Say("McZorb"), "mək " + zorb);
  const auto spoken = Make(Language::kAmericanEnglish)->Pronounce("zorb");
  ASSERT_TRUE(spoken);
  EXPECT_EQ(spoken->source, Source::kNeural);
  EXPECT_GT(spoken->confidence, 0);
  EXPECT_LT(spoken->confidence, 1);
}

TEST_F(NeuralFallbackTest, KnowsNames) {
  EXPECT_EQ(Say("Hermione"), "həɹmˈIəni");
  EXPECT_EQ(Say("Siobhan's", Language::kBritishEnglish), "ʃɪvˈɔːnz");
  EXPECT_EQ(Say("O'Brien"), "ObɹˈIən");
  EXPECT_EQ(Say("LinkedIn"), "lɪŋktˈɪn");
  EXPECT_EQ(Say("McMahon", Language::kBritishEnglish), "məkmˈɑːn");
  EXPECT_EQ(Say("Beyonc\u00E9"), "biˈɑnsA");
  EXPECT_EQ(Say("Ruiz-box"), "ɹuˈizbˈɑks");
}

struct Line {
  std::string stream, word, phonemes;
};
std::vector<Line> ReadLines(const std::string& name) {
  std::ifstream file(KOE_SOURCE_DIR "/src/g2p/letter_to_sound/testdata/" + name);
  std::vector<Line> lines;
  for (std::string text; std::getline(file, text);) {
    if (text.starts_with('#')) continue;
    std::istringstream fields(text);
    Line line;
    std::getline(fields, line.stream, '\t');
    std::getline(fields, line.word, '\t');
    std::getline(fields, line.phonemes, '\t');
    lines.push_back(line);
  }
  return lines;
}
Language LanguageOf(const Line& line) {
  return line.stream.starts_with("gb") ? Language::kBritishEnglish : Language::kAmericanEnglish;
}

// What the shipped weights say of names, brands and nonce words: a change of weights or of the run time shows here.
// Every SIMD target says the same.
TEST_F(NeuralFallbackTest, SaysTheExpectedOfNewWords) {
  const auto lines = ReadLines("new_words.tsv");
  ASSERT_GT(lines.size(), 60u);
  for (const Line& line : lines) {
    for (const auto& model : models_) {
      EXPECT_EQ(model->Pronounce(line.word, LanguageOf(line), Manner::kSilver).phonemes, line.phonemes) << line.word;
    }
  }
}

// Of 300; the shipped weights reach these and four more.
constexpr size_t kFloorWithoutStress = 238, kFloorWithStress = 219;

// Dictionary words that the weights have never seen (docs/letter_to_sound.md has the figures for all of them).
TEST_F(NeuralFallbackTest, IsRightAboutHeldOutWords) {
  const auto lines = ReadLines("held_out_sample.tsv");
  ASSERT_EQ(lines.size(), 300u);
  size_t with_stress = 0, without_stress = 0;
  double expected = 0;
  for (const Line& line : lines) {
    const Guess guess = models_.front()->Pronounce(line.word, LanguageOf(line), Manner::kLikelier);
    with_stress += guess.phonemes == line.phonemes ? 1 : 0;
    without_stress += ApplyStress(guess.phonemes, -2) == ApplyStress(line.phonemes, -2) ? 1 : 0;
    expected += double{guess.confidence};
  }
  EXPECT_GE(without_stress, kFloorWithoutStress);
  EXPECT_GE(with_stress, kFloorWithStress);
  // The confidences say how many are right: within three standard deviations (0.5 sqrt(300) at most) of a count.
  EXPECT_NEAR(expected, static_cast<double>(with_stress), 26);
}

}  // namespace
}  // namespace koe::g2p
