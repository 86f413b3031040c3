// SPDX-License-Identifier: Apache-2.0
#include "nn/residual_blocks.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <vector>

#include "support/nn_test_fixture.h"
#include "support/reference_blocks.h"

namespace koe::nn {
namespace {

using test_support::GuardedMatrix;
using test_support::RandomVector;
using test_support::Reference;

class ResidualBlockTest : public test_support::NnTest {
 protected:
  ResidualBlockTest() : style_(RandomVector(test_support::kTestStyleSize, 0.3f)) {}

  void CheckAdain(size_t in, size_t out, bool upsample, size_t rows) {
    SCOPED_TRACE(testing::Message() << in << "->" << out << " upsample " << upsample << " rows " << rows);
    const test_support::AdainBlockWeights weights(in, out, upsample);
    const GuardedMatrix x(rows, in, RandomVector(rows * in, 1, 0.5f));
    const std::vector<float> got = OnPools([&](test_support::Machine& machine) {
      const AdainResidualBlock block = weights.Make(machine.kernels);
      EXPECT_EQ(block.upsamples(), upsample);
      EXPECT_EQ(block.in(), in);
      EXPECT_EQ(block.out(), out);
      const GuardedMatrix y(block.OutputRows(rows), out);
      block.Run(machine.exec(), x.view(), style_, y.view());
      EXPECT_TRUE(y.OnlyInsideWritten());
      return test_support::Flatten(y.view());
    });
    double noise = 0;
    const Reference want = weights.Apply(Reference(x.view()), style_, &noise);
    ExpectSnr(got, want, noise);
  }

  void CheckSnake(size_t channels, size_t taps, size_t rows) {
    SCOPED_TRACE(testing::Message() << channels << " channels " << taps << " taps " << rows << " rows");
    const test_support::SnakeBlockWeights weights(channels, taps);
    const GuardedMatrix x(rows, channels, RandomVector(rows * channels, 1, 0.5f));
    const std::vector<float> got = OnPools([&](test_support::Machine& machine) {
      const SnakeResidualBlock block = weights.Make(machine.kernels);
      const GuardedMatrix y(rows, channels);
      block.Run(machine.exec(), x.view(), ComputeStats(machine.exec(), x.view()), style_, y.view());
      EXPECT_TRUE(y.OnlyInsideWritten());
      return test_support::Flatten(y.view());
    });
    double noise = 0;
    const Reference want = weights.Apply(Reference(x.view()), style_, &noise);
    ExpectSnr(got, want, noise);
  }

  static void ExpectSnr(std::span<const float> got, const Reference& want, double noise) {
    const double snr_db = test_support::SnrDb(got, std::span<const double>(want.value));
    const double min_db = test_support::MinBlockSnrDb(want, noise);
    std::printf("%.1f dB, at least %.1f\n", snr_db, min_db);
    EXPECT_GE(snr_db, min_db);
  }

  std::vector<float> style_;
};
KOE_INSTANTIATE_NN_TARGETS(ResidualBlockTest);

TEST_P(ResidualBlockTest, Adain) {
  for (const bool upsample : {false, true}) {
    for (const size_t out : {20, 33}) {  // without and with a shortcut
      for (const size_t rows : {2, 3, 40}) CheckAdain(20, out, upsample, rows);
    }
  }
  CheckAdain(6, 5, false, 1300);  // long
  CheckAdain(6, 5, true, 650);
}

TEST_P(ResidualBlockTest, Snake) {
  for (const size_t taps : {3, 7, 11}) {
    // Six norms of fewer rows could multiply any noise: the bound would say nothing.
    for (const size_t rows : {8, 20, 97}) CheckSnake(17, taps, rows);
  }
  CheckSnake(5, 11, 1250);  // long
}

// One row: the instance norm's output is its shift alone, which must not become 0 / 0.
TEST_P(ResidualBlockTest, OneRow) {
  CheckAdain(20, 33, false, 1);
  CheckAdain(20, 33, true, 1);
  CheckSnake(17, 3, 1);
}

}  // namespace
}  // namespace koe::nn
