// SPDX-License-Identifier: Apache-2.0
// An engine's bundle that is fetched when it is opened.
#include <gtest/gtest.h>

#include "bundle/bundle.h"
#include "bundle/digest.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"
#include "koe/download.h"

namespace koe {
namespace {

using bundle::testing::TinyArchitecture;

class StoreProviderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    bundle::testing::WriteFile(temp_ / "in/model.onnx", bundle::testing::TinyOnnx(bundle::testing::OnnxForm::kInt8));
    bundle::testing::WriteFile(temp_ / "in/voices/af_heart.bin", bundle::testing::TinyVoiceBin());
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
  }
  Result<std::shared_ptr<const bundle::Bundle>> Open(const CancelToken* cancel = nullptr) {
    return bundle::Bundle::Open(
        MakeStoreProvider(options_), bundle::Digests::kOnce,
        [&](const ProviderProgress& now) { phases_ += std::string(now.phase) + " "; }, cancel, TinyArchitecture());
  }

  bundle::testing::TempDir temp_;
  FetchOptions options_;
  std::string phases_;
};

TEST_F(StoreProviderTest, FetchesThenFinds) {
  const auto fetched = Open();
  ASSERT_TRUE(fetched) << fetched.error().message();
  EXPECT_NE(phases_.find("ready"), std::string::npos);
  EXPECT_TRUE((*fetched)->OpenWeights());
  EXPECT_TRUE((*fetched)->LoadVoice("af_heart"));
  EXPECT_TRUE(Open());
}

TEST_F(StoreProviderTest, ErrorsAreThoseOfTheFetch) {
  options_.manifest_sha256 = std::string(64, '0');
  const auto refused = Open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kCorruptBundle);
  EXPECT_NE(refused.error().message().find("SHA-256 is"), std::string::npos);
}

TEST_F(StoreProviderTest, EitherTokenCancels) {
  CancelToken cancelled;
  cancelled.Cancel();
  const auto by_open = Open(&cancelled);
  ASSERT_FALSE(by_open);
  EXPECT_EQ(by_open.error().code(), ErrorCode::kCancelled);
  options_.cancel = &cancelled;
  const auto by_options = Open();
  ASSERT_FALSE(by_options);
  EXPECT_EQ(by_options.error().code(), ErrorCode::kCancelled);
  options_.cancel = nullptr;
  EXPECT_TRUE(Open());
}

// What an engine holds is not removed under it.
TEST_F(StoreProviderTest, GcLeavesWhatIsOpen) {
  const auto fetched = Open();
  ASSERT_TRUE(fetched) << fetched.error().message();
  bundle::testing::WriteFile(temp_ / "store/current", std::string(32, '0') + "\n");
  const auto garbage = CollectStoreGarbage(temp_ / "store");
  ASSERT_TRUE(garbage) << garbage.error().message();
  EXPECT_EQ(garbage->in_use, 1u);
  EXPECT_TRUE((*fetched)->OpenWeights());
}

}  // namespace
}  // namespace koe
