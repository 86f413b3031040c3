// SPDX-License-Identifier: Apache-2.0
#include "kernels/softmax/softmax.h"

#include "kernels/pointwise_testing.h"

namespace koe::kernels {
namespace {

using SoftmaxTest = PointwiseTest;

// The header's relative bound, with the rounding of results under the smallest normal number beside it.
void ExpectSoftmax(const float* x, size_t cols, float scale, const Guarded& got, size_t at) {
  double max = x[0], sum = 0;
  for (size_t i = 1; i < cols; ++i) max = std::max(max, static_cast<double>(x[i]));
  for (size_t i = 0; i < cols; ++i) sum += std::exp(scale * (x[i] - max));
  for (size_t i = 0; i < cols; ++i) {
    const double t = scale * (x[i] - max), want = std::exp(t) / sum;
    // t = -inf has want = 0 and needs no relative error.
    const double relative = std::isinf(t) ? 0 : (6 - t + static_cast<double>(cols) / 8) * kEps;
    ASSERT_NEAR(got[at + i], want, relative * want + 0x1p-148) << cols << " " << i;
  }
}

TEST_P(SoftmaxTest, AgainstDouble) {
  for (const size_t cols : Lengths()) {
    if (cols == 0) continue;
    for (const float deviation : {0.1f, 3.0f, 100.0f}) {
      const size_t rows = 3, offset = cols % 4, stride = cols + 3;
      const float scale = cols % 2 == 0 ? 0.125f : 1.0f;
      std::vector<float> x = Normal(rng_, rows * stride, -5, deviation);
      x[stride + cols / 2] = -kInf;
      if (cols == 1) x[stride] = -1000;  // a row of nothing but -inf is another test
      Guarded y(x.data(), rows * stride, offset);
      kernels().softmax.softmax_rows(y.data(), stride, rows, cols, scale);
      ASSERT_TRUE(y.MarginsIntact());
      for (size_t t = 0; t < rows; ++t) {
        ExpectSoftmax(x.data() + t * stride, cols, scale, y, t * stride);
        for (size_t i = cols; i < stride; ++i) ASSERT_TRUE(SameBits(y[t * stride + i], x[t * stride + i]));
      }
    }
  }
}

TEST_P(SoftmaxTest, RowsSumToOne) {
  // Each of the 512 results is rounded by at most half an eps of itself, beside the error of the sum.
  std::vector<float> x = Normal(rng_, 512, 0, 2);
  kernels().softmax.softmax_rows(x.data(), 512, 1, 512, 1);
  double sum = 0;
  for (const float v : x) sum += v;
  EXPECT_NEAR(sum, 1, (2 + 512.0 / 8) * kEps);
}

TEST_P(SoftmaxTest, EqualValuesAreSharedEquallyHoweverLarge) {
  for (const float value : {0.0f, 1e30f, -1e30f}) {
    std::vector<float> x(64, value);
    kernels().softmax.softmax_rows(x.data(), 64, 1, 64, 0.125f);
    for (const float v : x) EXPECT_EQ(v, 0x1p-6f);
  }
}

TEST_P(SoftmaxTest, NanAndInfiniteRowsAreNanAsInPyTorch) {
  for (const float bad : {kNan, kInf}) {
    for (const size_t at : {0u, 5u, 20u}) {
      std::vector<float> x(2 * 21, 1.0f);
      x[at] = bad;
      kernels().softmax.softmax_rows(x.data(), 21, 2, 21, 1);
      EXPECT_TRUE(std::isnan(x[at]));
      for (size_t i = 0; i < 21; ++i) {
        EXPECT_TRUE(std::isnan(x[i]) || (bad == kInf && x[i] == 0));
        EXPECT_NEAR(x[21 + i], 1.0 / 21, 9 * kEps / 21);
      }
    }
  }
  std::vector<float> x(21, -kInf);
  kernels().softmax.softmax_rows(x.data(), 21, 1, 21, 1);
  for (const float v : x) EXPECT_TRUE(std::isnan(v));
}

KOE_INSTANTIATE_TARGETS(SoftmaxTest);

}  // namespace
}  // namespace koe::kernels
