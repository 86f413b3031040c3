// SPDX-License-Identifier: Apache-2.0
#include "stages/duration/duration.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>

#include "support/golden_test_fixture.h"
#include "support/synthetic_test_fixture.h"

namespace koe::stages {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

// Everything a run gives, as numbers.
std::vector<float> Numbers(const Duration::Output& output) {
  std::vector<float> numbers(output.durations.begin(), output.durations.end());
  for (const ConstMatrix x : {output.duration_features, output.text_features}) {
    const std::vector<float> values = test_support::Flatten(x);
    numbers.insert(numbers.end(), values.begin(), values.end());
  }
  return numbers;
}

class DurationGoldenTest : public test_support::GoldenTest {
 protected:
  static Duration::Input InputOf(const test_support::Golden& golden) {
    return {golden.Integers("token_ids"), golden.prosody_style(), golden.speed()};
  }
};

TEST_F(DurationGoldenTest, EqualsTheReference) {
  const auto stage = MakeDurationCpu(*weights_, test_support::BestKernels());
  KOE_ASSERT_OK(stage);
  test_support::Machine machine(test_support::BestKernels(), 2);
  for (const test_support::Golden& golden : goldens_) {
    test_support::Recorder recorder;
    machine.arena.Reset();
    const auto output = (*stage)->Run(InputOf(golden), machine.context(&recorder));
    KOE_ASSERT_OK(output);
    EXPECT_THAT(output->durations, testing::ElementsAreArray(golden.Integers("pred_dur"))) << golden.name();
    ExpectClose(golden, recorder, {"bert_dur", "d_en", "d", "t_en"});
    // How near a rounding came to going the other way.
    float margin = 1;
    for (const float frames : recorder.tensors["duration"].values) {
      margin = std::min(margin, std::abs(frames - std::floor(frames) - 0.5f));
    }
    std::printf("%s pred_dur: %zu tokens equal, margin to .5: %.2g\n", golden.name().c_str(), output->durations.size(),
                static_cast<double>(margin));
  }
}

TEST_F(DurationGoldenTest, OtherTargetsGiveTheSameDurations) {
  for (const kernels::Target target : kernels::SupportedTargets()) {
    const auto stage = MakeDurationCpu(*weights_, kernels::KernelsFor(target));
    KOE_ASSERT_OK(stage);
    test_support::Machine machine(kernels::KernelsFor(target), 2);
    for (const test_support::Golden& golden : goldens_) {
      const auto output = (*stage)->Run(InputOf(golden), machine.context());
      KOE_ASSERT_OK(output);
      EXPECT_THAT(output->durations, testing::ElementsAreArray(golden.Integers("pred_dur")))
          << golden.name() << " " << kernels::TargetName(target);
      if (target == kernels::Target::kScalar) break;  // slow: the shortest will do
    }
  }
}

TEST_F(DurationGoldenTest, IsTheSameOnEveryPool) {
  const auto stage = MakeDurationCpu(*weights_, test_support::BestKernels());
  KOE_ASSERT_OK(stage);
  bool same = false;
  test_support::RunOnPools(
      test_support::BestKernels(),
      [&](test_support::Machine& machine) {
        const auto output = (*stage)->Run(InputOf(goldens_.front()), machine.context());
        return output.has_value() ? Numbers(*output) : std::vector<float>();
      },
      &same);
  EXPECT_TRUE(same);
}

class DurationTest : public testing::Test {
 protected:
  void SetUp() override {
    auto stage = MakeDurationCpu(test_support::SharedSyntheticWeights(), test_support::BestKernels());
    KOE_ASSERT_OK(stage);
    stage_ = std::move(*stage);
  }
  Result<Duration::Output> Run(const std::vector<int32_t>& ids, float speed,
                               stages::TensorObserver* observer = nullptr) {
    return stage_->Run({ids, style_, speed}, machine_.context(observer));
  }
  static std::vector<int32_t> Ids(size_t count) {
    std::vector<int32_t> ids(count);
    for (size_t i = 0; i < count; ++i) ids[i] = static_cast<int32_t>(i * 37 % 178);
    return ids;
  }

  std::unique_ptr<Duration> stage_;
  std::vector<float> style_ = test_support::RandomStyle();
  test_support::Machine machine_{test_support::BestKernels(), 2};
};

TEST_F(DurationTest, NativeLengths) {
  for (const size_t num_tokens : {1, 2, 3, 17}) {
    SCOPED_TRACE(num_tokens);
    machine_.arena.Reset();
    test_support::Recorder recorder;
    const auto output = Run(Ids(num_tokens), 1, &recorder);
    KOE_ASSERT_OK(output);
    EXPECT_EQ(output->durations.size(), num_tokens);
    EXPECT_EQ(output->duration_features.rows, num_tokens);
    EXPECT_EQ(output->duration_features.cols, Duration::kFeatureSize);
    EXPECT_EQ(output->text_features.rows, num_tokens);
    EXPECT_EQ(output->text_features.cols, Duration::kHiddenSize);
    for (size_t t = 0; t < num_tokens; ++t) {
      EXPECT_GE(output->durations[t], 1);
      EXPECT_LE(output->durations[t], 50);
      // The style stands behind the features of every token.
      EXPECT_TRUE(std::equal(style_.begin(), style_.end(), output->duration_features.Row(t) + Duration::kHiddenSize));
    }
    for (const char* name : {"bert_dur", "d_en", "d", "t_en", "duration"}) {
      ASSERT_EQ(recorder.tensors.count(name), 1u) << name;
      EXPECT_EQ(recorder.tensors[name].rows, num_tokens) << name;
    }
  }
}

TEST_F(DurationTest, TheLongestInput) {
  const auto output = Run(Ids(Duration::kMaxTokens), 1);
  KOE_ASSERT_OK(output);
  EXPECT_EQ(output->durations.size(), Duration::kMaxTokens);
}

TEST_F(DurationTest, FramesAreDividedBySpeedAndRoundedHalfToEven) {
  const std::vector<int32_t> ids = Ids(9);
  test_support::Recorder at_one, slow;
  KOE_ASSERT_OK(Run(ids, 1, &at_one));
  const auto output = Run(ids, 0.03125f, &slow);  // a power of two: the division is exact
  KOE_ASSERT_OK(output);
  for (size_t t = 0; t < ids.size(); ++t) {
    const float frames = slow.tensors["duration"].values[t];
    EXPECT_EQ(frames, 32 * at_one.tensors["duration"].values[t]);
    EXPECT_EQ(output->durations[t], static_cast<int32_t>(std::max(1.0, std::nearbyint(double{frames}))));
  }
}

TEST_F(DurationTest, BadInputIsAnError) {
  KOE_EXPECT_ERROR(Run({}, 1), ErrorCode::kInvalidArgument);
  KOE_EXPECT_ERROR(Run(Ids(Duration::kMaxTokens + 1), 1), ErrorCode::kInvalidArgument);
  KOE_EXPECT_ERROR(Run({0, -1, 0}, 1), ErrorCode::kInvalidArgument);
  const auto output = Run({0, 178, 0}, 1);
  KOE_EXPECT_ERROR(output, ErrorCode::kInvalidArgument);
  EXPECT_THAT(output.error().message(), testing::HasSubstr("178"));
  for (const float speed : {0.0f, -0.0f, -1.0f, kNan, kInf, -kInf}) {
    KOE_EXPECT_ERROR(Run({0, 5, 0}, speed), ErrorCode::kInvalidArgument);
  }
  style_.pop_back();
  KOE_EXPECT_ERROR(Run({0, 5, 0}, 1), ErrorCode::kInvalidArgument);
}

TEST_F(DurationTest, AStyleThatIsNotFiniteIsAnInternalError) {
  for (const float value : {kNan, kInf}) {
    style_[77] = value;
    KOE_EXPECT_ERROR(Run({0, 5, 0}, 1), ErrorCode::kInternal);
  }
}

TEST_F(DurationTest, Cancels) {
  machine_.cancelled = true;
  KOE_EXPECT_ERROR(Run({0, 5, 0}, 1), ErrorCode::kCancelled);
}

TEST_F(DurationTest, OtherTargetsAreClose) {
  const auto best = Run(Ids(3), 1);
  KOE_ASSERT_OK(best);
  for (const kernels::Target target : kernels::SupportedTargets()) {
    const auto stage = MakeDurationCpu(test_support::SharedSyntheticWeights(), kernels::KernelsFor(target));
    KOE_ASSERT_OK(stage);
    test_support::Machine machine(kernels::KernelsFor(target), 2);
    const std::vector<int32_t> ids = Ids(3);
    const auto output = (*stage)->Run({ids, style_, 1}, machine.context());
    KOE_ASSERT_OK(output);
    EXPECT_GE(test_support::SnrDb(Numbers(*output), Numbers(*best)), test_support::kMinTargetSnrDb)
        << kernels::TargetName(target);
  }
}

}  // namespace
}  // namespace koe::stages
