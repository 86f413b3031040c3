// SPDX-License-Identifier: Apache-2.0
// Builds that cannot end: no room, killed at any moment. The bundle that was there stays, or the new one stands whole.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "bundle/bundle.h"
#include "bundle/testing/mutator.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"

namespace koe::bundle {
namespace {

using testing::ReadFile;
using testing::TinyArchitecture;

class BundleFaultsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::WriteFile(temp_ / "in/model.onnx", testing::TinyOnnx(testing::OnnxForm::kInt8));
    testing::WriteFile(temp_ / "in/voices/af_heart.bin", testing::TinyVoiceBin());
    std::filesystem::create_directory(temp_ / "out");
    options_.weights_path = temp_ / "in/model.onnx";
    options_.voices_dir = temp_ / "in/voices";
    options_.output_dir = temp_ / "out/bundle";
  }
  size_t NumFilesInOut() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(temp_ / "out")) ++count;
    return count;
  }

  testing::TempDir temp_;
  BundleBuildOptions options_;
};

// A limit on the size of files stands for a full disk: write fails at each place in turn.
TEST_F(BundleFaultsTest, WithoutRoomTheOldBundleStays) {
  ASSERT_TRUE(bundle::BuildBundle(options_, {}, TinyArchitecture()));
  const std::string before = ReadFile(options_.output_dir + "/HostedManifest.json");
  const size_t largest = ReadFile(options_.output_dir + "/weights.safetensors").size();
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  size_t refused = 0;
  for (rlim_t limit = 0; limit < largest; limit += 37) {
    const rlimit low{limit, old.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &low), 0);
    const auto built = bundle::BuildBundle(options_, {}, TinyArchitecture());
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
    ASSERT_FALSE(built) << limit;
    EXPECT_EQ(built.error().code(), ErrorCode::kIo) << built.error().message();
    EXPECT_EQ(ReadFile(options_.output_dir + "/HostedManifest.json"), before);
    EXPECT_EQ(NumFilesInOut(), 1u);
    ++refused;
  }
  signal(SIGXFSZ, old_handler);
  EXPECT_GT(refused, 100u);
  EXPECT_TRUE(ValidateBundle(options_.output_dir, TinyArchitecture()));
}

TEST_F(BundleFaultsTest, KilledBuildsLeaveAWholeBundle) {
  ASSERT_TRUE(bundle::BuildBundle(options_, {}, TinyArchitecture()));
  testing::Mutator random(4711);
  const char* count_text = std::getenv("KOE_KILLS");
  const size_t count = count_text != nullptr ? std::strtoull(count_text, nullptr, 10) : 60;
  size_t left_behind = 0;
  for (size_t i = 0; i < count; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (;;) {
        if (!bundle::BuildBundle(options_, {}, TinyArchitecture())) _exit(1);
      }
    }
    usleep(static_cast<useconds_t>(500 + random.Below(8000)));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the build itself failed";
    const auto report = ValidateBundle(options_.output_dir, TinyArchitecture());
    ASSERT_TRUE(report) << "kill " << i << ": " << report.error().message();
    // At most what one build had in hand, and the next build removes it.
    EXPECT_LE(NumFilesInOut(), 2u);
    left_behind += NumFilesInOut() - 1;
  }
  std::printf("%zu kills, %zu within a build\n", count, left_behind);
  ASSERT_TRUE(bundle::BuildBundle(options_, {}, TinyArchitecture()));
  EXPECT_EQ(NumFilesInOut(), 1u);
}

// A build that lives is not taken for abandoned.
TEST_F(BundleFaultsTest, TwoBuildsOfOneTargetBothEnd) {
  pid_t children[3];
  for (pid_t& child : children) {
    child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      for (int i = 0; i < 40; ++i) {
        if (!bundle::BuildBundle(options_, {}, TinyArchitecture())) _exit(1);
      }
      _exit(0);
    }
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_TRUE(ValidateBundle(options_.output_dir, TinyArchitecture()));
  EXPECT_EQ(NumFilesInOut(), 1u);
}

}  // namespace
}  // namespace koe::bundle
