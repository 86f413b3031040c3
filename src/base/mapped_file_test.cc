// SPDX-License-Identifier: Apache-2.0
#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>

namespace koe {
namespace {

TEST(MappedFileTest, MapsContentsAndReportsErrors) {
  const std::string dir = testing::TempDir();
  const std::string path = dir + "/koe_mapped_file_test";
  std::ofstream(path, std::ios::binary) << "abc";
  {
    auto file = MappedFile::Open(path);
    ASSERT_TRUE(file.has_value());
    ASSERT_EQ(file->bytes().size(), 3u);
    EXPECT_EQ(std::memcmp(file->bytes().data(), "abc", 3), 0);
    MappedFile moved = std::move(*file);
    EXPECT_EQ(moved.bytes().size(), 3u);
  }
  std::ofstream(path, std::ios::binary | std::ios::trunc);
  auto empty = MappedFile::Open(path);
  ASSERT_TRUE(empty.has_value());
  EXPECT_TRUE(empty->bytes().empty());
  std::filesystem::remove(path);

  auto missing = MappedFile::Open(path);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message().find(path), std::string::npos);
  auto directory = MappedFile::Open(dir);
  ASSERT_FALSE(directory.has_value());
  EXPECT_EQ(directory.error().code(), ErrorCode::kIo);
}

TEST(MappedFileTest, DoesNotWaitForAPipe) {
  const std::string path = testing::TempDir() + "/koe_mapped_file_test_pipe";
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const auto pipe = MappedFile::Open(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(pipe.has_value());
  EXPECT_EQ(pipe.error().code(), ErrorCode::kIo);
}

}  // namespace
}  // namespace koe
