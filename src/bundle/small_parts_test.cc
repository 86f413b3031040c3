// SPDX-License-Identifier: Apache-2.0
// Digests, half floats, paths and quoting.
#include <gtest/gtest.h>

#include <cmath>

#include "bundle/byte_reader.h"
#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/half.h"
#include "bundle/limits.h"
#include "bundle/quoted.h"
#include "bundle/testing/file_builders.h"

namespace koe::bundle {
namespace {

TEST(Sha256, EqualsTheStandardsVectors) {  // FIPS 180-4 examples
  EXPECT_EQ(Sha256Hex(AsBytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 parts;
  parts.Update(AsBytes("a"));
  parts.Update({});
  parts.Update(AsBytes("bc"));
  EXPECT_EQ(parts.FinishHex(), Sha256Hex(AsBytes("abc")));
}

TEST(Half, WidensEveryValue) {
  EXPECT_EQ(HalfToFloat(0x3C00), 1.0f);
  EXPECT_EQ(HalfToFloat(0xC000), -2.0f);
  EXPECT_EQ(HalfToFloat(0x7BFF), 65504.0f);
  EXPECT_EQ(HalfToFloat(0x0400), 0x1p-14f);  // smallest normal
  EXPECT_EQ(HalfToFloat(0x03FF), 1023 * 0x1p-24f);
  EXPECT_EQ(HalfToFloat(0x8001), -0x1p-24f);
  EXPECT_TRUE(std::signbit(HalfToFloat(0x8000)));
  EXPECT_EQ(HalfToFloat(0xFC00), -INFINITY);
  EXPECT_TRUE(std::isnan(HalfToFloat(0x7E00)));
  // Each finite value is (its integer significand) x 2^(its exponent), and the values grow with their bits.
  for (uint32_t bits = 1; bits < 0x7C00; ++bits) {
    EXPECT_GT(HalfToFloat(static_cast<uint16_t>(bits)), HalfToFloat(static_cast<uint16_t>(bits - 1)));
    if (bits >= 0x400) {
      EXPECT_EQ(testing::ExactHalf(HalfToFloat(static_cast<uint16_t>(bits))), bits);
    }
  }
  EXPECT_EQ(BFloat16ToFloat(0x3F80), 1.0f);
}

TEST(ByteReader, VarintsStopAt64Bits) {
  const auto read = [](std::string_view bytes) -> std::optional<uint64_t> {
    ByteReader reader(AsBytes(bytes));
    uint64_t value;
    if (!reader.ReadVarint(&value)) return std::nullopt;
    return value;
  };
  EXPECT_EQ(read("\x7F"), 127u);
  EXPECT_EQ(read("\xAC\x02"), 300u);
  EXPECT_EQ(read("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), UINT64_MAX);
  EXPECT_EQ(read("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"), std::nullopt);
  EXPECT_EQ(read("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), std::nullopt);
  EXPECT_EQ(read("\x80"), std::nullopt);
  EXPECT_EQ(read(""), std::nullopt);
}

TEST(ByteReader, ARefusedReadMovesNothing) {
  ByteReader reader(AsBytes("abc"));
  uint32_t word;
  uint8_t byte;
  EXPECT_FALSE(reader.Read(&word));
  EXPECT_FALSE(reader.Skip(SIZE_MAX));
  EXPECT_TRUE(reader.Read(&byte));
  EXPECT_EQ(byte, 'a');
  EXPECT_EQ(reader.remaining(), 2u);
}

TEST(Checked, RefusesToWrap) {
  EXPECT_EQ(CheckedMul(size_t{1} << 32, size_t{1} << 31), size_t{1} << 63);
  EXPECT_EQ(CheckedMul(size_t{1} << 32, size_t{1} << 32), std::nullopt);
  EXPECT_EQ(CheckedAdd(SIZE_MAX, 1), std::nullopt);
  EXPECT_EQ(CheckedElements(std::vector<size_t>{}), 1u);
  EXPECT_EQ(CheckedElements(std::vector<size_t>{SIZE_MAX, SIZE_MAX, 0}), std::nullopt);
}

TEST(Paths, OnlySafeOnes) {
  for (const char* good : {"a", "voices/af_heart.bin", "a/b/c-d.e", "A_0"}) EXPECT_TRUE(IsSafePath(good)) << good;
  for (const char* bad : {"", "/a", "a/", "a//b", ".", "..", "a/..", "a/../b", ".hidden", "a/.b", "a\\b", "a b", "a:b",
                          "a\n", "\xC3\xA9", "a/./b"}) {
    EXPECT_FALSE(IsSafePath(bad)) << bad;
  }
  EXPECT_TRUE(IsSafePath(std::string(kMaxPathBytes, 'a')));
  EXPECT_FALSE(IsSafePath(std::string(kMaxPathBytes + 1, 'a')));
  EXPECT_TRUE(IsVoiceId(std::string(kMaxVoiceIdBytes, 'a')));
  EXPECT_FALSE(IsVoiceId(std::string(kMaxVoiceIdBytes + 1, 'a')));
  EXPECT_FALSE(IsVoiceId("af.heart"));
  EXPECT_FALSE(IsVoiceId(""));
}

TEST(Quoted, ShowsNoControls) {
  EXPECT_EQ(Quoted("af_heart"), "'af_heart'");
  EXPECT_EQ(Quoted("\u0259\x1B[2J\n\xFF\u0085"),
            "'\u0259?[2J?"
            "?"
            "?'");
  EXPECT_LE(Quoted(std::string(1000, 'x')).size(), 126u);
}

}  // namespace
}  // namespace koe::bundle
