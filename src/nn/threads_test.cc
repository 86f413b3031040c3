// SPDX-License-Identifier: Apache-2.0
// The blocks on several threads, small enough for ThreadSanitizer; results are the same bits.
#include <gtest/gtest.h>

#include <vector>

#include "support/machine.h"
#include "support/reference_blocks.h"

namespace koe::nn {
namespace {

using test_support::RandomVector;

template <typename F>
void ExpectSameOnPools(F run) {
  bool same = false;
  test_support::RunOnPools(test_support::BestKernels(), run, &same);
  EXPECT_TRUE(same);
}

TEST(NnThreadsTest, SnakeBlockThroughTilesOfEveryThread) {
  const test_support::SnakeBlockWeights weights(8, 3);
  const size_t rows = 6200;
  const std::vector<float> x = RandomVector(rows * 8), style = RandomVector(test_support::kTestStyleSize);
  ExpectSameOnPools([&](test_support::Machine& machine) {
    const SnakeResidualBlock block = weights.Make(machine.kernels);
    std::vector<float> y(x.size());
    const ConstMatrix input(x.data(), rows, 8);
    block.Run(machine.exec(), input, ComputeStats(machine.exec(), input), style, Matrix(y.data(), rows, 8));
    return y;
  });
}

// Groups of rows on every thread, panels of few groups, and panels that are transformed when they are used.
TEST(NnThreadsTest, ConvolutionsInTiles) {
  const ConvShape shape{.in = 5, .out = 70, .taps = 3, .padding = 1};
  kernels::ConvPlan plan{
      .is_direct = false, .form = {kernels::TileForm::Kind::kToomCook, 10, 3, 1}, .tiles = 12, .expand_at_run = false};
  const std::vector<float> weight = RandomVector(70 * 5 * 3), bias = RandomVector(70);
  for (const bool expand_at_run : {false, true}) {
    plan.expand_at_run = expand_at_run;
    for (const size_t rows : {200, 3000}) {
      const std::vector<float> x = RandomVector(rows * 5);
      ExpectSameOnPools([&](test_support::Machine& machine) {
        const Conv1d conv(machine.kernels, weight, bias, shape, plan, &machine.pool);
        std::vector<float> y(rows * 70), moments(140);
        ChannelStats stats(machine.exec(), rows, 70, conv.stats_rows());
        conv.Run(machine.exec(), ConstMatrix(x.data(), rows, 5), {}, Matrix(y.data(), rows, 70), {.stats = &stats});
        stats.Finish(1e-5f, std::span(moments).first(70), std::span(moments).last(70));
        y.insert(y.end(), moments.begin(), moments.end());
        return y;
      });
    }
  }
}

TEST(NnThreadsTest, AdainBlockThroughPanelsAndTheDoubledLength) {
  const test_support::AdainBlockWeights weights(40, 70, true);
  const size_t rows = 210;
  const std::vector<float> x = RandomVector(rows * 40), style = RandomVector(test_support::kTestStyleSize);
  ExpectSameOnPools([&](test_support::Machine& machine) {
    const AdainResidualBlock block = weights.Make(machine.kernels);
    std::vector<float> y(2 * rows * 70);
    block.Run(machine.exec(), ConstMatrix(x.data(), rows, 40), style, Matrix(y.data(), 2 * rows, 70));
    return y;
  });
}

TEST(NnThreadsTest, BothDirectionsOfTheLstm) {
  const size_t in = 100, hidden = 32, steps = 200;
  std::vector<std::vector<float>> parts;
  for (int direction = 0; direction < 2; ++direction) {
    for (const size_t size : {4 * hidden * in, 4 * hidden * hidden, 4 * hidden, 4 * hidden}) {
      parts.push_back(RandomVector(size, 0.1f));
    }
  }
  const std::vector<float> x = RandomVector(steps * in);
  ExpectSameOnPools([&](test_support::Machine& machine) {
    const BiLstm lstm(machine.kernels, {parts[0], parts[1], parts[2], parts[3]},
                      {parts[4], parts[5], parts[6], parts[7]}, in, hidden);
    std::vector<float> y(steps * 2 * hidden);
    lstm.Run(machine.exec(), ConstMatrix(x.data(), steps, in), Matrix(y.data(), steps, 2 * hidden));
    return y;
  });
}

}  // namespace
}  // namespace koe::nn
