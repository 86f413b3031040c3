// SPDX-License-Identifier: Apache-2.0
// Data and comparisons for the tests of gemm, conv1d, conv_transpose1d and lstm.
#ifndef KOE_KERNELS_GEMM_DENSE_TEST_UTIL_H_
#define KOE_KERNELS_GEMM_DENSE_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/array.h"
#include "base/rng.h"
#include "kernels/gemm/gemm.h"
#include "kernels/target.h"

namespace koe::kernels {

inline constexpr double kEps = 0x1p-24;  // unit roundoff of float32, the eps of the headers

// $KOE_TEST_SEED, or a fixed number; printed once.
inline uint64_t TestSeed() {
  static const uint64_t seed = [] {
    const char* text = std::getenv("KOE_TEST_SEED");
    const uint64_t value = text != nullptr ? std::strtoull(text, nullptr, 0) : 20261123;
    std::printf("KOE_TEST_SEED=%llu\n", static_cast<unsigned long long>(value));
    return value;
  }();
  return seed;
}

// Normal numbers, different at every call. A vector, so that AddressSanitizer sees a read past its end.
inline std::vector<float> RandomVector(size_t size, float scale = 1.0f) {
  static uint32_t stream = 0;
  std::vector<float> values(size);
  FillNormal(TestSeed(), stream++, 0, values);
  for (float& value : values) value *= scale;
  return values;
}

// Weights [taps][k][n] and their packed form.
struct PackedWeights {
  PackedWeights(Target target, size_t taps_in, size_t k_in, size_t n_in)
      : taps(taps_in), k(k_in), n(n_in), plain(RandomVector(taps * k * n)), packed(PackedSize(taps, k, n)) {
    Repack(target);
  }
  void Repack(Target target) { FindGemmOps(target)->pack(plain.data(), taps, k, n, k * n, n, 1, packed.data()); }
  float at(size_t tap, size_t i, size_t j) const { return plain[(tap * k + i) * n + j]; }

  size_t taps, k, n;
  std::vector<float> plain;
  AlignedBuffer<float> packed;
};

// An output [rows][cols], misaligned, whose surroundings (before, after, between rows) must stay as they are.
class GuardedOutput {
 public:
  GuardedOutput(size_t rows, size_t cols, size_t gap = 3)
      : rows_(rows), cols_(cols), stride_(cols + gap), values_(kBefore + rows * stride_ + kAfter, Canary()) {}
  float* data() { return values_.data() + kBefore; }
  size_t stride() const { return stride_; }
  float at(size_t r, size_t c) const { return values_[kBefore + r * stride_ + c]; }
  void Set(size_t r, size_t c, float value) { values_[kBefore + r * stride_ + c] = value; }

  void ExpectOnlyOutputWritten() const {
    for (size_t i = 0; i < values_.size(); ++i) {
      const size_t offset = i - kBefore;  // wraps before the output
      const bool inside = i >= kBefore && offset / stride_ < rows_ && offset % stride_ < cols_;
      if (!inside) {
        ASSERT_EQ(std::bit_cast<uint32_t>(values_[i]), kCanaryBits) << "element " << i << " was written";
      }
    }
  }

 private:
  static constexpr uint32_t kCanaryBits = 0x7fc0beef;  // a NaN: adding to it would show as well
  static constexpr size_t kBefore = 5, kAfter = 64;
  static float Canary() { return std::bit_cast<float>(kCanaryBits); }
  size_t rows_, cols_, stride_;
  std::vector<float> values_;
};

// One step of a contract's sum: an FMA, except on the scalar target.
inline float Accumulate(Target target, float x, float w, float sum) {
  return target == Target::kScalar ? sum + x * w : std::fma(x, w, sum);
}

// One output in the contract's order: bias, tap after tap, residual; beside it the exact value and the contract's
// bound.
class ReferenceSum {
 public:
  ReferenceSum(Target target, size_t taps, size_t k, float bias)
      : target_(target),
        roundings_(std::min(k, kSumBlock) + taps * ((k + kSumBlock - 1) / kSumBlock) + 2),
        total_(bias),
        exact_(bias),
        magnitude_(std::abs(bias)) {}
  void AddProduct(float x, float w) {
    sum_ = Accumulate(target_, x, w, sum_);
    exact_ += double{x} * w;
    magnitude_ += std::abs(double{x} * w);
    if (++count_ == kSumBlock) EndBlock();
  }
  void EndTap() {
    if (count_ > 0) EndBlock();
  }
  void AddResidual(float residual) {
    total_ += residual;
    exact_ += residual;
    magnitude_ += std::abs(residual);
  }
  float value() const { return total_; }
  double exact() const { return exact_; }
  double bound() const { return static_cast<double>(roundings_) * kEps * magnitude_; }

 private:
  void EndBlock() {
    total_ += sum_;
    sum_ = 0;
    count_ = 0;
  }
  Target target_;
  size_t roundings_, count_ = 0;
  float total_, sum_ = 0;
  double exact_, magnitude_;
};

inline std::string TargetParamName(const testing::TestParamInfo<Target>& info) { return TargetName(info.param); }

}  // namespace koe::kernels

#endif  // KOE_KERNELS_GEMM_DENSE_TEST_UTIL_H_
