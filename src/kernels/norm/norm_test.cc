// SPDX-License-Identifier: Apache-2.0
#include "kernels/norm/norm.h"

#include "kernels/pointwise_testing.h"

namespace koe::kernels {
namespace {

using NormTest = PointwiseTest;

// Each lane adds its rows in order: (rows + 2) roundings of eps/2 on the sum of magnitudes; the squares have one more.
TEST_P(NormTest, BlockStatsAgainstDouble) {
  for (const size_t channels : Lengths()) {
    for (const size_t rows : {size_t{0}, size_t{1}, size_t{2}, size_t{7}, kStatsBlockRows}) {
      const size_t offset = channels % 4, stride = channels + rows % 3;
      const Source<float> x(Normal(rng_, rows * stride, 3, 2).data(), rows * stride, offset);
      const Source<float> pivot(Normal(rng_, channels, 3, 2).data(), channels, 3 - offset);
      Guarded sum(channels, offset), sum_sq(channels, 3 - offset);
      kernels().norm.block_stats(x.data(), stride, rows, channels, pivot.data(), sum.data(), sum_sq.data());
      for (size_t c = 0; c < channels; ++c) {
        double want = 0, magnitude = 0, want_sq = 0;
        for (size_t t = 0; t < rows; ++t) {
          const double centred = static_cast<double>(x.data()[t * stride + c]) - pivot.data()[c];
          want += centred, magnitude += std::abs(centred), want_sq += centred * centred;
        }
        const double unit = kEps / 2 * static_cast<double>(rows + 2);
        ASSERT_NEAR(sum[c], want, unit * magnitude) << rows << "x" << channels << " " << c;
        ASSERT_NEAR(sum_sq[c], want_sq, (unit + kEps) * want_sq) << rows << "x" << channels << " " << c;
      }
      ASSERT_TRUE(sum.MarginsIntact() && sum_sq.MarginsIntact());
    }
  }
}

// A channel's sums do not depend on how many channels stand beside it.
TEST_P(NormTest, BlockStatsOfAChannelStandAlone) {
  const size_t channels = 131;
  const std::vector<float> x = Normal(rng_, 96 * channels, 1, 3), pivot(x.begin(), x.begin() + channels);
  std::vector<float> sum(channels), sum_sq(channels);
  kernels().norm.block_stats(x.data(), channels, 96, channels, pivot.data(), sum.data(), sum_sq.data());
  for (size_t c = 0; c < channels; ++c) {
    float s = 0, q = 0;
    kernels().norm.block_stats(x.data() + c, channels, 96, 1, pivot.data() + c, &s, &q);
    ASSERT_TRUE(SameBits(s, sum[c]) && SameBits(q, sum_sq[c])) << c;
  }
}

TEST_P(NormTest, BlockStatsPassNonFiniteOn) {
  std::vector<float> x(4 * 20, 1.0f);
  x[20 + 3] = kNan, x[40 + 17] = kInf;
  const std::vector<float> pivot(20, 0.0f);
  std::vector<float> sum(20), sum_sq(20);
  kernels().norm.block_stats(x.data(), 20, 4, 20, pivot.data(), sum.data(), sum_sq.data());
  for (size_t c = 0; c < 20; ++c) {
    EXPECT_EQ(std::isnan(sum[c]) && std::isnan(sum_sq[c]), c == 3);
    EXPECT_EQ(std::isinf(sum[c]) && std::isinf(sum_sq[c]), c == 17);
  }
}

// kernels.md advice 6 measured 2e-7 at |mean| / std = 80 with this scheme and 2e-4 without the pivot; the same noise
// with another pivot row may come out a few times larger.
TEST_P(NormTest, VarianceAtMeanEightyTimesTheDeviation) {
  const size_t rows = 38400, channels = 16;
  const std::vector<float> x = Normal(rng_, rows * channels, 80, 1);
  std::vector<double> sum(channels), sum_sq(channels);
  for (size_t t = 0; t < rows; t += kStatsBlockRows) {
    float s[channels], q[channels];
    kernels().norm.block_stats(x.data() + t * channels, channels, kStatsBlockRows, channels, x.data(), s, q);
    for (size_t c = 0; c < channels; ++c) sum[c] += s[c], sum_sq[c] += q[c];
  }
  double worst = 0;
  for (size_t c = 0; c < channels; ++c) {
    const double n = rows;
    double mean = 0, variance = 0;
    for (size_t t = 0; t < rows; ++t) mean += x[t * channels + c] / n;
    for (size_t t = 0; t < rows; ++t) variance += (x[t * channels + c] - mean) * (x[t * channels + c] - mean) / n;
    const double got = sum_sq[c] / n - sum[c] / n * sum[c] / n;
    worst = std::max(worst, std::abs(got - variance) / variance);
  }
  std::printf("variance: largest relative error %.3g\n", worst);
  EXPECT_LE(worst, 2e-6);
}

// y = layer_norm(x) in double, and the header's bound. 2^-22 |beta| stands for the roundings of the last FMA.
void ExpectLayerNorm(const float* x, size_t channels, const float* gamma, const float* beta, float eps,
                     const Guarded& got, size_t at) {
  double mean = 0, variance = 0, largest = 0, largest_gamma = 0;
  const double n = static_cast<double>(channels);
  for (size_t c = 0; c < channels; ++c) {
    mean += x[c] / n;
    largest = std::max(largest, std::abs(static_cast<double>(x[c])));
    largest_gamma = std::max(largest_gamma, std::abs(static_cast<double>(gamma[c])));
  }
  for (size_t c = 0; c < channels; ++c) variance += (x[c] - mean) * (x[c] - mean) / n;
  const double deviation = std::sqrt(variance + eps);
  const double bound = (8 + n / 16) * kEps * largest * largest_gamma / deviation;
  for (size_t c = 0; c < channels; ++c) {
    const double want = (x[c] - mean) / deviation * gamma[c] + beta[c];
    ASSERT_NEAR(got[at + c], want, bound + 2 * kEps * std::abs(beta[c])) << channels << " " << c;
  }
}

TEST_P(NormTest, LayerNormAgainstDouble) {
  std::vector<size_t> sizes = Lengths();
  sizes.insert(sizes.end(), {512, 768});
  for (const size_t channels : sizes) {
    if (channels == 0) continue;
    const size_t rows = 3, offset = channels % 4, stride = channels + 2, dst_stride = channels + 5;
    const float mean = channels % 2 == 0 ? 0.5f : 20.0f;
    const Source<float> src(Normal(rng_, rows * stride, mean, 2).data(), rows * stride, offset);
    const Source<float> residual(Normal(rng_, rows * stride, 0, 3).data(), rows * stride, 3 - offset);
    const Source<float> gamma(Normal(rng_, channels, 1, 0.5f).data(), channels, offset);
    const Source<float> beta(Normal(rng_, channels, 0, 1).data(), channels, 3 - offset);
    for (const bool with_residual : {false, true}) {
      Guarded dst(rows * dst_stride, offset);
      kernels().norm.layer_norm(src.data(), stride, with_residual ? residual.data() : nullptr, stride, rows, channels,
                                gamma.data(), beta.data(), 1e-5f, dst.data(), dst_stride);
      ASSERT_TRUE(dst.MarginsIntact());
      for (size_t t = 0; t < rows; ++t) {
        std::vector<float> x(src.data() + t * stride, src.data() + t * stride + channels);
        for (size_t c = 0; with_residual && c < channels; ++c) x[c] += residual.data()[t * stride + c];
        ExpectLayerNorm(x.data(), channels, gamma.data(), beta.data(), 1e-5f, dst, t * dst_stride);
        for (size_t c = channels; c < dst_stride; ++c) ASSERT_TRUE(dst.Untouched(t * dst_stride + c));
      }
    }
  }
}

TEST_P(NormTest, LayerNormInPlaceGivesTheSameBits) {
  for (const size_t channels : {1u, 15u, 33u, 512u}) {
    const std::vector<float> src = Normal(rng_, 4 * channels, 1, 2), residual = Normal(rng_, 4 * channels, 1, 2);
    const std::vector<float> gamma = Normal(rng_, channels, 1, 1), beta = Normal(rng_, channels, 0, 1);
    std::vector<float> apart(src.size()), onto_src = src, onto_residual = residual;
    const auto run = [&](const float* s, const float* r, float* dst) {
      kernels().norm.layer_norm(s, channels, r, channels, 4, channels, gamma.data(), beta.data(), 1e-12f, dst,
                                channels);
    };
    run(src.data(), residual.data(), apart.data());
    run(onto_src.data(), residual.data(), onto_src.data());
    run(src.data(), onto_residual.data(), onto_residual.data());
    for (size_t i = 0; i < apart.size(); ++i) {
      ASSERT_TRUE(SameBits(apart[i], onto_src[i]) && SameBits(apart[i], onto_residual[i])) << channels << " " << i;
    }
  }
}

TEST_P(NormTest, LayerNormOfConstantsIsBetaAndOfNanIsNan) {
  const std::vector<float> gamma(40, 2.0f), beta(40, 0.25f);
  std::vector<float> x(2 * 40, 4.0f), y(2 * 40);
  x[40 + 7] = kNan;
  kernels().norm.layer_norm(x.data(), 40, nullptr, 0, 2, 40, gamma.data(), beta.data(), 1e-5f, y.data(), 40);
  for (size_t c = 0; c < 40; ++c) {
    EXPECT_EQ(y[c], 0.25f);
    EXPECT_TRUE(std::isnan(y[40 + c]));
  }
}

KOE_INSTANTIATE_TARGETS(NormTest);

}  // namespace
}  // namespace koe::kernels
