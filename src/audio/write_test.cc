// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>

#include "koe/koe.h"

namespace {
std::function<int(int)> fsync_hook;
}

// In place of the C library's, for a disk that fails.
extern "C" int fsync(int fd) { return fsync_hook ? fsync_hook(fd) : static_cast<int>(syscall(SYS_fsync, fd)); }

namespace koe {
namespace {

namespace fs = std::filesystem;

class WriteAudioTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "koe_write_test_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  static std::string Read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  static void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    return names;
  }

  fs::path folder_;
  const std::vector<float> samples_ = std::vector<float>(30000, 0.25f);
  const std::string wav_ = *EncodeAudio(samples_, AudioFormat::kWav);
};

TEST_F(WriteAudioTest, WritesTheEncodedBytesAndNothingElse) {
  ASSERT_TRUE(WriteAudio(samples_, Path("a.wav"), AudioFormat::kWav).has_value());
  EXPECT_EQ(Read(Path("a.wav")), wav_);
  EXPECT_EQ(Names(), std::vector<std::string>{"a.wav"});
}

TEST_F(WriteAudioTest, ReplacesAFileAndKeepsItsPermissions) {
  Write(Path("a.wav"), "old");
  ASSERT_EQ(chmod(Path("a.wav").c_str(), 0640), 0);
  ASSERT_TRUE(WriteAudio(samples_, Path("a.wav"), AudioFormat::kWav).has_value());
  EXPECT_EQ(Read(Path("a.wav")), wav_);
  EXPECT_EQ(fs::status(Path("a.wav")).permissions(), fs::perms(0640));
  EXPECT_EQ(Names().size(), 1u);
}

TEST_F(WriteAudioTest, FollowsASymbolicLink) {
  Write(Path("real.wav"), "old");
  fs::create_symlink("real.wav", Path("link.wav"));
  ASSERT_TRUE(WriteAudio(samples_, Path("link.wav"), AudioFormat::kWav).has_value());
  EXPECT_TRUE(fs::is_symlink(Path("link.wav")));
  EXPECT_EQ(Read(Path("real.wav")), wav_);
}

TEST_F(WriteAudioTest, FollowsDanglingLinksToTheFileTheyName) {
  fs::create_directory(Path("far"));
  fs::create_symlink(Path("far/real.wav"), Path("absolute.wav"));
  fs::create_symlink("absolute.wav", Path("chain.wav"));
  ASSERT_TRUE(WriteAudio(samples_, Path("chain.wav"), AudioFormat::kWav).has_value());
  EXPECT_TRUE(fs::is_symlink(Path("chain.wav")) && fs::is_symlink(Path("absolute.wav")));
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(Path("far/real.wav"))));
  EXPECT_EQ(Read(Path("chain.wav")), wav_);

  fs::create_symlink("../far/other.wav", Path("far/relative.wav"));
  ASSERT_TRUE(WriteAudio(samples_, Path("far/relative.wav"), AudioFormat::kWav).has_value());
  EXPECT_EQ(Read(Path("far/other.wav")), wav_);
  EXPECT_EQ(Names().size(), 3u);  // far and both links

  fs::create_symlink("nowhere/a.wav", Path("lost.wav"));
  const auto lost = WriteAudio(samples_, Path("lost.wav"), AudioFormat::kWav);
  EXPECT_EQ(lost.error().message(), "output: '" + Path("lost.wav") + "': No such file or directory");
  fs::create_symlink("circle.wav", Path("circle.wav"));
  const auto circle = WriteAudio(samples_, Path("circle.wav"), AudioFormat::kWav);
  EXPECT_EQ(circle.error().message(), "output: '" + Path("circle.wav") + "': Too many levels of symbolic links");
}

// fsync_hook decides; the file must be whole, and the old one in its place, by then.
TEST_F(WriteAudioTest, SyncsBeforeItRenames) {
  int result = 0;
  size_t num_synced = 0;
  fsync_hook = [&](int fd) {
    struct stat info;
    EXPECT_EQ(fstat(fd, &info), 0);
    EXPECT_EQ(static_cast<size_t>(info.st_size), wav_.size());
    EXPECT_EQ(Read(Path("a.wav")), "old");
    ++num_synced;
    errno = result;
    return result == 0 ? 0 : -1;
  };
  for (const int error : {EIO, ENOSPC, EINVAL, EROFS, 0}) {
    result = error;
    Write(Path("a.wav"), "old");
    const auto written = WriteAudio(samples_, Path("a.wav"), AudioFormat::kWav);
    const bool fails = error == EIO || error == ENOSPC;
    EXPECT_EQ(written.has_value(), !fails) << error;
    EXPECT_EQ(Read(Path("a.wav")), fails ? "old" : wav_) << error;
    EXPECT_EQ(Names().size(), 1u);
  }
  fsync_hook = nullptr;
  EXPECT_EQ(num_synced, 5u);
}

TEST_F(WriteAudioTest, TakesTheLongestFileName) {
  const std::string name = std::string(251, 'a') + ".wav";
  ASSERT_TRUE(WriteAudio(samples_, Path(name), AudioFormat::kWav).has_value());
  EXPECT_EQ(Names(), std::vector<std::string>{name});
}

TEST_F(WriteAudioTest, AFullDeviceIsAnErrorAndStaysADevice) {
  const auto result = WriteAudio(samples_, "/dev/full", AudioFormat::kWav);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), ErrorCode::kIo);
  EXPECT_EQ(result.error().message(), "output: '/dev/full': No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

// A limit on the size of files cuts the write off in the middle, as a full disk does.
TEST_F(WriteAudioTest, LeavesNothingWhenTheDiskFillsUp) {
  Write(Path("old.wav"), "old");
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{8192, limit.rlim_max};
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto fresh = WriteAudio(samples_, Path("new.wav"), AudioFormat::kWav);
  const auto replaced = WriteAudio(samples_, Path("old.wav"), AudioFormat::kWav);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(fresh.has_value());
  EXPECT_EQ(fresh.error().code(), ErrorCode::kIo);
  EXPECT_EQ(fresh.error().message(), "output: '" + Path("new.wav") + "': File too large");
  EXPECT_FALSE(replaced.has_value());
  EXPECT_EQ(Names(), std::vector<std::string>{"old.wav"});
  EXPECT_EQ(Read(Path("old.wav")), "old");
}

TEST_F(WriteAudioTest, SaysWhereItCannotWrite) {
  const auto directory = WriteAudio(samples_, folder_.string(), AudioFormat::kWav);
  EXPECT_EQ(directory.error().message(), "output: '" + folder_.string() + "': is a directory");
  EXPECT_EQ(directory.error().code(), ErrorCode::kIo);
  const auto missing = WriteAudio(samples_, Path("no/a.wav"), AudioFormat::kWav);
  EXPECT_EQ(missing.error().message(), "output: '" + Path("no/a.wav") + "': No such file or directory");
  EXPECT_EQ(WriteAudio(samples_, "", AudioFormat::kWav).error().code(), ErrorCode::kIo);
  EXPECT_TRUE(Names().empty());
}

TEST_F(WriteAudioTest, RespectsMissingRights) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  Write(Path("locked.wav"), "old");
  fs::permissions(Path("locked.wav"), fs::perms(0444));
  EXPECT_EQ(WriteAudio(samples_, Path("locked.wav"), AudioFormat::kWav).error().code(), ErrorCode::kIo);
  EXPECT_EQ(Read(Path("locked.wav")), "old");
  fs::permissions(folder_, fs::perms(0555));
  EXPECT_EQ(WriteAudio(samples_, Path("a.wav"), AudioFormat::kWav).error().code(), ErrorCode::kIo);
  fs::permissions(folder_, fs::perms(0755));
  EXPECT_EQ(Names(), std::vector<std::string>{"locked.wav"});
}

TEST_F(WriteAudioTest, WritesNoFileOfBadSamples) {
  auto samples = samples_;
  samples[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(WriteAudio(samples, Path("a.wav"), AudioFormat::kWav).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(WriteAudio({}, Path("a.wav"), AudioFormat::kWav).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(Names().empty());
}

}  // namespace
}  // namespace koe
