// SPDX-License-Identifier: Apache-2.0
#include "nn/adain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "nn/layer_norm.h"
#include "support/nn_test_fixture.h"
#include "support/reference_blocks.h"

namespace koe::nn {
namespace {

using test_support::GuardedMatrix;
using test_support::kEps;
using test_support::RandomVector;
using test_support::Reference;

using AdaInTest = test_support::NnTest;
KOE_INSTANTIATE_NN_TARGETS(AdaInTest);

TEST_P(AdaInTest, IsTheAffineMapOfTheNorm) {
  for (const size_t channels : {3, 32, 65}) {
    for (const size_t rows : {1, 97, 300}) {
      SCOPED_TRACE(testing::Message() << rows << " rows " << channels << " channels");
      const test_support::AdaInWeights weights(channels);
      const std::vector<float> style = RandomVector(test_support::kTestStyleSize, 0.3f);
      const GuardedMatrix x(rows, channels, RandomVector(rows * channels, 0.5f, 10));
      const std::vector<float> got = OnPools([&](test_support::Machine& machine) {
        const AdaIn norm = weights.Make(machine.kernels);
        EXPECT_EQ(norm.channels(), channels);
        const kernels::ChannelAffine affine = norm.Run(machine.exec(), ComputeStats(machine.exec(), x.view()), style);
        std::vector<float> result(affine.mean, affine.mean + channels);
        result.insert(result.end(), affine.scale, affine.scale + channels);
        result.insert(result.end(), affine.shift, affine.shift + channels);
        return result;
      });
      const test_support::Moments moments = test_support::MomentsOf(x.view(), kInstanceNormEps);
      const Reference gamma_beta =
          test_support::Convolved(Reference(ConstMatrix(style.data(), 1, style.size())), weights.weight, weights.bias,
                                  {.in = style.size(), .out = 2 * channels});
      for (size_t c = 0; c < channels; ++c) {
        const double gain = 1 + gamma_beta.value[c], scale = gain * moments.rstd[c];
        ASSERT_NEAR(got[c], moments.mean[c], moments.mean_error[c]);
        // 1 + gamma and the product are rounded.
        ASSERT_NEAR(got[channels + c], scale,
                    (gamma_beta.error[c] + kEps * std::abs(gain)) * moments.rstd[c] +
                        std::abs(gain) * moments.rstd_error[c] + kEps * std::abs(scale));
        ASSERT_NEAR(got[2 * channels + c], gamma_beta.value[channels + c], gamma_beta.error[channels + c]);
      }
    }
  }
}

using LayerNormTest = test_support::NnTest;
KOE_INSTANTIATE_NN_TARGETS(LayerNormTest);

TEST_P(LayerNormTest, RowsWithAndWithoutResidual) {
  const float eps = 1e-5f;
  for (const size_t rows : {1, 31, 32, 33, 100}) {
    for (const size_t channels : {5, 128}) {
      for (const bool has_residual : {false, true}) {
        SCOPED_TRACE(testing::Message() << rows << " rows " << channels << " channels residual " << has_residual);
        const GuardedMatrix x(rows, channels, RandomVector(rows * channels, 2, 1));
        const GuardedMatrix residual(rows, channels, RandomVector(rows * channels), 3);
        const std::vector<float> gamma = RandomVector(channels), beta = RandomVector(channels);
        const ConstMatrix added = has_residual ? ConstMatrix(residual.view()) : ConstMatrix();
        const std::vector<float> got = OnPools([&](test_support::Machine& machine) {
          const GuardedMatrix y(rows, channels, 2);
          LayerNorm(machine.exec(), x.view(), added, gamma, beta, eps, y.view());
          EXPECT_TRUE(y.OnlyInsideWritten());
          const GuardedMatrix in_place(rows, channels, test_support::Flatten(x.view()));
          LayerNorm(machine.exec(), in_place.view(), added, gamma, beta, eps, in_place.view());
          EXPECT_TRUE(test_support::SameBits(test_support::Flatten(in_place.view()), test_support::Flatten(y.view())));
          return test_support::Flatten(y.view());
        });
        for (size_t t = 0; t < rows; ++t) {
          std::vector<double> row(channels);
          double mean = 0, variance = 0, largest = 0;
          for (size_t c = 0; c < channels; ++c) {
            row[c] = x.view().Row(t)[c];
            if (has_residual) row[c] += static_cast<double>(residual.view().Row(t)[c]);
            mean += row[c] / static_cast<double>(channels);
            largest = std::max(largest, std::abs(row[c]));
          }
          for (const double v : row) variance += (v - mean) * (v - mean) / static_cast<double>(channels);
          const double rstd = 1 / std::sqrt(variance + static_cast<double>(eps));
          for (size_t c = 0; c < channels; ++c) {
            const double normed = (row[c] - mean) * rstd, want = normed * gamma[c] + static_cast<double>(beta[c]);
            // The bound of kernels/norm, with the rounding of the residual and of the result.
            const double bound = (9 + static_cast<double>(channels) / 16) * 2 * kEps * largest * rstd *
                                     (1 + std::abs(normed)) * std::abs(gamma[c]) +
                                 2 * kEps * std::abs(want) + kEps * std::abs(beta[c]);
            ASSERT_NEAR(got[t * channels + c], want, bound) << "row " << t << " channel " << c;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace koe::nn
