// SPDX-License-Identifier: Apache-2.0
#include "kernels/fma_peak/fma_peak.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace koe::kernels {
namespace {

// The rate counts these operations, so they must really be done. x_n = s^n x_0 + (s^n - 1) / (s - 1) * c; each of n
// rounds adds at most an ulp of the largest value.
TEST(FmaPeak, DoesEveryRoundOfEveryChain) {
  for (const Target target : SupportedTargets()) {
    SCOPED_TRACE(TargetName(target));
    const FmaPeakOps& ops = *FindFmaPeakOps(target);
    std::vector<float> values(ops.num_values());
    constexpr size_t kRounds = 40;
    ops.chains(kRounds, 0.5f, 3.0f, values.data());
    const double power = std::pow(0.5, kRounds);
    for (size_t i = 0; i < values.size(); ++i) {
      const double expected = power * static_cast<double>(i) + (power - 1) / (0.5 - 1) * 3.0;
      EXPECT_NEAR(values[i], expected, kRounds * 0x1p-24 * std::max<double>(8, static_cast<double>(i))) << i;
    }
    ops.chains(0, 0.5f, 3.0f, values.data());
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], static_cast<float>(i));
  }
}

TEST(FmaPeak, IsMeasured) {
  for (const Target target : SupportedTargets()) EXPECT_GT(MeasureFmaPeak(target, 1), 1e8) << TargetName(target);
  EXPECT_GT(MeasureFmaPeak(SupportedTargets().front(), 2), 1e8);
}

}  // namespace
}  // namespace koe::kernels
