// SPDX-License-Identifier: Apache-2.0
// The parts of the command line that need no process: text, values, arguments. cli_test.py tests the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../apps/cli/arguments.h"
#include "../apps/cli/bench_measure.h"
#include "../apps/cli/text.h"
#include "../apps/cli/values.h"

namespace koe::cli {
namespace {

using testing::HasSubstr;

TEST(EditDistanceTest, CountsInsertionsDeletionsSubstitutionsAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("af_heart", "af_heart"), 0u);
  EXPECT_EQ(EditDistance("AF_Heart", "af_heart"), 0u);
  EXPECT_EQ(EditDistance("af_hart", "af_heart"), 1u);
  EXPECT_EQ(EditDistance("af_haert", "af_heart"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("ca", "abc"), 3u);  // a swapped pair is not edited again (optimal string alignment)
}

TEST(EditDistanceTest, IsSymmetric) {
  const std::vector<std::string> words = {"", "a", "ab", "ba", "say", "voices", "bundle", "phonemize", "vioces"};
  for (const auto& a : words) {
    for (const auto& b : words) EXPECT_EQ(EditDistance(a, b), EditDistance(b, a)) << a << ' ' << b;
  }
}

TEST(NearestTest, FindsOnlyWhatIsNear) {
  const std::vector<std::string> voices = {"af_bella", "af_heart", "bf_emma"};
  EXPECT_EQ(Nearest("af_hart", voices), "af_heart");
  EXPECT_EQ(Nearest("bf_ema", voices), "bf_emma");
  EXPECT_EQ(Nearest("bella", voices), std::nullopt);  // three edits of eight are too many
  EXPECT_EQ(Nearest("zz", voices), std::nullopt);
  EXPECT_EQ(Nearest("x", {}), std::nullopt);
  EXPECT_EQ(Nearest("ab", {"ac", "ad"}), "ac");
  EXPECT_EQ(NearestHint("af_hart", voices), " (nearest: 'af_heart')");
  EXPECT_EQ(NearestHint("zz", voices), "");
}

TEST(FindInvalidUtf8Test, NamesTheFirstBadByte) {
  EXPECT_EQ(FindInvalidUtf8(""), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8("həlˈO \xf0\x9f\x8d\xb5 \xef\xbf\xbf"), std::nullopt);
  EXPECT_EQ(FindInvalidUtf8("ab\xff"), 2u);
  EXPECT_EQ(FindInvalidUtf8("a\xc3"), 1u);             // truncated
  EXPECT_EQ(FindInvalidUtf8("\xc0\x80"), 0u);          // overlong
  EXPECT_EQ(FindInvalidUtf8("\xe0\x9f\xbf"), 0u);      // overlong
  EXPECT_EQ(FindInvalidUtf8("x\xed\xa0\x80"), 1u);     // surrogate
  EXPECT_EQ(FindInvalidUtf8("\xf4\x90\x80\x80"), 0u);  // above U+10FFFF
  EXPECT_EQ(FindInvalidUtf8("\xf0\x8f\xbf\xbf"), 0u);  // overlong
  EXPECT_EQ(FindInvalidUtf8("\xe2\x82 "), 0u);
}

TEST(MedianStagesTest, OneSlowRunMovesNoStage) {
  // The third run has the median sum and yet an outlying decoder.
  const std::vector<std::vector<StageTime>> runs = {{{"g2p", 1}, {"decoder", 10}, {"generator", 70}},
                                                    {{"g2p", 3}, {"decoder", 12}, {"generator", 90}},
                                                    {{"g2p", 2}, {"decoder", 30}, {"generator", 60}}};
  const std::vector<StageTime> medians = MedianStages(runs);
  ASSERT_EQ(medians.size(), 3u);
  EXPECT_EQ(medians[0].stage, "g2p");
  EXPECT_EQ(medians[0].seconds, 2);
  EXPECT_EQ(medians[1].stage, "decoder");
  EXPECT_EQ(medians[1].seconds, 12);
  EXPECT_EQ(medians[2].stage, "generator");
  EXPECT_EQ(medians[2].seconds, 70);
}

TEST(MedianStagesTest, TakesAStageFromTheRunsThatHaveIt) {
  const std::vector<StageTime> medians = MedianStages({{{"decoder", 4}}, {{"g2p", 1}, {"decoder", 6}}});
  ASSERT_EQ(medians.size(), 2u);
  EXPECT_EQ(medians[0].stage, "decoder");
  EXPECT_EQ(medians[0].seconds, 5);
  EXPECT_EQ(medians[1].stage, "g2p");
  EXPECT_EQ(medians[1].seconds, 1);
  EXPECT_TRUE(MedianStages({}).empty());
}

TEST(QuoteTest, StaysOnOneShortLine) {
  EXPECT_EQ(Quote("a b"), "'a b'");
  EXPECT_EQ(Quote("a\nb\x1b\xff"), "'a\\x0ab\\x1b\\xff'");
  EXPECT_EQ(Quote(std::string(60, 'x')), "'" + std::string(60, 'x') + "'");
  EXPECT_EQ(Quote(std::string(61, 'x')), "'" + std::string(60, 'x') + "...'");
  EXPECT_EQ(Quote(std::string(59, 'x') + "ə"), "'" + std::string(59, 'x') + "...'");  // never half a character
  EXPECT_EQ(OneLine("one\ntwo"), "one\\x0atwo");
}

TEST(TableTest, AlignsByWhatIsSeen) {
  EXPECT_EQ(DisplayWidth("həlˈO"), 5u);
  EXPECT_EQ(DisplayWidth("ɑ̃"), 1u);  // with U+0303
  EXPECT_EQ(DisplayWidth("日本"), 4u);
  EXPECT_EQ(DisplayWidth("☕"), 2u);
  EXPECT_EQ(DisplayWidth("❤\uFE0F"), 1u);
  EXPECT_EQ(DisplayWidth("\U0001F600"), 2u);
  EXPECT_EQ(DisplayWidth("—“é”"), 4u);
  EXPECT_EQ(Table({{"a", "bb"}, {"ˈɜː", "c", "d"}}), "a    bb\nˈɜː  c   d\n");
  EXPECT_EQ(Table({{"a", ""}}), "a\n");
  EXPECT_EQ(Table({}), "");
}

TEST(JoinTest, NamesWhatIsThere) {
  EXPECT_EQ(Join({}), "none");
  EXPECT_EQ(Join({"a"}), "a");
  EXPECT_EQ(Join({"a", "b", "c"}), "a, b, c");
}

TEST(ParseSpeedTest, TakesTheRange) {
  for (const char* text : {"0.25", "1", "1.5", "4", "4.0", "1e0"}) EXPECT_TRUE(ParseSpeed(text).has_value()) << text;
  EXPECT_EQ(*ParseSpeed("0.8"), 0.8f);
}

TEST(ParseSpeedTest, NamesTheRangeAndTheNearestEnd) {
  EXPECT_EQ(ParseSpeed("9").error().message(), "speed: '9': must be 0.25 to 4 (nearest: 4)");
  EXPECT_EQ(ParseSpeed("0").error().message(), "speed: '0': must be 0.25 to 4 (nearest: 0.25)");
  EXPECT_EQ(ParseSpeed("-3").error().message(), "speed: '-3': must be 0.25 to 4 (nearest: 0.25)");
  EXPECT_EQ(ParseSpeed("inf").error().message(), "speed: 'inf': must be 0.25 to 4 (nearest: 4)");
  EXPECT_EQ(ParseSpeed("-inf").error().message(), "speed: '-inf': must be 0.25 to 4 (nearest: 0.25)");
  EXPECT_EQ(ParseSpeed("nan").error().message(), "speed: 'nan': must be 0.25 to 4");
  EXPECT_EQ(ParseSpeed("1e99").error().message(), "speed: '1e99': must be 0.25 to 4 (nearest: 4)");
  EXPECT_EQ(ParseSpeed("1e-99").error().message(), "speed: '1e-99': must be 0.25 to 4 (nearest: 0.25)");
  for (const char* text : {"", "fast", "1x", "1,5", " 1", "0x1"}) {
    EXPECT_THAT(ParseSpeed(text).error().message(), HasSubstr("not a number (0.25 to 4)")) << text;
  }
}

TEST(ParseIntegerTest, TakesDigitsWithinTheRange) {
  EXPECT_EQ(*ParseInteger("seed", "18446744073709551615", 0, UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(*ParseInteger("threads", "256", 0, 256), 256u);
  for (const char* text : {"", "-1", "1.5", "257", "18446744073709551616", "two", "1 "}) {
    EXPECT_EQ(ParseInteger("threads", text, 0, 256).error().message(),
              "threads: '" + std::string(text) + "': must be a whole number, 0 to 256");
  }
}

TEST(ParseChoiceTest, NamesTheChoices) {
  EXPECT_EQ(*ParseChoice("har", "own", {"golden", "own"}), "own");
  EXPECT_EQ(ParseChoice("har", "goldn", {"golden", "own"}).error().message(),
            "har: 'goldn': must be golden or own (nearest: 'golden')");
  EXPECT_EQ(ParseChoice("profile", "", {"a", "bcd", "efg"}).error().message(),
            "profile: '': must be a, bcd or efg (nearest: 'a')");
  EXPECT_EQ(*ParsePrecision("exact"), Precision::kExact);
  EXPECT_EQ(*ParsePrecision("fast"), Precision::kFast);
  EXPECT_EQ(*ParsePrecision("low-memory"), Precision::kLowMemory);
  EXPECT_EQ(ParsePrecision("low").error().message(), "precision: 'low': must be exact, fast or low-memory");
}

TEST(ParseSizeTest, TakesBytesAndUnits) {
  EXPECT_EQ(*ParseSize("max-memory", "1"), 1u);
  EXPECT_EQ(*ParseSize("max-memory", "300000000"), 300000000u);
  EXPECT_EQ(*ParseSize("max-memory", "2K"), 2048u);
  for (const char* text : {"500M", "500MB", "500MiB"}) EXPECT_EQ(*ParseSize("max-memory", text), 500u << 20);
  EXPECT_EQ(*ParseSize("max-memory", "1.5GiB"), 1536u << 20);
  for (const char* text : {"", "0", "-1", "0.5", "M", "12X", "12 M", "nan", "inf", "1e9", "2000000000G", "500m"}) {
    const auto size = ParseSize("max-memory", text);
    ASSERT_FALSE(size.has_value()) << text;
    EXPECT_EQ(size.error().message(), "max-memory: '" + std::string(text) +
                                          "': must be a number of bytes, or of KiB, MiB or GiB (500M, 1.5GiB)");
  }
}

class Recorder : public Command {
 public:
  explicit Recorder(std::string name) : name_(std::move(name)) {}
  std::string Name() const override { return name_; }
  std::string Summary() const override { return "Summary of " + name_; }
  std::string Details() const override { return "Details of " + name_; }
  void Declare(Arguments* arguments) override {
    arguments->Positional("TEXT", &text, "The text");
    arguments->Value("-v,--voice", "NAME", &voice, "The voice");
    arguments->List("--many", "NAME", &many, "Many");
    arguments->Flag("--json", &json, "Print JSON");
  }
  Outcome Run(Terminal*) override { return {}; }

  std::optional<std::string> text, voice;
  std::vector<std::string> many;
  bool json = false;

 private:
  std::string name_;
};

class ParseLineTest : public testing::Test {
 protected:
  ParseLineTest() {
    for (const char* name : {"say", "voices", "bundle build", "bundle info"}) {
      commands_.push_back(std::make_unique<Recorder>(name));
    }
  }
  const Recorder& command(size_t i) const { return static_cast<const Recorder&>(*commands_[i]); }
  const Recorder& say() const { return command(0); }

  std::string ErrorOf(const std::vector<std::string>& arguments) {
    const ParsedLine line = ParseLine(arguments, commands_);
    EXPECT_EQ(line.command, nullptr);
    EXPECT_EQ(line.outcome.exit_code, ExitCode::kUsage);
    return line.outcome.message;
  }

  Commands commands_;
};

TEST_F(ParseLineTest, BindsOptionsInAnyForm) {
  const ParsedLine line =
      ParseLine({"say", "-vx", "--voice=bf_emma", "Hello, [you, there].", "--json", "-q"}, commands_);
  EXPECT_EQ(line.command, &say());
  EXPECT_TRUE(line.quiet);
  EXPECT_TRUE(say().json);
  EXPECT_EQ(say().voice, "bf_emma");
  EXPECT_EQ(say().text, "Hello, [you, there].");
}

// CLI11 reads "[a, b]" as a list where it may.
TEST_F(ParseLineTest, LeavesTextAsItIs) {
  for (const char* text : {"[a, b]", "{x}", "\"q\"", "a=b", "-", "", "%", "#", "a\nb"}) {
    ASSERT_EQ(ParseLine({"say", text}, commands_).command, &say()) << text;
    EXPECT_EQ(say().text, text);
  }
}

TEST_F(ParseLineTest, TakesValuesAndTextThatLookLikeOptions) {
  EXPECT_EQ(ParseLine({"say", "--voice", "-1", "--", "-5 degrees"}, commands_).command, &say());
  EXPECT_EQ(say().voice, "-1");
  EXPECT_EQ(say().text, "-5 degrees");
  EXPECT_EQ(ParseLine({"say", "-5 degrees"}, commands_).command, &say());  // no option starts with a digit
  EXPECT_EQ(ParseLine({"say", "--voice", ""}, commands_).command, &say());
  EXPECT_EQ(say().voice, "");
}

TEST_F(ParseLineTest, AbsentIsNotEmpty) {
  EXPECT_EQ(ParseLine({"say"}, commands_).command, &say());
  EXPECT_EQ(say().text, std::nullopt);
  EXPECT_EQ(say().voice, std::nullopt);
}

TEST_F(ParseLineTest, ListsTakeCommasAndRepeats) {
  EXPECT_EQ(ParseLine({"bundle", "build", "--many", "a,b", "--many", "c", "text"}, commands_).command, &command(2));
  EXPECT_EQ(command(2).many, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(command(2).text, "text");
}

TEST_F(ParseLineTest, TellsWhatIsWrong) {
  EXPECT_EQ(ErrorOf({"sya", "x"}), "command: 'sya': unknown (nearest: 'say')");
  EXPECT_EQ(ErrorOf({"frobnicate"}), "command: 'frobnicate': unknown (commands: bundle, say, voices)");
  EXPECT_EQ(ErrorOf({"bundle", "biuld"}), "command: 'bundle biuld': unknown (nearest: 'build')");
  EXPECT_EQ(ErrorOf({"bundle"}), "command: 'bundle': needs one of build, info (see koe help)");
  EXPECT_EQ(ErrorOf({}), "command: none: needs one of bundle, say, voices (see koe help)");
  EXPECT_EQ(ErrorOf({"say", "--vioce", "x", "y"}), "option: '--vioce': unknown (nearest: '--voice')");
  EXPECT_EQ(ErrorOf({"say", "--vioce=x"}), "option: '--vioce': unknown (nearest: '--voice')");
  EXPECT_THAT(ErrorOf({"say", "-degrees"}), HasSubstr("put -- before a text"));
  EXPECT_THAT(ErrorOf({"say", "Hello", "world"}), HasSubstr("argument: 'world': one too many"));
  EXPECT_EQ(ErrorOf({"say", "--voice"}), "option: '--voice': needs a value");
  EXPECT_EQ(ErrorOf({"--voice", "x"}),
            "option: '--voice': unknown (see koe --help; put -- before a text that starts with '-')");
}

TEST_F(ParseLineTest, HelpIsTextForEveryCommand) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{"help"}, {"--help"}, {"-h"}}) {
    const ParsedLine line = ParseLine(arguments, commands_);
    EXPECT_EQ(line.outcome.exit_code, ExitCode::kOk);
    EXPECT_THAT(line.text, HasSubstr("Summary of say"));
    EXPECT_THAT(line.text, HasSubstr("Exit codes:"));
  }
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"help", "bundle", "build"}, {"bundle", "build", "--help"}, {"bundle", "build", "-h", "--voice", "x"}}) {
    const ParsedLine line = ParseLine(arguments, commands_);
    EXPECT_THAT(line.text, HasSubstr("Usage: koe bundle build")) << line.outcome.message;
    EXPECT_THAT(line.text, HasSubstr("Details of bundle build"));
  }
  EXPECT_THAT(ParseLine({"--version"}, commands_).text, HasSubstr("koe 0.0.0-fake"));
}

}  // namespace
}  // namespace koe::cli
