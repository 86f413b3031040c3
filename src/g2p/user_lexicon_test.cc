// SPDX-License-Identifier: Apache-2.0
#include "g2p/user_lexicon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <random>
#include <string>

#include "base/utf8.h"
#include "g2p/g2p.h"
#include "g2p/lexicon.h"

namespace koe::g2p {
namespace {

using testing::HasSubstr;

constexpr char kGold[] = R"({"hello": "həlˈO", "world": "wˈɜɹld", "star": "stˈɑɹ", "staring": "stˈɛɹɪŋ",
  "stars": "stˈɑɹz", "stare": "stˈɛɹ", "do": "dˈu", "does": "dˈʌz", "doe": "dˈO", "don't": "dˈOnt", "net": "nˈɛt",
  "sky": "skˈI", "skies": "skˈIz", "new": "nˈu", "the": "ðə", "'ll": "ᵊl", "based": "bˈAst", "tomato": "təmˈATO",
  "A": "ˈA", "T": "tˈi", "C": "sˈi", "York": "jˈɔɹk", "rather": "ɹˈæðəɹ", "record": {"DEFAULT": "ɹˈɛkəɹd", "VERB": "ɹəkˈɔɹd"}})";

class UserLexiconTest : public testing::Test {
 protected:
  void SetUp() override {
    auto blob = CompileLexicon(kGold, R"({"silver": "sˈɪlvəɹ"})");
    ASSERT_TRUE(blob) << blob.error().message();
    blob_ = *blob;
    for (const Language language : {Language::kAmericanEnglish, Language::kBritishEnglish}) {
      auto g2p = EnglishG2P::Open(std::as_bytes(std::span(blob_)), language);
      ASSERT_TRUE(g2p);
      (language == Language::kAmericanEnglish ? american_ : british_).emplace(std::move(*g2p));
    }
  }
  static UserLexicon Parse(const std::string& text) {
    auto lexicon = UserLexicon::Parse(text);
    EXPECT_TRUE(lexicon) << lexicon.error().message();
    return lexicon ? *lexicon : UserLexicon();
  }
  std::string Speak(const std::string& lexicon, const std::string& text, bool british = false) {
    const UserLexicon parsed = Parse(lexicon);
    const auto spoken = (british ? british_ : american_)->Phonemize(text, nullptr, parsed.entries());
    return spoken ? spoken->phonemes : "error: " + spoken.error().message();
  }
  std::string blob_;
  std::optional<EnglishG2P> american_, british_;
};

std::string ErrorOf(std::string_view text) {
  const auto lexicon = UserLexicon::Parse(text, "my.tsv");
  return lexicon ? "none" : lexicon.error().message();
}

TEST_F(UserLexiconTest, WinsOverTheDictionaries) {
  const UserLexicon lexicon = Parse("hello\thˈɛlO\n");
  const auto spoken = american_->Phonemize("Hello, hello world. HELLO!", nullptr, lexicon.entries());
  ASSERT_TRUE(spoken);
  EXPECT_EQ(spoken->phonemes, "hˈɛlO, hˈɛlO wˈɜɹld. hˈɛlO!");
  EXPECT_EQ(spoken->words[0].source, "lexicon");
  EXPECT_EQ(spoken->words[0].confidence, 1);
  EXPECT_EQ(spoken->words[3].source, "gold");
  EXPECT_EQ(spoken->unknown_words, 0u);
  EXPECT_EQ(Speak("", "hello"), "həlˈO");
  EXPECT_EQ(Speak("hello\thˈɛlO", "[hello](/hˈʌlO/) hello"), "hˈʌlO hˈɛlO");  // markup is nearer
  EXPECT_EQ(Speak("hello\thˈɛlO", "[hello](-1)"), "hˌɛlO");
}

TEST_F(UserLexiconTest, Case) {
  EXPECT_EQ(Speak("koe\tkˈOA", "koe Koe KOE"), "kˈOA kˈOA kˈOA");
  EXPECT_EQ(Speak("Star\ttˈɑ", "star Star STAR"), "stˈɑɹ tˈɑ stˈɑɹ");
  EXPECT_EQ(Speak("star\tʌ\nStar\tɪ\nSTAR\tɑ", "star Star STAR sTAR"), "ʌ ɪ ɑ ʌ");
}

TEST_F(UserLexiconTest, TagsChoose) {
  const std::string lexicon = "record\tNOUN\tnˈWn\nrecord\tVB\tvˈɜb\n";
  EXPECT_EQ(Speak(lexicon, "the record"), "ðə nˈWn");
  EXPECT_EQ(Speak(lexicon, "Do record"), "dˈu vˈɜb");
  EXPECT_EQ(Speak("record\tADJ\tˈæ", "the record"), "ðə ɹˈɛkəɹd");  // only as an adjective
  EXPECT_EQ(Speak("record\tADJ\tˈæ\nrecord\t\tˈʌ", "the record"), "ði ˈʌ");
}

TEST_F(UserLexiconTest, AnyCharacters) {
  EXPECT_EQ(Speak("C++\tsˌiplˈʌs", "C++, (C++) C++'s"), "sˌiplˈʌs, (sˌiplˈʌs) sˌiplˈʌsᵻz");
  EXPECT_EQ(Speak(".NET\tdˌɑtnˈɛt", "the .NET world"), "ðə dˌɑtnˈɛt wˈɜɹld");
  EXPECT_EQ(Speak("AT&T\tˌAtiəntˈi", "AT&T."), "ˌAtiəntˈi.");
  EXPECT_EQ(Speak("7-Eleven\tsˈɛvən", "the 7-Eleven"), "ðə sˈɛvən");
  EXPECT_EQ(Speak("iPhone\tˈIfOn", "iPhone iPhones hello"), "ˈIfOn ˈIfOnz həlˈO");
  EXPECT_EQ(Speak("naïve\tnIˈiv", "na\u00EFve nai\u0308ve"), "nIˈiv nIˈiv");
  EXPECT_EQ(Speak("Zoë\tzˈOi", "Zoë’s"), "zˈOiz");
  EXPECT_EQ(Speak("don't\tdˈʌnt", "don't don’t do"), "dˈʌnt dˈʌnt dˈu");
  EXPECT_EQ(Speak("☕\tkˈɔfi", "hello ☕!"), "həlˈO kˈɔfi!");
  EXPECT_EQ(Speak("\\#1\tnˌʌmbəɹwˈʌn", "the #1"), "ðə nˌʌmbəɹwˈʌn");
  EXPECT_EQ(Speak("mp3\tˌɛmpiθɹˈi", "mp3s"), "ˌɛmpiθɹˈiz");
}

TEST_F(UserLexiconTest, SeveralWords) {
  EXPECT_EQ(Speak("New York\tnˌujˈɔk", "the new York New  York's"), "ðə nˈu jˈɔɹk nˌujˈɔks");
  EXPECT_EQ(Speak("new york\tˈʌ\nnew\tˈɪ", "New York new world"), "ˈʌ ˈɪ wˈɜɹld");  // the longest wins
}

TEST_F(UserLexiconTest, NotWithinWords) {
  EXPECT_EQ(Speak("do\tˈɪ", "do don't"), "ˈɪ dˈOnt");
  EXPECT_EQ(Speak("net\tˈɪ", ".net, the net-based net."), "ˈɪ, ði ˈɪbˈAst ˈɪ.");
  const std::string plain = Speak("", "e.g. o'clock mp3");
  EXPECT_EQ(Speak("e\tˈɪ\no\tˈɪ\nmp\tˈɪ\ng\tˈɪ", "e.g. o'clock mp3"), plain);
  EXPECT_EQ(Speak("hello\tˈɪ", "hello'll 'hello' hello--hello"), "ˈɪᵊl “ˈɪ” ˈɪˈɪ");
}

TEST_F(UserLexiconTest, Endings) {
  EXPECT_EQ(Speak("blit\tblˈɪt", "blits blit's blitted blitting"), "blˈɪts blˈɪts blˈɪTᵻd blˈɪTɪŋ");
  EXPECT_EQ(Speak("Koe\tkˈOA", "Koe’ll Koe'd Koe've Koe're"), "kˈOAᵊl kˈOAd kˈOAəv kˈOAəɹ");
  EXPECT_EQ(Speak("kovy\tkˈOvi", "kovies kovied kovying"), "kˈOviz kˈOvid kˈOviɪŋ");
  EXPECT_EQ(Speak("gloze\tɡlˈOz", "glozes glozed glozing GLOZES"), "ɡlˈOzᵻz ɡlˈOzd ɡlˈOzɪŋ ɡlˈOzᵻz");
  EXPECT_EQ(Speak("Jones\tʤˈOnz", "the Jones' Jones's Joneses"), "ðə ʤˈOnz ʤˈOnzᵻz ʤˈOnzᵻz");
  EXPECT_EQ(Speak("fibre\tfˈIbə", "fibring", true), "fˈIbəɹɪŋ");
  EXPECT_EQ(Speak("kerr\tkˈɜː", "kerring", true), "kˈɜːɹɪŋ");
  EXPECT_EQ(Speak("see-saw\tsˈiːsɔː", "see-sawing", true), "sˈiːsɔːɪŋ");
}

// A form that the dictionaries have is the user's only where it is the dictionaries' own stem with that ending.
TEST_F(UserLexiconTest, EndingsOfOtherWords) {
  EXPECT_EQ(Speak("star\ttˈɑ", "stars staring starring"), "tˈɑz stˈɛɹɪŋ tˈɑɪŋ");
  EXPECT_EQ(Speak("doe\tˈʌ", "does doe's"), "dˈʌz ˈʌz");
  EXPECT_EQ(Speak("sky\tskˈʌ", "skies"), "skˈʌz");
  EXPECT_EQ(Speak("skie\tskˈʌ", "skies"), "skˈIz");  // no word of the dictionaries: theirs stays
  EXPECT_EQ(Speak("tomato\ttəmˈɑTO", "tomatoes"), "təmˈɑTOz");
}

TEST_F(UserLexiconTest, Offsets) {
  const UserLexicon lexicon = Parse("new york\tnˌujˈɔk\n");
  const auto spoken = american_->Phonemize("The  New\tYork, hello", nullptr, lexicon.entries());
  ASSERT_TRUE(spoken);
  ASSERT_EQ(spoken->words.size(), 4u);
  EXPECT_EQ(spoken->words[1].offset, 5u);
  EXPECT_EQ(spoken->words[1].length, 8u);
  EXPECT_EQ(spoken->words[1].text, "New\tYork");
}

TEST(UserLexicon, Reads) {
  EXPECT_EQ(UserLexicon().size(), 0u);
  EXPECT_EQ(UserLexicon().entries(), nullptr);
  const auto lexicon =
      UserLexicon::Parse("\xEF\xBB\xBF# comment\r\n\r\n  koe \t kˈOA \r\nkoe\tNN\tkˈOA\n \t \nKoe\t/kˈO/");
  ASSERT_TRUE(lexicon) << lexicon.error().message();
  EXPECT_EQ(lexicon->size(), 2u);
  const UserWord* word = lexicon->entries()->Find("Koe", "koe");
  ASSERT_NE(word, nullptr);
  EXPECT_EQ(*word->Phonemes(Tag::kNone), "kˈO");
  EXPECT_TRUE(UserLexicon::Parse("koe\tkˈOA\nkoe\tkˈOA\n"));  // twice the same is no conflict
  EXPECT_EQ(UserLexicon::Parse("")->size(), 0u);
}

TEST(UserLexicon, NamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf("koe\tkˈOA\nsay kˈA"),
            "my.tsv:2: fields: 'say kˈA': needs a tab between the word and its phonemes");
  EXPECT_EQ(ErrorOf("a\tb\tc\td"), "my.tsv:1: fields: more than three: give word, tag, phonemes");
  EXPECT_EQ(ErrorOf("gas\tgˈæs"), "my.tsv:1: phonemes: 'gˈæs': 'g' (U+0067) is no phoneme symbol: use ɡ (U+0261)");
  EXPECT_EQ(ErrorOf("x\t'x"), "my.tsv:1: phonemes: ''x': ''' (U+0027) is no phoneme symbol: use ˈ (U+02C8)");
  EXPECT_EQ(ErrorOf("x\tsi:"), "my.tsv:1: phonemes: 'si:': ':' (U+003A) is no phoneme symbol: use ː (U+02D0)");
  EXPECT_THAT(ErrorOf("x\t語"), HasSubstr("'語' (U+8A9E) is no phoneme symbol: see docs/user_lexicon.md"));
  EXPECT_THAT(ErrorOf("x\t\U0001F600"), HasSubstr("(U+01F600)"));
  EXPECT_EQ(ErrorOf("x\t"), "my.tsv:1: phonemes: none: give at least one symbol");
  EXPECT_EQ(ErrorOf("x\tNN\t"), "my.tsv:1: phonemes: none: give at least one symbol");
  EXPECT_EQ(ErrorOf("x\t. ,"), "my.tsv:1: phonemes: '. ,': nothing in it can be spoken");
  EXPECT_EQ(ErrorOf("x\tˈˌ"), "my.tsv:1: phonemes: 'ˈˌ': nothing in it can be spoken");
  EXPECT_EQ(ErrorOf("\tkˈO"), "my.tsv:1: word: none: the line starts with a tab");
  EXPECT_EQ(ErrorOf("x\tnoun\tkˈO"),
            "my.tsv:1: tag: 'noun': must be NOUN, VERB, ADJ, ADV or a Penn tag (NN, NNP, VB, VBD, ...)");
  EXPECT_EQ(ErrorOf("x\tkˈO\n#\nx\tkˈA"), "my.tsv:3: word: 'x': has other phonemes in line 1");
  EXPECT_EQ(ErrorOf("x\tVB\tkˈO\nx\tVB\tkˈA"), "my.tsv:2: word: 'x' as VB: has other phonemes in line 1");
  EXPECT_EQ(ErrorOf("x\tk\xFF"), "my.tsv:1: byte 3: not valid UTF-8");
  EXPECT_EQ(ErrorOf(std::string("\xFF\xFEk\0", 4)), "my.tsv:1: byte 0: not valid UTF-8 but UTF-16");
  EXPECT_EQ(ErrorOf(std::string("a\0b\tk", 5)), "my.tsv:1: U+0000: a control character");
  EXPECT_THAT(ErrorOf(std::string(129, 'x') + "\tk"), HasSubstr(": longer than 128 bytes"));
  EXPECT_EQ(ErrorOf(std::string(128, 'x') + "\tk"), "none");
  EXPECT_EQ(ErrorOf("x\t" + std::string(200, 'k')), "none");
  EXPECT_EQ(ErrorOf("x\t" + std::string(201, 'k')), "my.tsv:1: phonemes: 201 symbols: at most 200");
}

TEST(UserLexicon, LoadsFiles) {
  const std::string path = testing::TempDir() + "user_lexicon_test.tsv";
  std::ofstream(path) << "koe\tkˈOA\n";
  const auto lexicon = UserLexicon::Load(path);
  ASSERT_TRUE(lexicon) << lexicon.error().message();
  EXPECT_EQ(lexicon->size(), 1u);
  std::ofstream(path) << "koe\n";
  EXPECT_THAT(UserLexicon::Load(path).error().message(), HasSubstr(path + ":1: fields: 'koe'"));
  EXPECT_EQ(UserLexicon::Load(path + ".none").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(UserLexicon::Load(testing::TempDir()).error().code(), ErrorCode::kIo);
  EXPECT_EQ(UserLexicon::Load("/dev/zero").error().code(), ErrorCode::kTooLong);
  remove(path.c_str());
}

TEST(UserLexicon, Layers) {
  const UserLexicon first = *UserLexicon::Parse("a\tˈA\nb\tbˈi"), second = *UserLexicon::Parse("b\tbˈI\nc\tsˈi");
  const std::vector<UserLexicon> both = {first, UserLexicon(), second};
  const UserLexicon layered = UserLexicon::Layer(both);
  EXPECT_EQ(layered.size(), 3u);
  EXPECT_EQ(*layered.entries()->Find("b", "b")->Phonemes(Tag::kNone), "bˈI");
  EXPECT_EQ(UserLexicon::Layer({}).size(), 0u);
  EXPECT_EQ(UserLexicon::Layer(std::span(&first, 1)).entries(), first.entries());
}

TEST(UserLexicon, ExampleOfTheDocuments) {
  const auto lexicon = UserLexicon::Load(std::string(KOE_SOURCE_DIR) + "/docs/examples/lexicon.tsv");
  ASSERT_TRUE(lexicon) << lexicon.error().message();
  EXPECT_GE(lexicon->size(), 8u);
}

// Whatever the words and the text: offsets ascend and lie inside, phonemes are UTF-8; and nothing is quadratic.
TEST_F(UserLexiconTest, KeepsItsInvariants) {
  std::mt19937 random(17);
  const std::vector<std::string> parts = {"a", "B",  "new",   " ",      " ",  "'",   "’", "-", ".",
                                          "s", "ed", "é",     "\u0301", "5",  "$",   "☕", "[", "](",
                                          ")", "/",  "don't", "\n",     "\t", "ies", "K"};
  for (int round = 0; round < 500; ++round) {
    std::string lexicon, text;
    for (size_t n = 1 + random() % 20; n > 0; --n) {
      std::string word;
      for (size_t k = 1 + random() % 4; k > 0; --k) word += parts[random() % parts.size()];
      if (word.find_first_of("\n\t") == std::string::npos && !FoldWord(word).empty())
        lexicon += "\\#"[0] == word[0] ? "" : word + "\tkˈO\n";
    }
    for (size_t n = random() % 60; n > 0; --n) text += parts[random() % parts.size()];
    SCOPED_TRACE(lexicon + "---\n" + text);
    const UserLexicon parsed = Parse(lexicon);
    const auto spoken = american_->Phonemize(text, nullptr, parsed.entries());
    ASSERT_TRUE(spoken);
    EXPECT_FALSE(FindInvalidUtf8(spoken->phonemes));
    size_t end = 0;
    for (const WordInfo& word : spoken->words) {
      ASSERT_GE(word.offset, end);
      end = word.offset + word.length;
      ASSERT_LE(end, text.size());
    }
  }
  std::string hostile, key;
  while (key.size() < 126) key += "a-";
  while (hostile.size() < (size_t{1} << 16)) hostile += "a-";
  const UserLexicon parsed = Parse(key + "b\tkˈO\n");
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(american_->Phonemize(hostile, nullptr, parsed.entries()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace koe::g2p
