// SPDX-License-Identifier: Apache-2.0
// Tests against the PyTorch reference with the real weights: skipped where the goldens or the bundle are absent.
#ifndef KOE_TESTS_SUPPORT_GOLDEN_TEST_FIXTURE_H_
#define KOE_TESTS_SUPPORT_GOLDEN_TEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "support/golden.h"
#include "support/machine.h"
#include "support/model.h"
#include "support/recorder.h"

#define KOE_ASSERT_OK(result) ASSERT_TRUE((result).has_value()) << (result).error().message()

namespace koe::test_support {

// A sanitizer makes the seven seconds of the longest golden into minutes and sees nothing in it that the shortest
// lacks.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kIsSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kIsSanitized = false;
#endif

// What the design demands of a stage that is fed the reference's own inputs.
inline constexpr double kMinStageSnrDb = 100;

class GoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    auto goldens = Golden::All();
    KOE_ASSERT_OK(goldens);
    goldens_ = std::move(*goldens);
    if (goldens_.empty()) GTEST_SKIP() << "no goldens: set KOE_SHARED";
    if (kIsSanitized) goldens_.erase(goldens_.begin() + 1, goldens_.end());
    auto weights = BundleWeights();
    KOE_ASSERT_OK(weights);
    weights_ = std::move(*weights);
    if (weights_ == nullptr) GTEST_SKIP() << "no bundle: set KOE_BUNDLE";
  }

  // Prints the distance of a tensor to the golden's and demands at least `min_db`.
  static void ExpectClose(const Golden& golden, const std::string& name, double snr_db, double min_db) {
    std::printf("%s %s: %.1f dB\n", golden.name().c_str(), name.c_str(), snr_db);
    EXPECT_GE(snr_db, min_db) << golden.name() << " " << name;
  }
  // The same for tensors that a stage has shown; every name must be among them.
  static void ExpectClose(const Golden& golden, const Recorder& recorder, const std::vector<std::string>& names,
                          double min_db = kMinStageSnrDb) {
    for (const std::string& name : names) {
      const auto it = recorder.tensors.find(name);
      ASSERT_NE(it, recorder.tensors.end()) << name << " was not shown";
      ExpectClose(golden, name, SnrDb(it->second.view(), golden.Matrix(name)), min_db);
    }
  }

  std::vector<Golden> goldens_;  // the shortest first
  std::shared_ptr<const bundle::Weights> weights_;
};

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_GOLDEN_TEST_FIXTURE_H_
