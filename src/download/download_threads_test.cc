// SPDX-License-Identifier: Apache-2.0
// Several fetches of one store at once, each with several transfers: nothing is shared without a lock.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/digest.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"
#include "download/fetch_bundle.h"

namespace koe::download {
namespace {

using bundle::testing::TinyArchitecture;

class DownloadThreadsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    bundle::testing::WriteFile(temp_ / "in/model.onnx", bundle::testing::TinyOnnx(bundle::testing::OnnxForm::kInt8));
    for (int i = 0; i < 12; ++i) {
      bundle::testing::WriteFile(temp_ / ("in/voices/af_" + std::to_string(i) + ".bin"),
                                 bundle::testing::TinyVoiceBin());
    }
    BundleBuildOptions build;
    build.weights_path = temp_ / "in/model.onnx";
    build.voices_dir = temp_ / "in/voices";
    build.output_dir = temp_ / "site";
    const auto built = bundle::BuildBundle(build, {}, TinyArchitecture());
    ASSERT_TRUE(built) << built.error().message();
    const std::string manifest = temp_ / "site/HostedManifest.json";
    options_.url = "file://" + manifest;
    options_.manifest_sha256 = bundle::Sha256Hex(bundle::AsBytes(bundle::testing::ReadFile(manifest)));
    options_.store_dir = temp_ / "store";
    options_.network.parallel = 8;
  }

  bundle::testing::TempDir temp_;
  FetchOptions options_;
};

TEST_F(DownloadThreadsTest, OneStoreManyThreads) {
  std::atomic<int> worked{0}, found{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      double last = 0;
      FetchOptions options = options_;
      options.progress = [&](const DownloadProgress& progress) {
        EXPECT_GE(progress.fraction, last);
        EXPECT_LE(progress.fraction, 1);
        last = progress.fraction;
      };
      const auto fetched = download::FetchBundle(options);
      ASSERT_TRUE(fetched) << fetched.error().message();
      EXPECT_EQ(last, 1);
      ++(fetched->was_current ? found : worked);
      EXPECT_EQ(fetched->bytes_transferred, fetched->was_current ? 0 : fetched->num_bytes);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(worked, 1);
  EXPECT_EQ(found, 3);
  EXPECT_TRUE(bundle::ValidateBundle(temp_ / "store", TinyArchitecture()));
}

TEST_F(DownloadThreadsTest, CancelFromAnotherThread) {
  CancelToken token;
  options_.cancel = &token;
  options_.progress = [&](const DownloadProgress& progress) {
    if (progress.phase == DownloadProgress::Phase::kDownloading) token.Cancel();
  };
  const auto fetched = download::FetchBundle(options_);  // a fetch of a few kilobytes may have ended by then
  if (!fetched) {
    EXPECT_EQ(fetched.error().code(), ErrorCode::kCancelled);
  }
  options_.cancel = nullptr;
  options_.progress = {};
  EXPECT_TRUE(download::FetchBundle(options_));
  EXPECT_TRUE(bundle::ValidateBundle(temp_ / "store", TinyArchitecture()));
}

}  // namespace
}  // namespace koe::download
