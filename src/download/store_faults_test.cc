// SPDX-License-Identifier: Apache-2.0
// Disks that fail: every call that changes the store fails in turn, once or from then on. The current version is the
// old one or the new one, whole, and the next fetch mends the rest.
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "bundle/bundle.h"
#include "bundle/digest.h"
#include "bundle/store_path.h"
#include "bundle/testing/fault_points.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"
#include "download/fetch_bundle.h"

namespace koe::download {
namespace {

namespace fs = std::filesystem;
using bundle::testing::Call;
using bundle::testing::ReadFile;
using bundle::testing::TinyArchitecture;

class StoreFaultsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"af_heart", "bf_emma"}) {
      bundle::testing::WriteFile(temp_ / ("in/voices/" + name + ".bin"), bundle::testing::TinyVoiceBin());
    }
    WriteModel(bundle::testing::OnnxForm::kInt8);
    Build("old", "starter");
    WriteModel(bundle::testing::OnnxForm::kFp32);  // the voice is shared, the weights are not
    Build("new", "full");
  }
  void WriteModel(bundle::testing::OnnxForm form) {
    bundle::testing::WriteFile(temp_ / "in/model.onnx", bundle::testing::TinyOnnx(form));
  }
  void Build(const std::string& name, const std::string& profile) {
    BundleBuildOptions options;
    options.weights_path = temp_ / "in/model.onnx";
    options.voices_dir = temp_ / "in/voices";
    options.output_dir = temp_ / name;
    options.profile = profile;
    const auto built = bundle::BuildBundle(options, {}, TinyArchitecture());
    ASSERT_TRUE(built) << built.error().message();
  }
  FetchOptions Options(const std::string& name) const {
    const std::string manifest = temp_ / (name + "/HostedManifest.json");
    FetchOptions options;
    options.url = "file://" + manifest;
    options.manifest_sha256 = bundle::Sha256Hex(bundle::AsBytes(ReadFile(manifest)));
    options.store_dir = temp_ / "store";
    options.network.backoff_seconds = 0;
    options.network.parallel = 1;  // the same calls in the same order
    return options;
  }
  static std::map<std::string, std::string> Contents(const std::string& dir) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(dir)) {
      if (entry.is_regular_file()) {
        files[entry.path().lexically_relative(dir).string()] = ReadFile(entry.path().string());
      }
    }
    return files;
  }
  // Of the version that counts: "old", "new", "neither".
  std::string Current() const {
    const auto dir = bundle::ResolveStore(temp_ / "store");
    if (!dir) return dir.error().message();
    const auto files = Contents(*dir);
    return files == Contents(temp_ / "old") ? "old" : files == Contents(temp_ / "new") ? "new" : "neither";
  }
  void StartWithOld() {
    fs::remove_all((temp_ / "store"));
    const auto fetched = download::FetchBundle(Options("old"));
    ASSERT_TRUE(fetched) << fetched.error().message();
    ASSERT_EQ(Current(), "old");
  }
  // Returns the number of calls that were failed in turn.
  size_t FailEach(Call only, bool keeps_failing, int error) {
    for (size_t at = 1;; ++at) {
      StartWithOld();
      bundle::testing::SetFaults({at, keeps_failing, error, true, false, only});
      const auto fetched = download::FetchBundle(Options("new"));
      const bool has_failed = bundle::testing::HasFailed();
      bundle::testing::SetFaults({});
      if (fetched) {
        EXPECT_EQ(Current(), "new") << at;
      } else {
        EXPECT_EQ(fetched.error().code(), ErrorCode::kIo) << fetched.error().message();
        const std::string current = Current();
        EXPECT_TRUE(current == "old" || current == "new") << "call " << at << ": " << current;
      }
      if (!has_failed) return at - 1;
      const auto again = download::FetchBundle(Options("new"));
      EXPECT_TRUE(again) << again.error().message();
      EXPECT_EQ(Current(), "new") << at;
      if (HasFailure()) return at;
    }
  }

  bundle::testing::TempDir temp_;
};

TEST_F(StoreFaultsTest, EveryWriteOnAFullDisk) { EXPECT_GE(FailEach(Call::kWrite, true, ENOSPC), 8u); }
TEST_F(StoreFaultsTest, EveryWriteFailsOnce) { EXPECT_GE(FailEach(Call::kWrite, false, EIO), 8u); }
TEST_F(StoreFaultsTest, EveryRenameFails) { EXPECT_GE(FailEach(Call::kRename, true, EIO), 5u); }
TEST_F(StoreFaultsTest, EverySyncFails) { EXPECT_GE(FailEach(Call::kSync, true, EIO), 10u); }
TEST_F(StoreFaultsTest, EveryCallFailsOnce) { EXPECT_GE(FailEach(Call::kAny, false, EIO), 40u); }
TEST_F(StoreFaultsTest, EveryCallFailsFromThereOn) { EXPECT_GE(FailEach(Call::kAny, true, EROFS), 40u); }

TEST_F(StoreFaultsTest, RoomIsLookedAtFirst) {
  StartWithOld();
  bundle::testing::Faults full;
  full.free = 1000;
  bundle::testing::SetFaults(full);
  const auto fetched = download::FetchBundle(Options("new"));
  bundle::testing::SetFaults({});
  ASSERT_FALSE(fetched);
  EXPECT_EQ(fetched.error().code(), ErrorCode::kIo);
  EXPECT_NE(fetched.error().message().find("1000 are free"), std::string::npos);
  EXPECT_EQ(Current(), "old");
}

TEST_F(StoreFaultsTest, AStoreIsFoundAsABundle) {
  StartWithOld();
  const auto report = bundle::ReadBundle(*bundle::FindBundle(temp_ / "store"));
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->profile, "starter");
  EXPECT_TRUE(bundle::Bundle::Open(temp_ / "store", bundle::Digests::kAlways, TinyArchitecture()));
}

// An open bundle outlives its version: gc leaves it alone.
TEST_F(StoreFaultsTest, WhatAnEngineHasOpenStays) {
  StartWithOld();
  auto open = bundle::Bundle::Open(temp_ / "store", bundle::Digests::kOnce, TinyArchitecture());
  ASSERT_TRUE(open) << open.error().message();
  ASSERT_TRUE(download::FetchBundle(Options("new")));
  const auto garbage = download::CollectStoreGarbage(temp_ / "store", nullptr);
  ASSERT_TRUE(garbage) << garbage.error().message();
  EXPECT_EQ(garbage->in_use, 1u);
  EXPECT_TRUE((*open)->OpenWeights());
  open->reset();
  EXPECT_EQ(download::CollectStoreGarbage(temp_ / "store", nullptr)->removed.size(), 1u);
  EXPECT_EQ(Current(), "new");
}

}  // namespace
}  // namespace koe::download
