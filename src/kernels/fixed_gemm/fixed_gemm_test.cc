// SPDX-License-Identifier: Apache-2.0
#include "kernels/fixed_gemm/fixed_gemm.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>

#include "kernels/fixed_gemm/fixed_row.h"
#include "kernels/gemm/dense_test_util.h"

namespace koe::kernels {
namespace {

struct Case {
  // k and n as given; weights and zero points over the whole of their range, among them the ends.
  Case(size_t rows_in, size_t k_in, size_t n_in, float deviation = 1)
      : rows(rows_in),
        k(k_in),
        n(n_in),
        x(RandomVector(rows * k, deviation)),
        bias(RandomVector(n)),
        plain(n * k),
        packed(FixedPackedBytes(k, n)),
        scales(RoundUp(n, kPanelWidth)),
        zero_points(RoundUp(n, kPanelWidth)) {
    const std::vector<float> random = RandomVector(n * k + n, 60);
    for (size_t i = 0; i < packed.size(); ++i) packed[i] = 0;
    for (size_t j = 0; j < scales.size(); ++j) {
      scales[j] = j < n ? 0.001f * static_cast<float>(j % 7 + 1) : 0.0f;
      zero_points[j] = j >= n ? 0 : j % 5 == 0 ? 255 : j % 5 == 1 ? 0 : Byte(random[n * k + j]);
      for (size_t i = 0; j < n && i < k; ++i) {
        plain[j * k + i] = i == 3 ? 255 : i == 4 ? 0 : Byte(random[j * k + i]);
        packed[j / kPanelWidth * FixedPanelBytes(k) + (i / 4 * kPanelWidth + j % kPanelWidth) * 4 + i % 4] =
            plain[j * k + i];
      }
    }
  }
  static uint8_t Byte(float value) { return static_cast<uint8_t>(std::min(255.0f, std::max(0.0f, 128 + value))); }
  double Weight(size_t i, size_t j) const { return (plain[j * k + i] - zero_points[j]) * double{scales[j]}; }

  AlignedBuffer<std::byte> Quantised(const FixedGemmOps& ops) const {
    AlignedBuffer<std::byte> out(rows * FixedRowBytes(k));
    for (size_t i = 0; i < out.size(); ++i) out[i] = std::byte{0x5A};
    ops.quantise(x.data(), k, rows, k, out.data());
    return out;
  }
  std::vector<float> Product(const FixedGemmOps& ops, const std::byte* input, bool has_bias = true) const {
    GuardedOutput c(rows, n);
    ops.gemm({.x = input,
              .w = packed.data(),
              .scales = scales.data(),
              .zero_points = zero_points.data(),
              .bias = has_bias ? bias.data() : nullptr,
              .c = c.data(),
              .c_stride = c.stride(),
              .m = rows,
              .k = k,
              .n = n});
    c.ExpectOnlyOutputWritten();
    std::vector<float> values;
    for (size_t r = 0; r < rows; ++r) {
      for (size_t j = 0; j < n; ++j) values.push_back(c.at(r, j));
    }
    return values;
  }

  size_t rows, k, n;
  std::vector<float> x, bias;
  std::vector<uint8_t> plain;  // [n][k]
  AlignedBuffer<uint8_t> packed;
  AlignedBuffer<float> scales;
  AlignedBuffer<int32_t> zero_points;
};

// What three digits hold of row r, by the header's words.
float LimitOf(const Case& c, size_t r) {
  std::vector<float> magnitudes;
  for (size_t i = 0; i < c.k; ++i) magnitudes.push_back(std::abs(c.x[r * c.k + i]));
  std::sort(magnitudes.begin(), magnitudes.end(), std::greater<>());
  const float max = std::max(kMinFixedMax, magnitudes[0]), most = magnitudes[std::min(c.k - 1, c.k / 64)];
  float limit = max;
  for (int s = 1; s <= 5 && most <= std::ldexp(max, -s); ++s) limit = std::ldexp(max, -s);
  return limit;
}

// Rows in turn: as they are; one input 20 times the others; as many of 100 times as may be, two of them neighbours and
// one the last; one more than that.
void AddOutliers(Case* c) {
  for (size_t r = 0; r < c->rows; ++r) {
    const size_t most = c->k / 64, count[] = {0, most == 0 ? 0 : size_t{1}, most, most + 1};
    for (size_t o = 0; o < count[r % 4]; ++o) {
      const size_t i = o == 1 ? 1 : o == 2 ? c->k - 1 : o * 37 % c->k;
      c->x[r * c->k + i] = (o % 2 == 0 ? 1.0f : -1.0f) * (r % 4 == 1 ? 20.0f : 100.0f + static_cast<float>(o));
    }
  }
}

// The bound of the header.
void ExpectWithinTheBound(const Case& c, const std::vector<float>& got, bool has_bias) {
  for (size_t r = 0; r < c.rows; ++r) {
    const double limit = LimitOf(c, r), unit = limit / double{kFixedMax};
    for (size_t j = 0; j < c.n; ++j) {
      const double bias = has_bias ? c.bias[j] : 0;
      double exact = bias, inputs = 0, magnitude = std::abs(bias);
      for (size_t i = 0; i < c.k; ++i) {
        const double x = c.x[r * c.k + i], w = std::abs(c.Weight(i, j));
        exact += x * c.Weight(i, j);
        inputs += w * (unit / 2 + 3 * kEps * std::abs(x));
        // No digit passes 128, and a fourth one's share is at most twice its input.
        magnitude += w * (unit * 128 * (65536 + 256 + 1) + (std::abs(x) > limit ? 2 * std::abs(x) : 0));
      }
      ASSERT_NEAR(got[r * c.n + j], exact, inputs + 6 * kEps * magnitude) << "row " << r << " column " << j;
    }
  }
}

// Whole number i of a quantised row.
int64_t ValueAt(const std::byte* row, size_t k, size_t i) {
  const auto* digits = reinterpret_cast<const int8_t*>(row);
  int64_t value = 0;
  for (size_t d = 0; d < kFixedDigits; ++d) value += (int64_t{1} << (8 * d)) * digits[d * FixedDigitBytes(k) + i];
  FixedRowTail tail;
  std::memcpy(&tail, row + kFixedDigits * FixedDigitBytes(k), sizeof(tail));
  for (size_t o = 0; o < tail.num_outliers; ++o) {
    FixedOutliers four;
    std::memcpy(&four, row + kFixedDigits * FixedDigitBytes(k) + kFixedTailBytes + o * sizeof(four), sizeof(four));
    if (four.group == i / 4) value += (int64_t{1} << 24) * four.digits[i % 4];
  }
  return value;
}

TEST(FixedGemmTest, AFewLargeInputsDoNotCoarsenTheOthers) {
  for (const size_t k : {5, 63, 64, 130, 256, 770}) {
    Case c(8, k, 1);
    AddOutliers(&c);
    const AlignedBuffer<std::byte> rows = c.Quantised(scalar::kFixedGemmOps);
    for (size_t r = 0; r < c.rows; ++r) {
      const std::byte* row = rows.data() + r * FixedRowBytes(k);
      FixedRowTail tail;
      std::memcpy(&tail, row + kFixedDigits * FixedDigitBytes(k), sizeof(tail));
      EXPECT_EQ(tail.scale, LimitOf(c, r) / kFixedMax) << k << " row " << r;
      EXPECT_LE(tail.num_outliers, MaxFixedOutliers(k));
      if (k >= 256) {
        EXPECT_EQ(tail.num_outliers > 0, r % 4 == 1 || r % 4 == 2) << k << " row " << r;
      }
      for (size_t i = 0; i < k; ++i) {
        const double x = c.x[r * k + i], scale = tail.scale;
        ASSERT_NEAR(static_cast<double>(ValueAt(row, k, i)) * scale, x, scale / 2 + 3 * kEps * std::abs(x)) << k;
      }
    }
  }
}

TEST(FixedGemmTest, TheReferenceIsWithinItsBound) {
  for (const size_t rows : {1, 3}) {
    for (const size_t k : {1, 5, 64, 130}) {
      for (const size_t n : {1, 33}) {
        for (const float deviation : {1.0f, 1e-20f, 1e10f}) {
          Case c(rows, k, n, deviation);
          if (deviation == 1) AddOutliers(&c);
          const bool has_bias = n == 33;
          ExpectWithinTheBound(c, c.Product(scalar::kFixedGemmOps, c.Quantised(scalar::kFixedGemmOps).data(), has_bias),
                               has_bias);
        }
      }
    }
  }
}

TEST(FixedGemmTest, EveryTargetGivesTheReferencesBits) {
  size_t num_targets = 0;
  for (const Target target : SupportedTargets()) {
    const FixedGemmOps* ops = FindFixedGemmOps(target);
    if (ops == nullptr) continue;
    ++num_targets;
    for (const size_t rows : {1, 2, 3, 4, 5, 11, 97}) {
      for (const size_t k : {1, 4, 15, 64, 66, 256, 770}) {
        for (const size_t n : {1, 31, 32, 65, 160}) {
          if (rows == 97 && k != 66) continue;
          Case c(rows, k, n);
          AddOutliers(&c);
          if (rows == 1)
            std::fill_n(c.x.begin(), std::min<size_t>(k / 64, 2), 50.0f);  // one row takes a way of its own
          const AlignedBuffer<std::byte> want = c.Quantised(scalar::kFixedGemmOps), got = c.Quantised(*ops);
          for (size_t r = 0; r < rows; ++r) {
            const size_t at = r * FixedRowBytes(k), end = kFixedDigits * FixedDigitBytes(k);
            ASSERT_TRUE(std::equal(want.data() + at, want.data() + at + end + sizeof(FixedRowTail), got.data() + at));
            const size_t list = at + end + kFixedTailBytes, size = FixedListBytes(k);
            ASSERT_TRUE(std::equal(want.data() + list, want.data() + list + size, got.data() + list))
                << k << " row " << r;
          }
          ASSERT_EQ(c.Product(*ops, got.data()), c.Product(scalar::kFixedGemmOps, want.data()))
              << rows << " rows, " << k << "->" << n;
        }
      }
    }
  }
  if (num_targets == 0) GTEST_SKIP() << "this CPU has no 8-bit dot product";
}

// The deepest sum of the largest products is still exact.
TEST(FixedGemmTest, TheDeepestSumDoesNotOverflow) {
  Case c(1, kMaxFixedDepth, 1);
  for (size_t i = 0; i < c.packed.size(); ++i) c.packed[i] = 255;
  c.zero_points[0] = 0;
  c.scales[0] = 1;
  for (const size_t num_outliers : {size_t{0}, MaxFixedOutliers(kMaxFixedDepth)}) {
    std::fill(c.x.begin(), c.x.end(), 1.0f);
    for (size_t o = 0; o < num_outliers; ++o) c.x[64 * o] = 32.0f;
    const double exact = 255.0 * (kMaxFixedDepth + 31.0 * static_cast<double>(num_outliers));
    for (const Target target : SupportedTargets()) {
      const FixedGemmOps* ops = FindFixedGemmOps(target);
      if (ops == nullptr) ops = &scalar::kFixedGemmOps;
      // 3 eps of the inputs and 6 of the sums: an input's digits add up to less than 7/6 of it.
      EXPECT_NEAR(c.Product(*ops, c.Quantised(*ops).data(), false)[0], exact, 10 * kEps * exact) << TargetName(target);
    }
  }
}

TEST(FixedGemmTest, RowsOfZerosAndExtremes) {
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kMax = std::numeric_limits<float>::max() / 4, kTiny = std::numeric_limits<float>::denorm_min();
  for (const Target target : SupportedTargets()) {
    const FixedGemmOps* found = FindFixedGemmOps(target);
    const FixedGemmOps& ops = found == nullptr ? scalar::kFixedGemmOps : *found;
    Case c(6, 20, 3);
    const float values[6] = {0, -0.0f, kTiny, kMax, kInf, kNan};
    for (size_t r = 0; r < 6; ++r) {
      for (size_t i = 0; i < c.k; ++i) c.x[r * c.k + i] = i == 7 ? values[r] : 0.0f;
    }
    const std::vector<float> got = c.Product(ops, c.Quantised(ops).data());
    for (size_t j = 0; j < c.n; ++j) {
      for (size_t r = 0; r < 3; ++r) EXPECT_EQ(got[r * c.n + j], c.bias[j]) << TargetName(target) << " row " << r;
      const double largest = kMax * c.Weight(7, j);
      EXPECT_NEAR(got[3 * c.n + j], largest, 1e-6 * std::abs(largest)) << TargetName(target);
      EXPECT_TRUE(std::isnan(got[4 * c.n + j])) << TargetName(target);
      EXPECT_TRUE(std::isnan(got[5 * c.n + j])) << TargetName(target);
    }
  }
}

}  // namespace
}  // namespace koe::kernels
