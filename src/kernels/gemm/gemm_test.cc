// SPDX-License-Identifier: Apache-2.0
#include "kernels/gemm/gemm.h"

#include <cmath>
#include <limits>

#include "kernels/gemm/dense_test_util.h"

namespace koe::kernels {
namespace {

class GemmTest : public testing::TestWithParam<Target> {
 protected:
  const GemmOps& ops_ = *FindGemmOps(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Targets, GemmTest, testing::ValuesIn(SupportedTargets()), TargetParamName);

// Bit for bit the contract's order, and within its bound of the exact value.
void ExpectProduct(Target target, const std::vector<float>& a, size_t a_offset, size_t a_stride, const PackedWeights& b,
                   const float* bias, const GuardedOutput& c, size_t m) {
  for (size_t r = 0; r < m; ++r) {
    for (size_t j = 0; j < b.n; ++j) {
      ReferenceSum sum(target, 1, b.k, bias != nullptr ? bias[j] : 0.0f);
      for (size_t i = 0; i < b.k; ++i) sum.AddProduct(a[a_offset + r * a_stride + i], b.at(0, i, j));
      sum.EndTap();
      ASSERT_EQ(c.at(r, j), sum.value()) << "row " << r << " column " << j;
      ASSERT_NEAR(c.at(r, j), sum.exact(), sum.bound());
    }
  }
}

TEST_P(GemmTest, EveryTailFollowsTheOrderAndTheBound) {
  for (const size_t n : {1, 16, 22, 32, 50, 97}) {
    for (const size_t k : {1, 3, 33, 128, 129, 256, 300}) {
      const PackedWeights b(GetParam(), 1, k, n);
      const std::vector<float> bias = RandomVector(n);
      for (size_t m = 1; m <= 25; m += k < 128 || m < 3 ? 1 : 4) {
        SCOPED_TRACE(testing::Message() << "m " << m << " k " << k << " n " << n);
        const size_t offset = 1, stride = k + 2;
        const std::vector<float> a = RandomVector(offset + (m - 1) * stride + k);
        GuardedOutput c(m, n);
        const float* bias_or_null = m % 3 == 0 ? nullptr : bias.data();
        ops_.gemm({.a = a.data() + offset,
                   .a_stride = stride,
                   .b = b.packed.data(),
                   .bias = bias_or_null,
                   .c = c.data(),
                   .c_stride = c.stride(),
                   .m = m,
                   .k = k,
                   .n = n});
        ExpectProduct(GetParam(), a, offset, stride, b, bias_or_null, c, m);
        c.ExpectOnlyOutputWritten();
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(GemmTest, ManyRowsAndDeepSums) {
  const size_t m = 203, k = 2048, n = 40;
  const PackedWeights b(GetParam(), 1, k, n);
  const std::vector<float> a = RandomVector(m * k), bias = RandomVector(n);
  GuardedOutput c(m, n, 0);
  ops_.gemm({.a = a.data(),
             .a_stride = k,
             .b = b.packed.data(),
             .bias = bias.data(),
             .c = c.data(),
             .c_stride = c.stride(),
             .m = m,
             .k = k,
             .n = n});
  ExpectProduct(GetParam(), a, 0, k, b, bias.data(), c, m);
  c.ExpectOnlyOutputWritten();
}

TEST_P(GemmTest, GemvEqualsGemmOfOneRow) {
  for (const size_t n : {1, 31, 32, 64, 100, 128, 256, 321}) {
    for (const size_t k : {1, 2, 45, 128, 129, 256, 385}) {
      SCOPED_TRACE(testing::Message() << "k " << k << " n " << n);
      const PackedWeights b(GetParam(), 1, k, n);
      const std::vector<float> x = RandomVector(k), bias = RandomVector(n);
      for (const float* bias_or_null : {bias.data(), static_cast<const float*>(nullptr)}) {
        GuardedOutput y(1, n);
        ops_.gemv(x.data(), b.packed.data(), bias_or_null, y.data(), k, n);
        ExpectProduct(GetParam(), x, 0, k, b, bias_or_null, y, 1);
        y.ExpectOnlyOutputWritten();
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(GemmTest, NothingToDoWritesNothingAndNoTermsGiveTheBias) {
  const PackedWeights b(GetParam(), 1, 4, 5);
  const std::vector<float> a = RandomVector(12), bias = RandomVector(5);
  for (const bool no_rows : {true, false}) {
    GuardedOutput c(0, 5);
    ops_.gemm({a.data(), 4, b.packed.data(), bias.data(), c.data(), 8, no_rows ? 0u : 3u, 4, no_rows ? 5u : 0u});
    c.ExpectOnlyOutputWritten();
  }
  GuardedOutput c(3, 5);
  ops_.gemm({a.data(), 4, b.packed.data(), bias.data(), c.data(), c.stride(), 3, 0, 5});
  for (size_t r = 0; r < 3; ++r) {
    for (size_t j = 0; j < 5; ++j) EXPECT_EQ(c.at(r, j), bias[j]);
  }
}

TEST_P(GemmTest, NanAndInfinityStayInTheirRowsAndColumns) {
  const size_t m = 14, k = 9, n = 50;
  PackedWeights b(GetParam(), 1, k, n);
  for (float& w : b.plain) w = std::abs(w) + 0.5f;
  b.plain[2 * n + 49] = std::numeric_limits<float>::quiet_NaN();
  b.Repack(GetParam());
  std::vector<float> a = RandomVector(m * k);
  a[3 * k + 8] = std::numeric_limits<float>::quiet_NaN();
  a[12 * k] = std::numeric_limits<float>::infinity();
  GuardedOutput c(m, n);
  ops_.gemm({a.data(), k, b.packed.data(), nullptr, c.data(), c.stride(), m, k, n});
  for (size_t r = 0; r < m; ++r) {
    for (size_t j = 0; j < n; ++j) {
      if (r == 3 || j == 49) {
        EXPECT_TRUE(std::isnan(c.at(r, j))) << r << " " << j;
      } else if (r == 12) {
        EXPECT_EQ(c.at(r, j), std::numeric_limits<float>::infinity()) << j;
      } else {
        EXPECT_TRUE(std::isfinite(c.at(r, j))) << r << " " << j;
      }
    }
  }
  c.ExpectOnlyOutputWritten();
}

TEST_P(GemmTest, PackReadsAnyLayoutAndPadsWithZeros) {
  const size_t taps = 3, k = 5, n = 45;
  const std::vector<float> w = RandomVector(taps * k * n);
  // PyTorch's convolution [n][k][taps], its linear layer [n][k] (one tap), and [taps][k][n].
  struct Layout {
    size_t taps, tap_stride, k_stride, n_stride;
  };
  for (const Layout& l : {Layout{taps, 1, taps, k * taps}, Layout{1, 0, 1, k}, Layout{taps, k * n, n, 1}}) {
    const size_t size = PackedSize(l.taps, k, n);
    ASSERT_EQ(size, l.taps * k * 64);
    AlignedBuffer<float> packed(size + 16);
    std::fill_n(packed.data(), packed.size(), -7.0f);
    ops_.pack(w.data(), l.taps, k, n, l.tap_stride, l.k_stride, l.n_stride, packed.data());
    for (size_t at = 0; at < size; ++at) {
      const size_t lane = at % 32, i = at / 32 % k, tap = at / 32 / k % l.taps,
                   column = at / 32 / k / l.taps * 32 + lane;
      const float expected = column < n ? w[tap * l.tap_stride + i * l.k_stride + column * l.n_stride] : 0.0f;
      ASSERT_EQ(packed[at], expected) << at;
    }
    for (size_t at = size; at < packed.size(); ++at) ASSERT_EQ(packed[at], -7.0f);
  }
}

}  // namespace
}  // namespace koe::kernels
