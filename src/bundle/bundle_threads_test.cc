// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/testing/synthetic.h"
#include "bundle/testing/temp_dir.h"

namespace koe::bundle {
namespace {

using testing::TinyArchitecture;

TEST(BundleThreads, ManyThreadsShareOneBundle) {
  testing::TempDir temp;
  testing::WriteFile(temp / "in/model.onnx", testing::TinyOnnx(testing::OnnxForm::kInt8));
  testing::WriteFile(temp / "in/voices/af_heart.bin", testing::TinyVoiceBin());
  BundleBuildOptions options;
  options.weights_path = temp / "in/model.onnx";
  options.voices_dir = temp / "in/voices";
  options.output_dir = temp / "bundle";
  ASSERT_TRUE(bundle::BuildBundle(options, {}, TinyArchitecture()));
  for (int round = 0; round < 20; ++round) {
    const auto opened = Bundle::Open(options.output_dir, Digests::kOnce, TinyArchitecture());
    ASSERT_TRUE(opened);
    const std::shared_ptr<const Bundle>& shared = *opened;
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const auto voice = shared->LoadVoice("af_heart");
        const auto weights = shared->OpenWeights();
        if (voice && (*voice)[0] == -1.0f && weights && (*weights)->Find("alpha") != nullptr) ++good;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(good, 4);
  }
}

}  // namespace
}  // namespace koe::bundle
