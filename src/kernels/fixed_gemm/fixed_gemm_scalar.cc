// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/fixed_gemm/fixed_gemm.h"
#include "kernels/fixed_gemm/fixed_row.h"

namespace koe::kernels::scalar {
namespace {

// The magnitude that three digits hold.
float Limit(const float* x, size_t k, float max) {
  for (int shift = 0; shift < kMaxFixedShift; ++shift) {
    size_t count = 0;
    for (size_t i = 0; i < k; ++i) count += std::abs(x[i]) > max / 2;
    if (count > MaxFixedOutliers(k)) break;
    max /= 2;
  }
  return max;
}

void Quantise(const float* x, size_t stride, size_t rows, size_t k, std::byte* out) {
  const size_t digit_bytes = FixedDigitBytes(k);
  for (size_t r = 0; r < rows; ++r, x += stride, out += FixedRowBytes(k)) {
    auto* digits = reinterpret_cast<int8_t*>(out);
    std::fill_n(digits, kFixedDigits * digit_bytes, int8_t{0});
    std::byte* list = out + kFixedDigits * digit_bytes + kFixedTailBytes;
    std::fill_n(list, FixedListBytes(k), std::byte{0});
    FixedRowTail tail{};
    float max = kMinFixedMax;
    bool is_finite = true;
    for (size_t i = 0; i < k; ++i) {
      is_finite = is_finite && std::isfinite(x[i]);
      max = std::max(max, std::abs(x[i]));
    }
    if (!is_finite) {
      tail.scale = std::numeric_limits<float>::quiet_NaN();
    } else {
      const float limit = Limit(x, k, max);
      tail.scale = limit / kFixedMax;
      const float inverse = kFixedMax / limit;
      for (size_t i = 0; i < k; ++i) {
        const uint32_t bytes = (static_cast<uint32_t>(std::lrint(x[i] * inverse)) + kDigitOffsets) ^ kDigitOffsets;
        for (size_t d = 0; d < kFixedDigits; ++d) {
          const auto digit = static_cast<int8_t>(bytes >> (8 * d) & 255);
          digits[d * digit_bytes + i] = digit;
          tail.sums[d] += digit;
        }
        if (const auto top = static_cast<int8_t>(bytes >> 24); top != 0) AddOutlier(i, top, &tail, list);
      }
    }
    std::memcpy(digits + kFixedDigits * digit_bytes, &tail, sizeof(tail));
  }
}

void Gemm(const FixedGemmArgs& args) {
  const size_t digit_bytes = FixedDigitBytes(args.k);
  for (size_t m = 0; m < args.m; ++m) {
    const auto* digits = reinterpret_cast<const int8_t*>(args.x + m * FixedRowBytes(args.k));
    FixedRowTail tail{};
    std::memcpy(&tail, digits + kFixedDigits * digit_bytes, sizeof(tail));
    for (size_t n = 0; n < args.n; ++n) {
      const uint8_t* w = args.w + n / kPanelWidth * FixedPanelBytes(args.k) + n % kPanelWidth * 4;
      int32_t sums[kFixedDigits];
      for (size_t d = 0; d < kFixedDigits; ++d) {
        sums[d] = -args.zero_points[n] * tail.sums[d];
        for (size_t i = 0; i < args.k; ++i) {
          sums[d] += digits[d * digit_bytes + i] * w[i / 4 * 4 * kPanelWidth + i % 4];
        }
      }
      for (size_t o = 0; o < tail.num_outliers; ++o) {
        FixedOutliers four;
        std::memcpy(&four, digits + kFixedDigits * digit_bytes + kFixedTailBytes + o * sizeof(four), sizeof(four));
        for (size_t i = 0; i < 4; ++i) sums[2] += 256 * four.digits[i] * w[four.group * 4 * kPanelWidth + i];
      }
      const float low = static_cast<float>(sums[0]), middle = static_cast<float>(sums[1]),
                  high = static_cast<float>(sums[2]);
      const float sum = std::fma(std::fma(high, 256.0f, middle), 256.0f, low);
      const float bias = args.bias == nullptr ? 0.0f : args.bias[n];
      args.c[m * args.c_stride + n] = std::fma(sum, tail.scale * args.scales[n], bias);
    }
  }
}

}  // namespace

const FixedGemmOps kFixedGemmOps{Quantise, Gemm};

}  // namespace koe::kernels::scalar
