// SPDX-License-Identifier: Apache-2.0
#include "g2p/tagger_file.h"

#include <gtest/gtest.h>

#include <cstring>

namespace koe::g2p {
namespace {

std::span<const std::byte> Bytes(const std::string& s) { return std::as_bytes(std::span(s)); }

std::string SmallFile() {
  const TaggerSection sections[] = {
      {"first", std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8)}, {"empty", ""}, {"last", "x"}};
  return WriteTaggerFile(TaggerKind::kPerceptron, sections).value();
}

void FixChecksum(std::string* file) {
  const uint64_t checksum = tagger_file::Checksum(Bytes(*file).subspan(tagger_file::kHeaderBytes));
  std::memcpy(file->data() + tagger_file::kChecksumAt, &checksum, 8);
}

TEST(TaggerFile, ReadsWhatItWrites) {
  const std::string bytes = SmallFile();
  const auto file = TaggerFile::Open(Bytes(bytes));
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_EQ(file->kind(), TaggerKind::kPerceptron);
  EXPECT_EQ(file->Section("empty")->size(), 0u);
  EXPECT_EQ(file->Section("last")->size(), 1u);
  const auto first = file->Array<uint16_t>("first", 4);
  ASSERT_TRUE(first);
  EXPECT_EQ((*first)[1], 0x0403);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first->data()) - reinterpret_cast<uintptr_t>(bytes.data()), 192u);
  EXPECT_EQ(bytes.size() % tagger_file::kAlignment, 0u);
  EXPECT_EQ(file->Array<uint16_t>("first", 3).error().code(), ErrorCode::kCorruptBundle);
  EXPECT_EQ(file->Array<uint16_t>("last").error().code(), ErrorCode::kCorruptBundle);
  EXPECT_EQ(file->Section("none").error().code(), ErrorCode::kCorruptBundle);
  EXPECT_FALSE(file->HasSection("none"));
}

TEST(TaggerFile, RefusesBadNames) {
  for (const std::string name : {"", "0123456789abcdef", "a b"}) {
    const TaggerSection section = {name, "x"};
    EXPECT_FALSE(WriteTaggerFile(TaggerKind::kNetwork, std::span(&section, 1))) << name;
  }
  const TaggerSection twice[] = {{"a", "x"}, {"a", "y"}};
  EXPECT_FALSE(WriteTaggerFile(TaggerKind::kNetwork, twice));
  EXPECT_TRUE(WriteTaggerFile(TaggerKind::kNetwork, {}));
}

TEST(TaggerFile, NoticesEveryTruncationAndFlippedByte) {
  const std::string good = SmallFile();
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(TaggerFile::Open(Bytes(good).first(size))) << size;
  }
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x41);
    const auto file = TaggerFile::Open(Bytes(bad));
    // The kind is OpenTagger's to judge; bytes of the header without a meaning are not looked at.
    const bool is_kind = i >= tagger_file::kKindAt && i < tagger_file::kNumSectionsAt;
    const bool is_reserved = (i >= 20 && i < tagger_file::kFileBytesAt) || (i >= 40 && i < tagger_file::kHeaderBytes);
    EXPECT_EQ(file.has_value(), is_kind || is_reserved) << i;
  }
}

// Somebody who can compute the checksum gets an error or sections inside the file.
TEST(TaggerFile, BoundsSectionsOfAConsistentFile) {
  const std::string good = SmallFile();
  for (size_t i = tagger_file::kNumSectionsAt; i < good.size(); ++i) {
    for (const int value : {0x00, 0x01, 0x40, 0x7F, 0x80, 0xFF}) {
      std::string bad = good;
      bad[i] = static_cast<char>(value);
      FixChecksum(&bad);
      const auto file = TaggerFile::Open(Bytes(bad));
      if (!file) continue;
      for (const char* name : {"first", "empty", "last"}) {
        const auto section = file->Section(name);
        if (!section || section->empty()) continue;
        EXPECT_GE(section->data(), Bytes(bad).data());
        EXPECT_LE(section->data() + section->size(), Bytes(bad).data() + bad.size());
      }
    }
  }
}

}  // namespace
}  // namespace koe::g2p
