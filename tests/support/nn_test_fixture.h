// SPDX-License-Identifier: Apache-2.0
// Tests of nn/ over every target that this CPU has.
#ifndef KOE_TESTS_SUPPORT_NN_TEST_FIXTURE_H_
#define KOE_TESTS_SUPPORT_NN_TEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "support/machine.h"
#include "support/reference.h"

namespace koe::test_support {

class NnTest : public testing::TestWithParam<kernels::Target> {
 protected:
  const kernels::KernelSet& kernels() const { return kernels::KernelsFor(GetParam()); }

  // run(machine) -> std::vector<float>; the results of 1, 2 and 4 threads must be the same bits.
  template <typename F>
  std::vector<float> OnPools(F run) const {
    bool same = false;
    std::vector<float> result = RunOnPools(kernels(), run, &same);
    EXPECT_TRUE(same) << "the result depends on the number of threads";
    return result;
  }

  // Every value within the reference's own bound.
  static void ExpectWithin(std::span<const float> got, const Reference& want) {
    ASSERT_EQ(got.size(), want.value.size());
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_NEAR(got[i], want.value[i], want.error[i]) << "row " << i / want.cols << " column " << i % want.cols;
    }
  }
};

// A matrix whose rows have gaps, between canaries: a test sees what is written around it.
class GuardedMatrix {
 public:
  GuardedMatrix(size_t rows, size_t cols, size_t gap = 5)
      : values_(kMargin + rows * (cols + gap) + kMargin, std::bit_cast<float>(kCanary)),
        view_(values_.data() + kMargin, rows, cols, cols + gap) {}
  GuardedMatrix(size_t rows, size_t cols, std::span<const float> filling, size_t gap = 5)
      : GuardedMatrix(rows, cols, gap) {
    for (size_t i = 0; i < filling.size(); ++i) view_.Row(i / cols)[i % cols] = filling[i];
  }
  Matrix view() const { return view_; }
  bool OnlyInsideWritten() const {
    for (size_t i = 0; i < values_.size(); ++i) {
      const size_t offset = i - kMargin;  // wraps before the matrix
      const bool inside = i >= kMargin && offset / view_.stride < view_.rows && offset % view_.stride < view_.cols;
      if (!inside && std::bit_cast<uint32_t>(values_[i]) != kCanary) return false;
    }
    return true;
  }

 private:
  static constexpr uint32_t kCanary = 0x7fc0beef;  // a NaN
  static constexpr size_t kMargin = 64;
  std::vector<float> values_;
  Matrix view_;
};

#define KOE_INSTANTIATE_NN_TARGETS(Suite)                                                   \
  INSTANTIATE_TEST_SUITE_P(Targets, Suite, testing::ValuesIn(kernels::SupportedTargets()),  \
                           [](const testing::TestParamInfo<kernels::Target>& target_info) { \
                             return std::string(kernels::TargetName(target_info.param));    \
                           })

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_NN_TEST_FIXTURE_H_
