// SPDX-License-Identifier: Apache-2.0
#include "bundle/safetensors.h"

#include <gtest/gtest.h>

#include "bundle/limits.h"
#include "bundle/testing/file_builders.h"

namespace koe::bundle {
namespace {

using testing::AppendLe;

std::string File(const std::string& header, const std::string& data) {
  std::string file;
  AppendLe<uint64_t>(header.size(), &file);
  return file + header + data;
}

std::string Reason(const std::string& file) {
  const auto entries = ReadSafetensors(AsBytes(file));
  if (entries) return "accepted";
  EXPECT_EQ(entries.error().code(), ErrorCode::kCorruptBundle);
  return entries.error().message();
}

std::string Entry(const std::string& rest) { return "{\"a\":{" + rest + "}}"; }

TEST(Safetensors, ReadsWhatItWrites) {
  const std::string data = "abc12345678";
  const Bytes bytes = AsBytes(data);
  const std::vector<SafetensorsEntry> written = {
      {"a", "I8", {3}, bytes.first(3)}, {"\u00E9\"b", "F32", {2, 1}, bytes.subspan(3)}, {"none", "F32", {0}, {}}};
  for (const size_t alignment : {8, 64}) {
    const std::string header = WriteSafetensorsHeader(written, alignment, {{"format", "x"}});
    EXPECT_EQ(header.size() % alignment, 0u);
    EXPECT_NE(header.find(R"("__metadata__":{"format":"x"})"), std::string::npos);
    const std::string file = header + data;
    const auto read = ReadSafetensors(AsBytes(file));
    ASSERT_TRUE(read) << read.error().message();
    ASSERT_EQ(read->size(), written.size());
    for (size_t i = 0; i < written.size(); ++i) {
      EXPECT_EQ((*read)[i].name, written[i].name);
      EXPECT_EQ((*read)[i].dtype, written[i].dtype);
      EXPECT_EQ((*read)[i].shape, written[i].shape);
      EXPECT_EQ(AsText((*read)[i].data), AsText(written[i].data));
    }
  }
  EXPECT_EQ(WriteSafetensorsHeader({}, 8), std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirData) {
  const std::string header =
      R"({"__metadata__":{"x":"y"},"b":{"dtype":"F32","shape":[2],"data_offsets":[3,11]},)"
      R"("a":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},"e":{"dtype":"F32","shape":[0],"data_offsets":[3,3]}})";
  const std::string file = File(header, "abc12345678");
  const auto entries = ReadSafetensors(AsBytes(file));
  ASSERT_TRUE(entries) << entries.error().message();
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ(AsText((*entries)[0].data), "abc");
  EXPECT_EQ((*entries)[1].name, "e");
  EXPECT_EQ(AsText((*entries)[2].data), "12345678");
  EXPECT_EQ((*entries)[2].shape, std::vector<size_t>{2});
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string file = testing::SafetensorsBytes({{"a", "F32", {3}, std::string(12, 'x')}, {"b", "U8", {1}, "y"}});
  EXPECT_EQ(Reason(file), "accepted");
  for (size_t size = 0; size < file.size(); ++size) EXPECT_NE(Reason(file.substr(0, size)), "accepted") << size;
  EXPECT_NE(Reason(file + "z").find("1 bytes after"), std::string::npos);
}

TEST(Safetensors, RefusesBadHeaders) {
  const std::string data(8, 'd');
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  EXPECT_EQ(Reason(File(Entry(good), data)), "accepted");
  for (const char* bad : {
           R"("dtype":"F32","shape":[2])",                                           // no offsets
           R"("dtype":"F32","data_offsets":[0,8])",                                  // no shape
           R"("shape":[2],"data_offsets":[0,8])",                                    // no type
           R"("dtype":"F32","shape":[3],"data_offsets":[0,8])",                      // another size
           R"("dtype":"F32","shape":[2],"data_offsets":[0,9])",                      // past the end
           R"("dtype":"F32","shape":[2],"data_offsets":[8,0])",                      // backwards
           R"("dtype":"F32","shape":[2],"data_offsets":[-8,0])",                     // negative
           R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])",                    // three
           R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])",                     // negative
           R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])",                    // a float
           R"("dtype":"F32","shape":["2"],"data_offsets":[0,8])",                    // text
           R"("dtype":1,"shape":[2],"data_offsets":[0,8])",                          // a number
           R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8])",      // rank 9
           R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])",  // 2^64 elements: 0 if it wrapped
           R"("dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8])",    // 4 n wraps to 8
           R"("dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8])",    // beyond int64
       }) {
    EXPECT_NE(Reason(File(Entry(bad), data)), "accepted") << bad;
  }
  for (const char* bad : {"[]", "1", "{\"a\":1}", "{\"\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"}) {
    EXPECT_NE(Reason(File(bad, data)), "accepted") << bad;
  }
}

TEST(Safetensors, RefusesHolesOverlapsAndDoubles) {
  const auto two = [](const char* a, const char* b, const char* name = "b") {
    return std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)") + a + R"(},")" + name +
           R"(":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}";
  };
  const std::string data(8, 'd');
  EXPECT_EQ(Reason(File(two("[0,4]", "[4,8]"), data)), "accepted");
  EXPECT_NE(Reason(File(two("[0,4]", "[2,6]"), data)), "accepted");
  EXPECT_NE(Reason(File(two("[0,4]", "[0,4]"), data)), "accepted");
  EXPECT_NE(Reason(File(two("[0,4]", "[5,9]"), data + "d")), "accepted");
  EXPECT_NE(Reason(File(two("[1,5]", "[5,9]"), data + "d")), "accepted");
  EXPECT_NE(Reason(File(two("[0,4]", "[4,8]", "a"), data)).find("twice"), std::string::npos);
}

TEST(Safetensors, RefusesAHugeHeaderWithoutReadingIt) {
  for (const uint64_t size :
       {uint64_t{kMaxSafetensorsHeaderBytes} + 1, uint64_t{1} << 40, UINT64_MAX, UINT64_MAX - 7}) {
    std::string file;
    AppendLe<uint64_t>(size, &file);
    EXPECT_NE(Reason(file + "{}").find("header of"), std::string::npos);
  }
  std::string file;
  AppendLe<uint64_t>(kMaxSafetensorsHeaderBytes, &file);
  EXPECT_NE(Reason(file + "{}").find("past the end"), std::string::npos);
  // The limit itself is read.
  EXPECT_EQ(Reason(File("{}" + std::string(kMaxSafetensorsHeaderBytes - 2, ' '), "")), "accepted");
}

}  // namespace
}  // namespace koe::bundle
