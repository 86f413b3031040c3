// SPDX-License-Identifier: Apache-2.0
#include "kernels/elementwise/elementwise.h"

#include "kernels/pointwise_testing.h"

namespace koe::kernels {
namespace {

using ElementwiseTest = PointwiseTest;

std::vector<float> WithSpecials(std::mt19937& rng, size_t count) {
  std::vector<float> x = Normal(rng, count, 0, 10);
  for (const float special : {0.0f, -0.0f, kInf, -kInf, kNan, 0x1p-149f, -0x1p-127f, 0x1.fffffep127f}) {
    x[rng() % count] = special;
  }
  return x;
}

TEST_P(ElementwiseTest, SumsAreExact) {
  const ElementwiseOps& ops = kernels().elementwise;
  const std::vector<float> va = WithSpecials(rng_, 1003), vb = WithSpecials(rng_, 1003), vc = WithSpecials(rng_, 1003);
  const float scale = 0.70710678f;
  for (const size_t n : Lengths()) {
    for (const size_t offset : {0u, 1u, 3u}) {
      const Source<float> a(va.data(), n, offset), b(vb.data(), n, 3 - offset), c(vc.data(), n, offset);
      Guarded two(n, offset), three(n, 3 - offset), onto_a(va.data(), n, offset), onto_c(vc.data(), n, offset);
      ops.add_scale(a.data(), b.data(), scale, n, two.data());
      ops.add3_scale(a.data(), b.data(), c.data(), scale, n, three.data());
      ops.add_scale(onto_a.data(), b.data(), scale, n, onto_a.data());
      ops.add3_scale(a.data(), b.data(), onto_c.data(), scale, n, onto_c.data());
      for (size_t i = 0; i < n; ++i) {
        const float want2 = (va[i] + vb[i]) * scale, want3 = ((va[i] + vb[i]) + vc[i]) * scale;
        ASSERT_TRUE(SameBits(two[i], want2) && SameBits(onto_a[i], want2)) << n << " " << i;
        ASSERT_TRUE(SameBits(three[i], want3) && SameBits(onto_c[i], want3)) << n << " " << i;
      }
      ASSERT_TRUE(two.MarginsIntact() && three.MarginsIntact() && onto_a.MarginsIntact() && onto_c.MarginsIntact());
    }
  }
}

TEST_P(ElementwiseTest, DequantizeIsExactForEveryByteAndZeroPoint) {
  const ElementwiseOps& ops = kernels().elementwise;
  std::vector<int8_t> q8;
  std::vector<uint8_t> qu8;
  for (int i = 0; i < 256; ++i) q8.push_back(static_cast<int8_t>(i - 128)), qu8.push_back(static_cast<uint8_t>(i));
  for (const int32_t zero : {0, 1, -128, 127, 128, 255}) {
    for (const float scale : {0.0123456f, 1e-30f}) {
      Guarded a(256), b(256);
      ops.dequantize_i8(q8.data(), zero, scale, 256, a.data());
      ops.dequantize_u8(qu8.data(), zero, scale, 256, b.data());
      for (size_t i = 0; i < 256; ++i) {
        const auto k = static_cast<int32_t>(i);
        ASSERT_TRUE(SameBits(a[i], static_cast<float>(k - 128 - zero) * scale)) << i;
        ASSERT_TRUE(SameBits(b[i], static_cast<float>(k - zero) * scale)) << i;
      }
    }
  }
  for (const size_t n : Lengths()) {
    for (const size_t offset : {0u, 1u, 3u}) {
      Source<int8_t> s(n, offset);
      Source<uint8_t> u(n, offset);
      for (size_t i = 0; i < n; ++i) s.data()[i] = q8[rng_() % 256], u.data()[i] = qu8[rng_() % 256];
      Guarded a(n, 3 - offset), b(n, offset);
      ops.dequantize_i8(s.data(), 3, 0.5f, n, a.data());
      ops.dequantize_u8(u.data(), 3, 0.5f, n, b.data());
      for (size_t i = 0; i < n; ++i) {
        ASSERT_EQ(a[i], static_cast<float>(s.data()[i] - 3) * 0.5f);
        ASSERT_EQ(b[i], static_cast<float>(u.data()[i] - 3) * 0.5f);
      }
      ASSERT_TRUE(a.MarginsIntact() && b.MarginsIntact());
    }
  }
}

TEST_P(ElementwiseTest, DequantizeRowsHasAScaleForEachColumn) {
  constexpr size_t kRows = 3;
  for (const size_t cols : Lengths()) {
    for (const size_t offset : {0u, 1u, 3u}) {
      Source<int8_t> q(kRows * cols, offset);
      Source<int32_t> zeros(cols, 3 - offset);
      Source<float> scales(Normal(rng_, cols, 0, 0.1f).data(), cols, offset);
      for (size_t i = 0; i < kRows * cols; ++i) q.data()[i] = static_cast<int8_t>(static_cast<int>(rng_() % 256) - 128);
      for (size_t c = 0; c < cols; ++c) zeros.data()[c] = static_cast<int32_t>(rng_() % 512) - 256;
      Guarded got(kRows * cols, 3 - offset);
      kernels().elementwise.dequantize_rows(q.data(), zeros.data(), scales.data(), kRows, cols, got.data());
      for (size_t i = 0; i < kRows * cols; ++i) {
        const size_t c = i % cols;
        ASSERT_TRUE(SameBits(got[i], static_cast<float>(q.data()[i] - zeros.data()[c]) * scales.data()[c])) << i;
      }
      ASSERT_TRUE(got.MarginsIntact());
    }
  }
}

float HalfToFloat(uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const float sign = half >> 15 == 0 ? 1.0f : -1.0f;
  if (exponent == 31) return fraction == 0 ? sign * kInf : kNan;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

TEST_P(ElementwiseTest, EveryHalfIsExactAndNanBitsAreTheSameOnEveryTarget) {
  std::vector<uint16_t> half(65536);
  for (size_t i = 0; i < half.size(); ++i) half[i] = static_cast<uint16_t>(i);
  std::vector<float> got(half.size()), reference(half.size());
  kernels().elementwise.f16_to_f32(half.data(), half.size(), got.data());
  scalar::kElementwiseOps.f16_to_f32(half.data(), half.size(), reference.data());
  for (size_t i = 0; i < half.size(); ++i) {
    ASSERT_TRUE(SameBits(got[i], HalfToFloat(half[i]))) << i;
    ASSERT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(reference[i])) << i;
  }
  for (const size_t n : Lengths()) {
    for (const size_t offset : {0u, 1u, 3u}) {
      const Source<uint16_t> src(half.data() + 15000 + offset, n, offset);
      Guarded dst(n, 3 - offset);
      kernels().elementwise.f16_to_f32(src.data(), n, dst.data());
      for (size_t i = 0; i < n; ++i) ASSERT_EQ(dst[i], HalfToFloat(src.data()[i]));
      ASSERT_TRUE(dst.MarginsIntact());
    }
  }
}

TEST_P(ElementwiseTest, AllFiniteNoticesOneValueAnywhere) {
  const ElementwiseOps& ops = kernels().elementwise;
  for (const size_t n : Lengths()) {
    for (const size_t offset : {0u, 1u, 3u}) {
      Source<float> x(Normal(rng_, n, 0, 1e30f).data(), n, offset);
      if (n > 0) x.data()[n / 2] = -0x1.fffffep127f, x.data()[n - 1] = 0x1p-149f;
      ASSERT_TRUE(ops.all_finite(x.data(), n));
      for (size_t i = 0; i < n; ++i) {
        const float kept = x.data()[i];
        for (const float bad : {kInf, -kInf, kNan, -kNan, std::bit_cast<float>(0x7f800001u)}) {
          x.data()[i] = bad;
          ASSERT_FALSE(ops.all_finite(x.data(), n)) << n << " " << i;
        }
        x.data()[i] = kept;
      }
    }
  }
}

KOE_INSTANTIATE_TARGETS(ElementwiseTest);

}  // namespace
}  // namespace koe::kernels
