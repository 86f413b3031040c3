// SPDX-License-Identifier: Apache-2.0
// What BuildBundle makes of the dictionaries it is given; src/bundle tests the rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>

#include "bundle/limits.h"
#include "bundle/testing/temp_dir.h"
#include "koe/koe.h"

namespace koe {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DictionariesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"us_gold", "us_silver", "gb_gold", "gb_silver"}) {
      bundle::testing::WriteFile(Path(name), R"({"cat": "k\u02c8\u00e6t"})");
    }
  }
  std::string Path(const std::string& name) const { return temp_ / ("in/" + name + ".json"); }
  // The error of a build that reads the dictionaries before it misses the weights.
  Error Build() const {
    BundleBuildOptions options;
    options.lexicons_dir = temp_ / "in";
    options.g2p_dir = g2p_dir_;
    options.weights_path = temp_ / "missing.onnx";
    options.output_dir = temp_ / "out";
    options.profile = "custom";
    const auto start = std::chrono::steady_clock::now();
    const auto built = BuildBundle(options);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
    EXPECT_FALSE(fs::exists(options.output_dir));
    return built ? Error(ErrorCode::kInternal, "built") : built.error();
  }
  void ExpectRefused(ErrorCode code, const std::string& reason) const {
    const Error error = Build();
    EXPECT_EQ(error.code(), code) << error.message();
    EXPECT_EQ(error.message(), "file: " + Path("us_silver") + ": " + reason);
  }
  bundle::testing::TempDir temp_;
  std::string g2p_dir_;
};

TEST_F(DictionariesTest, MayBeLinksToFiles) {
  fs::rename(Path("us_silver"), temp_ / "elsewhere");
  fs::create_symlink(temp_ / "elsewhere", Path("us_silver"));
  EXPECT_THAT(Build().message(), testing::AnyOf(HasSubstr("missing.onnx"), HasSubstr("voices")));
}

TEST_F(DictionariesTest, AreNotReadFromDevicesAndPipes) {
  fs::remove(Path("us_silver"));
  ExpectRefused(ErrorCode::kNotFound, "missing");
  fs::create_symlink("/dev/zero", Path("us_silver"));
  ExpectRefused(ErrorCode::kNotFound, "not a regular file");
  fs::remove(Path("us_silver"));
  ASSERT_EQ(mkfifo(Path("us_silver").c_str(), 0600), 0);
  ExpectRefused(ErrorCode::kNotFound, "not a regular file");
  fs::remove(Path("us_silver"));
  fs::create_directory(Path("us_silver"));
  ExpectRefused(ErrorCode::kNotFound, "not a regular file");
  fs::remove(Path("us_silver"));
  fs::create_symlink(Path("us_silver"), Path("us_silver"));
  ExpectRefused(ErrorCode::kNotFound, "too many symbolic links");
}

TEST_F(DictionariesTest, ComeWithModelsThatAreReadBeforeAnythingIsWritten) {
  g2p_dir_ = temp_ / "models";
  EXPECT_EQ(Build().message(), "g2p: '" + g2p_dir_ + "': has neither en.tagger nor en.l2s");
  fs::create_directory(g2p_dir_);
  EXPECT_EQ(Build().code(), ErrorCode::kNotFound);
  for (const char* name : {"/en.tagger", "/en.l2s"}) {
    bundle::testing::WriteFile(g2p_dir_ + name, "neither");
    const Error error = Build();
    EXPECT_EQ(error.code(), ErrorCode::kCorruptBundle);
    EXPECT_THAT(error.message(), HasSubstr(g2p_dir_ + name));
    fs::copy_file(std::string(KOE_SOURCE_DIR) + "/data/g2p" + name, g2p_dir_ + name,
                  fs::copy_options::overwrite_existing);
    EXPECT_THAT(Build().message(), testing::Not(HasSubstr(name)));
  }
}

TEST_F(DictionariesTest, AreRefusedAboveTheLimitBeforeTheyAreRead) {
  fs::resize_file(Path("us_silver"), bundle::kMaxDictionaryBytes + 1);  // a hole: takes no room
  ExpectRefused(ErrorCode::kCorruptBundle, "more than " + std::to_string(bundle::kMaxDictionaryBytes) + " bytes");
  fs::resize_file(Path("us_silver"), uint64_t{1} << 40);
  ExpectRefused(ErrorCode::kCorruptBundle, "more than " + std::to_string(bundle::kMaxDictionaryBytes) + " bytes");
}

TEST_F(DictionariesTest, ThatAreNotDictionariesAreNamed) {
  bundle::testing::WriteFile(Path("us_gold"), "[");
  const Error error = Build();
  EXPECT_EQ(error.code(), ErrorCode::kCorruptBundle);
  EXPECT_THAT(error.message(), HasSubstr("dictionary: " + Path("us_gold")));
}

}  // namespace
}  // namespace koe
