// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "koe/koe.h"

namespace koe {
namespace {

TEST(AudioFormatTest, ParsesEveryNameInAnyCase) {
  EXPECT_EQ(*ParseAudioFormat("wav"), AudioFormat::kWav);
  EXPECT_EQ(*ParseAudioFormat("FLAC"), AudioFormat::kFlac);
  EXPECT_EQ(*ParseAudioFormat("mp3"), AudioFormat::kMp3);
  EXPECT_EQ(*ParseAudioFormat("ogg"), AudioFormat::kOgg);
  EXPECT_EQ(*ParseAudioFormat("Opus"), AudioFormat::kOpus);
  EXPECT_EQ(*ParseAudioFormat("raw"), AudioFormat::kRaw);
}

TEST(AudioFormatTest, NamesTheAllowedFormats) {
  for (const char* name : {"", "wave", ".wav", "aac"}) {
    const auto format = ParseAudioFormat(name);
    ASSERT_FALSE(format.has_value()) << name;
    EXPECT_EQ(format.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(format.error().message(),
              "format: '" + std::string(name) + "': must be wav, flac, mp3, ogg, opus or raw");
  }
}

TEST(AudioFormatTest, GoesByTheLastEndingOfTheFileName) {
  EXPECT_EQ(*AudioFormatOfPath("a.wav"), AudioFormat::kWav);
  EXPECT_EQ(*AudioFormatOfPath("a.wav.MP3"), AudioFormat::kMp3);
  EXPECT_EQ(*AudioFormatOfPath("dir.flac/a.ogg"), AudioFormat::kOgg);
  EXPECT_EQ(*AudioFormatOfPath("../a b.opus"), AudioFormat::kOpus);
}

TEST(AudioFormatTest, RefusesOtherEndings) {
  EXPECT_EQ(AudioFormatOfPath("a.txt").error().message(),
            "output: 'a.txt': unknown ending; it must be wav, flac, mp3, ogg, opus or raw");
  for (const char* path : {"", "a", "a.", ".wav", "dir.wav/a", "dir/.wav", "a.wav/"}) {
    const auto format = AudioFormatOfPath(path);
    ASSERT_FALSE(format.has_value()) << path;
    EXPECT_EQ(format.error().message(), "output: '" + std::string(path) +
                                            "': no ending to tell the format by; it must be wav, flac, mp3, ogg, "
                                            "opus or raw");
  }
}

}  // namespace
}  // namespace koe
