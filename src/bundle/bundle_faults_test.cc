// SPDX-License-Identifier: Apache-2.0
// Builds that cannot end: no room, killed at any moment. The bundle that was there stays, or the new one stands whole.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>
#include <tuple>

#include "bundle/bundle.h"
#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/manifests/release.h"
#include "bundle/publish.h"
#include "bundle/testing/fault_points.h"
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
  size_t NumFilesIn(const std::string& folder) const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(temp_ / folder)) ++count;
    return count;
  }
  size_t NumFilesInOut() const { return NumFilesIn("out"); }
  static size_t NumKills() {
    const char* text = std::getenv("KOE_KILLS");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : 100;
  }
  static std::chrono::microseconds TimeOf(const std::function<bool()>& work) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(work());
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  }
  // `work` over and over in a process of its own, killed at a random moment before `latest`.
  static void RunAndKill(const std::function<bool()>& work, std::chrono::microseconds latest,
                         testing::Mutator* random) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      while (work()) continue;
      _exit(1);
    }
    std::this_thread::sleep_for(
        std::chrono::microseconds(500 + random->Below(static_cast<size_t>(std::max<int64_t>(latest.count(), 8000)))));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the work itself failed";
  }
  // Its release manifest is readable and every file that it leads to has its digest. Returns its serial.
  static uint64_t ExpectWholeSite(const std::string& site) {
    const auto release = ReleaseManifest::Parse(ReadFile(site + "/sdk/SDKReleaseManifest.json"));
    EXPECT_TRUE(release) << release.error().message();
    if (!release) return 0;
    EXPECT_FALSE(release->profiles.empty());
    for (const ReleaseProfile& profile : release->profiles) {
      const std::string text = ReadFile(site + "/" + profile.hosted_manifest_record.path);
      EXPECT_EQ(Sha256Hex(AsBytes(text)), profile.hosted_manifest_record.sha256);
      const auto hosted = HostedManifest::Parse(text);
      EXPECT_TRUE(hosted);
      const std::string folder = site + "/sdk/" + profile.profile + "/";
      for (const FileRecord& file : hosted ? hosted->files : std::vector<FileRecord>()) {
        EXPECT_EQ(Sha256Hex(AsBytes(ReadFile(folder + file.path))), file.sha256) << file.path;
      }
    }
    return release->serial;
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
  const auto build = [this] { return bundle::BuildBundle(options_, {}, TinyArchitecture()).has_value(); };
  const auto latest = 2 * TimeOf(build);
  testing::Mutator random(4711);
  const size_t count = NumKills();
  size_t left_behind = 0;
  for (size_t i = 0; i < count; ++i) {
    ASSERT_NO_FATAL_FAILURE(RunAndKill(build, latest, &random));
    const auto report = ValidateBundle(options_.output_dir, TinyArchitecture());
    ASSERT_TRUE(report) << "kill " << i << ": " << report.error().message();
    // At most what one build had in hand, and the next build removes it.
    EXPECT_LE(NumFilesInOut(), 2u);
    left_behind += NumFilesInOut() - 1;
  }
  std::printf("%zu kills, %zu within a build\n", count, left_behind);
  ASSERT_TRUE(build());
  EXPECT_EQ(NumFilesInOut(), 1u);
}

TEST_F(BundleFaultsTest, KilledPublishesLeaveAWholeSite) {
  ASSERT_TRUE(bundle::BuildBundle(options_, {}, TinyArchitecture()));
  PublishOptions options;
  options.bundle_dir = options_.output_dir;
  options.site_dir = temp_ / "sites/site";
  const auto publish = [&options] { return PublishBundle(options, TinyArchitecture()).has_value(); };
  const auto latest = 2 * TimeOf(publish);
  testing::Mutator random(4712);
  const size_t count = NumKills();
  uint64_t last = 1;
  for (size_t i = 0; i < count; ++i) {
    ASSERT_NO_FATAL_FAILURE(RunAndKill(publish, latest, &random));
    const uint64_t serial = ExpectWholeSite(options.site_dir);
    ASSERT_GE(serial, last) << "kill " << i;
    last = serial;
  }
  EXPECT_GT(last, 1u);
  ASSERT_TRUE(publish());
  EXPECT_EQ(NumFilesIn("sites"), 1u);
}

// Every call that changes the file system fails in turn, once or from then on, with each error: a build or a publish
// over an old one ends in an error or in the new one, whole either way, and the next one finishes.
class EveryCallFailsTest : public BundleFaultsTest, public ::testing::WithParamInterface<bool> {};

TEST_P(EveryCallFailsTest, BuildsLeaveTheOldBundleOrTheNew) {
  const bool no_exchange = GetParam();
  const auto serial_after = [&](uint64_t serial, const testing::Faults& faults, Result<void>* result) {
    options_.serial = serial;
    testing::SetFaults(faults);
    *result = bundle::BuildBundle(options_, {}, TinyArchitecture());
  };
  Result<void> built;
  serial_after(1, {}, &built);
  ASSERT_TRUE(built);
  serial_after(2, {0, false, 0, false, no_exchange}, &built);
  ASSERT_TRUE(built);
  const size_t num_calls = testing::NumCalls();
  ASSERT_GT(num_calls, 20u);
  uint64_t serial = 2;
  size_t num_new = 0;
  for (const auto& [error, keeps, is_short] :
       {std::tuple{ENOSPC, true, true}, std::tuple{EIO, false, false}, std::tuple{EIO, true, false}}) {
    for (size_t n = 1; n <= num_calls; ++n) {
      const uint64_t old = serial;
      serial_after(old + 1, {n, keeps, error, is_short, no_exchange}, &built);
      const bool failed = testing::HasFailed();
      testing::SetFaults({});
      EXPECT_TRUE(failed) << n;
      const auto report = ValidateBundle(options_.output_dir, TinyArchitecture());
      // Where the old one stood aside and could not be put back, the next build does that; see below.
      if (!report && no_exchange && keeps) {
        serial_after(old + 1, {}, &built);
        ASSERT_TRUE(built);
      } else {
        ASSERT_TRUE(report) << "call " << n << ", error " << error << ": " << report.error().message();
        serial = report->serial;
        EXPECT_TRUE(serial == old || serial == old + 1);
        if (built) {
          EXPECT_EQ(serial, old + 1);
        } else {
          EXPECT_EQ(built.error().code(), ErrorCode::kIo) << built.error().message();
        }
      }
      num_new += serial != old;
      serial = old + 1;
      serial_after(serial, {0, false, 0, false, no_exchange}, &built);
      ASSERT_TRUE(built) << "after call " << n;
      EXPECT_EQ(NumFilesIn("out"), 1u) << "after call " << n;
    }
  }
  std::printf("%zu calls, %zu failures ended in the new bundle\n", num_calls, num_new);
}

TEST_P(EveryCallFailsTest, PublishesLeaveTheOldSiteOrTheNew) {
  ASSERT_TRUE(bundle::BuildBundle(options_, {}, TinyArchitecture()));
  PublishOptions publish;
  publish.bundle_dir = options_.output_dir;
  publish.site_dir = temp_ / "sites/site";
  ASSERT_TRUE(PublishBundle(publish, TinyArchitecture()));
  testing::SetFaults({0, false, 0, false, GetParam()});
  ASSERT_TRUE(PublishBundle(publish, TinyArchitecture()));
  const size_t num_calls = testing::NumCalls();
  for (const auto& [error, is_short] : {std::pair{ENOSPC, true}, std::pair{EIO, false}}) {
    for (size_t n = 1; n <= num_calls; ++n) {
      const uint64_t old = ExpectWholeSite(publish.site_dir);
      testing::SetFaults({n, false, error, is_short, GetParam()});
      const auto published = PublishBundle(publish, TinyArchitecture());
      testing::SetFaults({});
      const uint64_t serial = ExpectWholeSite(publish.site_dir);
      if (published) {
        EXPECT_EQ(serial, old + 1);
      } else {
        EXPECT_EQ(published.error().code(), ErrorCode::kIo) << published.error().message();
        EXPECT_TRUE(serial == old || serial == old + 1);
      }
      EXPECT_EQ(NumFilesIn("sites"), 1u) << "after call " << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(FileSystems, EveryCallFailsTest, ::testing::Values(false, true),
                         [](const auto& variant) { return variant.param ? "WithoutExchange" : "WithExchange"; });

// Killed between the two renames of a file system without exchange: the next build finds the old bundle.
TEST_F(BundleFaultsTest, WhatStoodAsideIsPutBack) {
  ASSERT_TRUE(bundle::BuildBundle(options_, {}, TinyArchitecture()));
  std::filesystem::rename(options_.output_dir, temp_ / "out/.bundle.koe-build-abcdefgh.old");
  BundleBuildOptions broken = options_;
  broken.precision = "int3";  // fails before anything is written
  EXPECT_FALSE(bundle::BuildBundle(broken, {}, TinyArchitecture()));
  {
    const auto staging = StagingDirectory::Create(options_.output_dir);
    ASSERT_TRUE(staging);
    EXPECT_TRUE(ValidateBundle(options_.output_dir, TinyArchitecture()));
  }
  EXPECT_EQ(NumFilesIn("out"), 1u);
  // Where there is a target, what stands aside is rubbish.
  std::filesystem::create_directory(temp_ / "out/.bundle.koe-build-abcdefgh.old");
  ASSERT_TRUE(StagingDirectory::Create(options_.output_dir));
  EXPECT_EQ(NumFilesIn("out"), 1u);
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
