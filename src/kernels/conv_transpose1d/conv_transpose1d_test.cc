// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_transpose1d/conv_transpose1d.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/gemm/dense_test_util.h"

namespace koe::kernels {
namespace {

class ConvTranspose1dTest : public testing::TestWithParam<Target> {
 protected:
  const ConvTranspose1dOps& ops_ = *FindConvTranspose1dOps(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Targets, ConvTranspose1dTest, testing::ValuesIn(SupportedTargets()), TargetParamName);

// The definition of a transposed convolution: input t adds w[k] x[t] to output 2 t - padding + k.
TEST_P(ConvTranspose1dTest, IsTheTransposedConvolution) {
  for (const size_t channels : {1, 7, 8, 22, 33, 515}) {
    for (const size_t rows : {1, 2, 9}) {
      SCOPED_TRACE(testing::Message() << "channels " << channels << " rows " << rows);
      const size_t stride = channels + 1;
      const std::vector<float> src = RandomVector((rows - 1) * stride + channels), w = RandomVector(3 * channels),
                               bias = RandomVector(channels);
      GuardedOutput dst(2 * rows, channels);
      ops_.depthwise_x2(src.data(), stride, rows, channels, w.data(), bias.data(), 0, rows, dst.data(), dst.stride());
      for (size_t c = 0; c < channels; ++c) {
        std::vector<double> exact(2 * rows + 2, double{bias[c]}), magnitude(2 * rows + 2, std::abs(double{bias[c]}));
        for (size_t t = 0; t < rows; ++t) {
          for (size_t k = 0; k < 3; ++k) {
            const double term = double{src[t * stride + c]} * w[k * channels + c];
            exact[2 * t + k] += term;  // shifted by the padding of 1
            magnitude[2 * t + k] += std::abs(term);
          }
        }
        for (size_t t = 0; t < 2 * rows; ++t) {
          ASSERT_NEAR(dst.at(t, c), exact[t + 1], 3 * kEps * magnitude[t + 1]) << t << " " << c;
        }
      }
      dst.ExpectOnlyOutputWritten();
    }
  }
}

TEST_P(ConvTranspose1dTest, FollowsTheOrderAndMayBeCutAnywhere) {
  const size_t rows = 23, channels = 43;
  const std::vector<float> src = RandomVector(rows * channels), w = RandomVector(3 * channels),
                           bias = RandomVector(channels);
  GuardedOutput dst(2 * rows, channels);
  for (size_t first = 0; first < rows;) {
    const size_t count = std::min(first % 5 + 1, rows - first);
    ops_.depthwise_x2(src.data(), channels, rows, channels, w.data(), bias.data(), first, count, dst.data(),
                      dst.stride());
    first += count;
  }
  dst.ExpectOnlyOutputWritten();
  for (size_t t = 0; t < rows; ++t) {
    for (size_t c = 0; c < channels; ++c) {
      const float x = src[t * channels + c];
      float odd = Accumulate(GetParam(), w[2 * channels + c], x, bias[c]);
      if (t + 1 < rows) odd = Accumulate(GetParam(), w[c], src[(t + 1) * channels + c], odd);
      ASSERT_EQ(dst.at(2 * t, c), Accumulate(GetParam(), w[channels + c], x, bias[c]));
      ASSERT_EQ(dst.at(2 * t + 1, c), odd);
    }
  }
}

TEST_P(ConvTranspose1dTest, ANanStaysInItsChannelAndThreeOutputs) {
  const size_t rows = 6, channels = 20;
  std::vector<float> src = RandomVector(rows * channels);
  const std::vector<float> w = RandomVector(3 * channels), bias = RandomVector(channels);
  src[3 * channels + 17] = std::numeric_limits<float>::quiet_NaN();
  GuardedOutput dst(2 * rows, channels);
  ops_.depthwise_x2(src.data(), channels, rows, channels, w.data(), bias.data(), 0, rows, dst.data(), dst.stride());
  for (size_t t = 0; t < 2 * rows; ++t) {
    for (size_t c = 0; c < channels; ++c) {
      EXPECT_EQ(std::isnan(dst.at(t, c)), c == 17 && t >= 5 && t <= 7) << t << " " << c;
    }
  }
}

}  // namespace
}  // namespace koe::kernels
