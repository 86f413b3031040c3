// SPDX-License-Identifier: Apache-2.0
#include "nn/channel_stats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/nn_test_fixture.h"

namespace koe::nn {
namespace {

using test_support::GuardedMatrix;
using test_support::Moments;
using test_support::RandomVector;

constexpr float kEps = 1e-5f;

class ChannelStatsTest : public test_support::NnTest {
 protected:
  // Means and reciprocal deviations within the bounds derived from the data; returns the largest relative bound of a
  // reciprocal deviation.
  double Check(ConstMatrix x) {
    const std::vector<float> got = OnPools([&](test_support::Machine& machine) {
      const ChannelStats stats = ComputeStats(machine.exec(), x);
      EXPECT_EQ(stats.rows(), x.rows);
      EXPECT_EQ(stats.channels(), x.cols);
      std::vector<float> result(2 * x.cols);
      const std::span<float> moments(result);
      stats.Finish(kEps, moments.first(x.cols), moments.subspan(x.cols));
      return result;
    });
    const Moments want = test_support::MomentsOf(x, kEps);
    double worst = 0;
    for (size_t c = 0; c < x.cols; ++c) {
      EXPECT_NEAR(got[c], want.mean[c], want.mean_error[c]) << "channel " << c;
      EXPECT_NEAR(got[x.cols + c], want.rstd[c], want.rstd_error[c]) << "channel " << c;
      worst = std::max(worst, want.rstd_error[c] / want.rstd[c]);
    }
    return worst;
  }
};
KOE_INSTANTIATE_NN_TARGETS(ChannelStatsTest);

TEST_P(ChannelStatsTest, BlocksAndTheirTails) {
  for (const size_t rows : {1, 2, 3, 95, 96, 97, 192, 193, 1000}) {
    for (const size_t channels : {1, 15, 33}) {
      SCOPED_TRACE(testing::Message() << rows << " rows " << channels << " channels");
      const GuardedMatrix x(rows, channels, RandomVector(rows * channels, 3, -1));
      Check(x.view());
    }
  }
}

// The model's instance norms see |mean| / deviation up to 80. About a pivot of the channel itself, at most 4 deviations
// from its mean, the bound is 100 eps (1 + 3 * 4^2) = 3e-4 whatever the mean; about zero it would be
// 100 eps * 80^2 = 4e-2, and more than everything at 1000.
TEST_P(ChannelStatsTest, ALargeMeanCostsNoPrecision) {
  for (const float ratio : {80.0f, 1000.0f}) {
    for (const size_t rows : {96, 97, 7561}) {
      SCOPED_TRACE(testing::Message() << "ratio " << ratio << " rows " << rows);
      const GuardedMatrix x(rows, 20, RandomVector(rows * 20, 0.5f, 0.5f * ratio));
      EXPECT_LT(Check(x.view()), 1e-3);
    }
  }
}

// Statistics of a slow drift: the blocks' pivots differ by much more than the deviation within a block.
TEST_P(ChannelStatsTest, BlocksFarApart) {
  const size_t rows = 960, channels = 5;
  std::vector<float> values = RandomVector(rows * channels, 0.01f);
  for (size_t i = 0; i < values.size(); ++i) values[i] += static_cast<float>(i / channels) * 0.5f;
  const GuardedMatrix x(rows, channels, values);
  Check(x.view());
}

TEST_P(ChannelStatsTest, ASingleRowAndAConstantHaveNoVariance) {
  for (const size_t rows : {1, 96, 200}) {
    const GuardedMatrix x(rows, 3, std::vector<float>(rows * 3, -7.25f));
    test_support::Machine machine(kernels(), 1);
    std::vector<float> mean(3), rstd(3);
    ComputeStats(machine.exec(), x.view()).Finish(kEps, mean, rstd);
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_EQ(mean[c], -7.25f);
      EXPECT_EQ(rstd[c], static_cast<float>(1 / std::sqrt(static_cast<double>(kEps))));
    }
  }
}

// Rows may be given in any pieces that start at blocks.
TEST_P(ChannelStatsTest, PiecesGiveTheSameBits) {
  const size_t rows = 1000, channels = 7;
  const GuardedMatrix x(rows, channels, RandomVector(rows * channels, 1, 20));
  test_support::Machine machine(kernels(), 1);
  std::vector<float> whole(2 * channels), pieces(2 * channels);
  const std::span<float> a(whole), b(pieces);
  ComputeStats(machine.exec(), x.view()).Finish(kEps, a.first(channels), a.subspan(channels));
  const ChannelStats stats(machine.exec(), rows, channels);
  stats.Accumulate(machine.kernels, x.view(), 480, rows);
  stats.Accumulate(machine.kernels, x.view(), 96, 480);
  stats.Accumulate(machine.kernels, x.view(), 0, 96);
  stats.Finish(kEps, b.first(channels), b.subspan(channels));
  EXPECT_TRUE(test_support::SameBits(whole, pieces));
}

TEST_P(ChannelStatsTest, WhatIsNotFiniteShows) {
  std::vector<float> values = RandomVector(200 * 3);
  values[150 * 3 + 1] = HUGE_VALF;
  const GuardedMatrix x(200, 3, values);
  test_support::Machine machine(kernels(), 1);
  std::vector<float> mean(3), rstd(3);
  ComputeStats(machine.exec(), x.view()).Finish(kEps, mean, rstd);
  EXPECT_TRUE(std::isfinite(mean[0]) && std::isfinite(rstd[0]));
  EXPECT_FALSE(std::isfinite(mean[1]));
}

}  // namespace
}  // namespace koe::nn
