// SPDX-License-Identifier: Apache-2.0
// Every format is read back with libsndfile.
#include <gtest/gtest.h>
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "audio/pcm16.h"
#include "koe/koe.h"

namespace koe {
namespace {

// A voice-like signal: harmonics of a gliding 110..220 Hz, syllables of 200 ms.
std::vector<float> Voice(size_t length) {
  std::vector<float> samples(length);
  double phase = 0;
  for (size_t n = 0; n < length; ++n) {
    const double t = static_cast<double>(n) / kSampleRateHz;
    phase += 2 * M_PI * (110 + 55 * (1 + std::sin(2 * M_PI * t))) / kSampleRateHz;
    const double envelope = 0.5 - 0.5 * std::cos(2 * M_PI * t / 0.2);
    double sum = 0;
    for (int h = 1; h <= 12; ++h) sum += std::sin(h * phase) / h;
    samples[n] = static_cast<float>(0.3 * envelope * sum);
  }
  return samples;
}

struct Decoded {
  SF_INFO info{};
  std::vector<float> samples;
};

struct Source {
  const std::string* bytes;
  sf_count_t position;
};

Decoded Decode(const std::string& bytes) {
  Source source{&bytes, 0};
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* u) { return static_cast<sf_count_t>(static_cast<Source*>(u)->bytes->size()); };
  io.seek = [](sf_count_t offset, int whence, void* u) {
    auto& s = *static_cast<Source*>(u);
    const auto end = static_cast<sf_count_t>(s.bytes->size());
    return s.position = offset + (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? s.position : end);
  };
  io.read = [](void* dst, sf_count_t count, void* u) {
    auto& s = *static_cast<Source*>(u);
    count = std::min(count, static_cast<sf_count_t>(s.bytes->size()) - s.position);
    std::memcpy(dst, s.bytes->data() + s.position, static_cast<size_t>(count));
    s.position += count;
    return count;
  };
  io.tell = [](void* u) { return static_cast<Source*>(u)->position; };
  Decoded decoded;
  SNDFILE* sound = sf_open_virtual(&io, SFM_READ, &decoded.info, &source);
  if (sound == nullptr) {
    ADD_FAILURE() << sf_strerror(nullptr);
    return decoded;
  }
  decoded.samples.resize(static_cast<size_t>(decoded.info.frames));
  const sf_count_t got = sf_read_float(sound, decoded.samples.data(), decoded.info.frames);
  decoded.samples.resize(static_cast<size_t>(std::max<sf_count_t>(got, 0)));
  sf_close(sound);
  return decoded;
}

double SnrDb(const std::vector<float>& reference, const std::vector<float>& actual) {
  double signal = 0, noise = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    signal += static_cast<double>(reference[i]) * reference[i];
    noise += std::pow(static_cast<double>(actual[i]) - reference[i], 2);
  }
  return 10 * std::log10(signal / noise);
}

uint32_t LittleEndian(const std::string& bytes, size_t at, int size) {
  uint32_t value = 0;
  for (int i = 0; i < size; ++i) value |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])) << (8 * i);
  return value;
}

TEST(EncodeAudioTest, WavHeaderIsTrue) {
  const auto samples = Voice(1000);
  const std::string wav = *EncodeAudio(samples, AudioFormat::kWav);
  ASSERT_EQ(wav.size(), 44u + 2000);
  EXPECT_EQ(wav.substr(0, 4) + wav.substr(8, 8), "RIFFWAVEfmt ");
  EXPECT_EQ(LittleEndian(wav, 4, 4), wav.size() - 8);
  EXPECT_EQ(LittleEndian(wav, 16, 4), 16u);
  EXPECT_EQ(LittleEndian(wav, 20, 2), 1u);  // PCM
  EXPECT_EQ(LittleEndian(wav, 22, 2), 1u);  // channels
  EXPECT_EQ(LittleEndian(wav, 24, 4), 24000u);
  EXPECT_EQ(LittleEndian(wav, 28, 4), 48000u);
  EXPECT_EQ(LittleEndian(wav, 32, 2), 2u);
  EXPECT_EQ(LittleEndian(wav, 34, 2), 16u);
  EXPECT_EQ(wav.substr(36, 4), "data");
  EXPECT_EQ(LittleEndian(wav, 40, 4), 2000u);
  EXPECT_EQ(wav.substr(44), *EncodeAudio(samples, AudioFormat::kRaw));
}

TEST(EncodeAudioTest, RawIsLittleEndianAndClipped) {
  EXPECT_EQ(*EncodeAudio(std::vector<float>{0.0f, 1.0f, -1.0f, 2.0f, -2.0f, 1.0f / 32768}, AudioFormat::kRaw),
            std::string("\x00\x00\xff\x7f\x00\x80\xff\x7f\x00\x80\x01\x00", 12));
}

class EveryFormat : public testing::TestWithParam<AudioFormat> {};

TEST_P(EveryFormat, ReadsBackAtTheSameLength) {
  for (const size_t length : {1u, 599u, 4096u, 4097u, 37800u}) {
    const auto samples = Voice(length);
    const auto bytes = EncodeAudio(samples, GetParam());
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message();
    const Decoded decoded = Decode(*bytes);
    EXPECT_EQ(decoded.info.samplerate, 24000);
    EXPECT_EQ(decoded.info.channels, 1);
    EXPECT_EQ(decoded.samples.size(), length);
  }
}

TEST_P(EveryFormat, SameSamplesGiveTheSameBytes) {
  const auto samples = Voice(24000);
  const std::string first = *EncodeAudio(samples, GetParam());
  EXPECT_EQ(first, *EncodeAudio(samples, GetParam()));
  auto other = samples;
  other[12000] += 0.25f;
  EXPECT_NE(first, *EncodeAudio(other, GetParam()));
}

TEST_P(EveryFormat, RefusesWhatIsNotSound) {
  auto samples = Voice(5000);
  samples[4500] = std::numeric_limits<float>::quiet_NaN();
  const auto nan = EncodeAudio(samples, GetParam());
  ASSERT_FALSE(nan.has_value());
  EXPECT_EQ(nan.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(nan.error().message(), "audio: sample 4500: not a finite number");
  samples[17] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(EncodeAudio(samples, GetParam()).error().message(), "audio: sample 17: not a finite number");
  EXPECT_EQ(EncodeAudio({}, GetParam()).error().code(), ErrorCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Encoded, EveryFormat,
                         testing::Values(AudioFormat::kWav, AudioFormat::kFlac, AudioFormat::kMp3, AudioFormat::kOgg,
                                         AudioFormat::kOpus));

TEST(EncodeAudioTest, WavAndFlacKeepEverySixteenBitSample) {
  auto samples = Voice(10000);
  samples[5] = 1.7f;
  samples[6] = -1.7f;
  for (const AudioFormat format : {AudioFormat::kWav, AudioFormat::kFlac}) {
    const Decoded decoded = Decode(*EncodeAudio(samples, format));
    ASSERT_EQ(decoded.samples.size(), samples.size());
    for (size_t i = 0; i < samples.size(); ++i) {
      ASSERT_EQ(decoded.samples[i], static_cast<float>(Pcm16FromFloat(samples[i])) / 32768) << i;
    }
  }
}

// Each codec removes its delay, so a plain SNR tells a wrong rate, gain or shift: a factor 2 leaves 6 dB, one
// sample 18. Measured with libsndfile 1.2.0: MP3 29.5, Vorbis 27.0, Opus 24.5 dB; the bounds leave 5 dB to other
// versions.
TEST(EncodeAudioTest, LossyFormatsSoundAlike) {
  const auto samples = Voice(48000);
  for (const auto& [format, min_snr_db] :
       {std::pair{AudioFormat::kMp3, 24.5}, std::pair{AudioFormat::kOgg, 22.0}, std::pair{AudioFormat::kOpus, 19.5}}) {
    const Decoded decoded = Decode(*EncodeAudio(samples, format));
    ASSERT_EQ(decoded.samples.size(), samples.size());
    const double snr_db = SnrDb(samples, decoded.samples);
    RecordProperty("snr_db_" + std::to_string(static_cast<int>(format)), std::to_string(snr_db));
    EXPECT_GE(snr_db, min_snr_db) << static_cast<int>(format);
  }
}

}  // namespace
}  // namespace koe
