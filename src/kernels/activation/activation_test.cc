// SPDX-License-Identifier: Apache-2.0
#include "kernels/activation/activation.h"

#include "kernels/pointwise_testing.h"

namespace koe::kernels {
namespace {

struct Channels {
  Source<float> mean, scale, shift, alpha, inv_alpha;
  Channels(std::mt19937& rng, size_t count, size_t offset, float alpha_low, float alpha_high)
      : mean(Normal(rng, count, 2, 4).data(), count, offset),
        scale(Normal(rng, count, 1, 0.5f).data(), count, 3 - offset),
        shift(Normal(rng, count, 0, 1).data(), count, offset),
        alpha(Uniform(rng, count, alpha_low, alpha_high).data(), count, 3 - offset),
        inv_alpha(count, offset) {
    for (size_t c = 0; c < count; ++c) {
      if (c % 5 == 4) alpha.data()[c] = -alpha.data()[c];
      inv_alpha.data()[c] = 1 / alpha.data()[c];
    }
  }
  ChannelAffine affine() const { return {mean.data(), scale.data(), shift.data()}; }
};

// y in double, and the bound on a float32 y: half an eps for the subtraction and for the product, half for the sum.
struct Affine {
  double y, bound;
  Affine(const Channels& p, size_t c, float x) {
    const double product = (static_cast<double>(x) - p.mean.data()[c]) * p.scale.data()[c];
    y = product + p.shift.data()[c];
    bound = kEps * std::abs(product) + kEps / 2 * std::abs(y);
  }
};

double Snake(double y, double alpha) { return y + std::sin(alpha * y) * std::sin(alpha * y) / alpha; }

// d snake / dy = 1 + sin(2 alpha y) <= 2; sin^2 / alpha within 4e-7 / |alpha|; the sum is rounded once.
double SnakeBound(const Affine& affine, double alpha) {
  return 2 * affine.bound + 4e-7 / std::abs(alpha) + kEps / 2 * std::abs(Snake(affine.y, alpha));
}

class ActivationTest : public PointwiseTest {
 protected:
  // op(src, src_stride, rows, channels, params, dst, dst_stride) for all widths, strides and alignments, in place too.
  template <class Op, class Want, class Bound>
  void CheckRows(Op op, Want want, Bound bound) {
    for (const size_t channels : Lengths()) {
      for (const size_t rows : {0u, 1u, 17u, 33u}) {
        const size_t offset = (channels + rows) % 4, stride = channels + rows % 3, dst_stride = channels + rows % 2;
        const Channels params(rng_, channels, offset, 0.05f, 8);
        const Source<float> src(Normal(rng_, rows * stride, 2, 4).data(), rows * stride, offset);
        Guarded dst(rows * dst_stride, 3 - offset), in_place(src.data(), rows * stride, offset);
        op(src.data(), stride, rows, channels, params, dst.data(), dst_stride);
        op(in_place.data(), stride, rows, channels, params, in_place.data(), stride);
        ASSERT_TRUE(dst.MarginsIntact() && in_place.MarginsIntact());
        for (size_t t = 0; t < rows; ++t) {
          for (size_t c = 0; c < channels; ++c) {
            const Affine affine(params, c, src.data()[t * stride + c]);
            ASSERT_NEAR(dst[t * dst_stride + c], want(affine, params, c), bound(affine, params, c)) << t << " " << c;
            ASSERT_TRUE(SameBits(dst[t * dst_stride + c], in_place[t * stride + c])) << t << " " << c;
          }
          for (size_t c = channels; c < dst_stride; ++c) ASSERT_TRUE(dst.Untouched(t * dst_stride + c));
          for (size_t c = channels; c < stride; ++c) {
            ASSERT_TRUE(SameBits(in_place[t * stride + c], src.data()[t * stride + c]));
          }
        }
      }
    }
  }
};

TEST_P(ActivationTest, SnakeAffineAgainstDouble) {
  CheckRows(
      [this](const float* src, size_t stride, size_t rows, size_t channels, const Channels& p, float* dst,
             size_t dst_stride) {
        kernels().activation.snake_affine(src, stride, rows, channels, p.affine(), p.alpha.data(), p.inv_alpha.data(),
                                          dst, dst_stride);
      },
      [](const Affine& a, const Channels& p, size_t c) { return Snake(a.y, p.alpha.data()[c]); },
      [](const Affine& a, const Channels& p, size_t c) { return SnakeBound(a, p.alpha.data()[c]); });
}

// With a trivial affine, so that only the sine is measured: |alpha y| to 1e4.
TEST_P(ActivationTest, SnakeSineToTenThousand) {
  const size_t rows = 20000, channels = 16;
  const std::vector<float> zero(channels, 0.0f), one(channels, 1.0f);
  for (const float range : {3.0f, 30.0f, 300.0f, 1e4f}) {
    Channels p(rng_, channels, 0, 0.05f, 8);
    std::vector<float> x(rows * channels), y(x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = std::uniform_real_distribution<float>(-range, range)(rng_) / p.alpha.data()[i % channels];
    }
    kernels().activation.snake_affine(x.data(), channels, rows, channels, {zero.data(), one.data(), zero.data()},
                                      p.alpha.data(), p.inv_alpha.data(), y.data(), channels);
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double alpha = p.alpha.data()[i % channels], want = Snake(x[i], alpha);
      const double rounding = kEps / 2 * std::abs(want);
      worst = std::max(worst, (std::abs(y[i] - want) - rounding) * std::abs(alpha));
    }
    std::printf("snake to %g: sin^2 within %.3g\n", range, worst);
    EXPECT_LE(worst, 4e-7) << range;
  }
}

TEST_P(ActivationTest, SnakePassesNonFiniteOn) {
  const std::vector<float> zero(20, 0.0f), one(20, 1.0f);
  std::vector<float> x(20, 0.0f);
  x[1] = kNan, x[18] = kInf, x[19] = kNan;
  kernels().activation.snake_affine(x.data(), 20, 1, 20, {zero.data(), one.data(), zero.data()}, one.data(), one.data(),
                                    x.data(), 20);
  for (size_t c = 0; c < 20; ++c) EXPECT_EQ(std::isnan(x[c]), c == 1 || c >= 18) << c;
  EXPECT_EQ(x[0], 0.0f);
}

TEST_P(ActivationTest, LeakyReluAffineAgainstDouble) {
  static constexpr float kSlope = 0.1f;
  CheckRows(
      [this](const float* src, size_t stride, size_t rows, size_t channels, const Channels& p, float* dst,
             size_t dst_stride) {
        kernels().activation.leaky_relu_affine(src, stride, rows, channels, p.affine(), kSlope, dst, dst_stride);
      },
      [](const Affine& a, const Channels&, size_t) { return a.y > 0 ? a.y : kSlope * a.y; },
      [](const Affine& a, const Channels&, size_t) { return a.bound + kEps / 2 * std::abs(a.y); });
}

TEST_P(ActivationTest, LeakyReluIsExact) {
  std::vector<float> x = Normal(rng_, 1003, 0, 1);
  const float specials[] = {0.0f, -0.0f, kInf, -kInf, kNan, 0x1p-149f, -0x1p-149f, -0x1p-126f};
  for (size_t i = 0; i < 8; ++i) x[3 + i * 5] = specials[i];
  for (const size_t n : Lengths()) {
    for (const size_t offset : {0u, 1u, 3u}) {
      const Source<float> src(x.data() + offset, n, offset);
      Guarded dst(n, 3 - offset), in_place(src.data(), n, offset);
      kernels().activation.leaky_relu(src.data(), n, 0.01f, dst.data());
      kernels().activation.leaky_relu(in_place.data(), n, 0.01f, in_place.data());
      for (size_t i = 0; i < n; ++i) {
        const float v = src.data()[i], want = v > 0 ? v : 0.01f * v;
        ASSERT_TRUE(SameBits(dst[i], want) && SameBits(in_place[i], want)) << v;
      }
      ASSERT_TRUE(dst.MarginsIntact() && in_place.MarginsIntact());
    }
  }
}

double GeluReference(double x) {
  const double t = 2 * std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
  return x / (1 + std::exp(-t));
}

TEST_P(ActivationTest, GeluWithinTheHeadersBound) {
  std::vector<float> x = {0.0f, -0.0f, 0x1p-149f, -0x1p-126f, 20.0f, -20.0f, 1e10f};
  for (const float v : Uniform(rng_, 1000000, -12, 12)) x.push_back(v);
  for (const float v : Uniform(rng_, 200000, -1e-3f, 1e-3f)) x.push_back(v);
  std::vector<float> y(x.size());
  kernels().activation.gelu(x.data(), x.size(), y.data());
  double worst = 0, worst_absolute = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double want = GeluReference(x[i]);
    const double t = x[i] < 0 ? -2 * 0.7978845608 * (x[i] + 0.044715 * x[i] * x[i] * x[i]) : 0;
    const double unit = kEps * std::abs(want) + 0x1p-149;
    ASSERT_LE(std::abs(y[i] - want), (4 + 2 * t) * unit) << x[i];
    worst = std::max(worst, std::abs(y[i] - want) / ((4 + 2 * t) * unit));
    worst_absolute = std::max(worst_absolute, std::abs(y[i] - want) / std::max(1.0, std::abs(want)));
  }
  std::printf("gelu: %.3g of the bound; absolute %.3g\n", worst, worst_absolute);
  EXPECT_TRUE(SameBits(y[0], 0.0f) && SameBits(y[1], -0.0f));
  EXPECT_EQ(y[6], 1e10f);
  float nan = 0;
  kernels().activation.gelu(&kNan, 1, &nan);
  EXPECT_TRUE(std::isnan(nan));
}

TEST_P(ActivationTest, GeluAnyLengthAndAlignmentGivesTheSameBits) {
  const std::vector<float> x = Normal(rng_, 1003, 0, 2);
  std::vector<float> whole(x.size());
  kernels().activation.gelu(x.data(), x.size(), whole.data());
  for (const size_t n : Lengths()) {
    for (const size_t offset : {0u, 1u, 3u}) {
      const Source<float> src(x.data() + offset, n, offset);
      Guarded dst(n, 3 - offset), in_place(src.data(), n, offset);
      kernels().activation.gelu(src.data(), n, dst.data());
      kernels().activation.gelu(in_place.data(), n, in_place.data());
      for (size_t i = 0; i < n; ++i) {
        ASSERT_TRUE(SameBits(dst[i], whole[offset + i]) && SameBits(in_place[i], whole[offset + i])) << n << " " << i;
      }
      ASSERT_TRUE(dst.MarginsIntact() && in_place.MarginsIntact());
    }
  }
}

KOE_INSTANTIATE_TARGETS(ActivationTest);

}  // namespace
}  // namespace koe::kernels
