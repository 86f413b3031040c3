// SPDX-License-Identifier: Apache-2.0
// For the tests of the kernels over arrays: targets as parameters, arrays that notice a stray access, error measures.
#ifndef KOE_KERNELS_POINTWISE_TESTING_H_
#define KOE_KERNELS_POINTWISE_TESTING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernel_set.h"

namespace koe::kernels {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr double kEps = 0x1p-23;  // of float32

// KOE_TEST_SEED=n replays a run.
inline uint32_t TestSeed() {
  static const uint32_t seed = [] {
    const char* text = std::getenv("KOE_TEST_SEED");
    const uint32_t value = text == nullptr ? 20261122u : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
    std::printf("KOE_TEST_SEED=%u\n", value);
    return value;
  }();
  return seed;
}

// Every length to two AVX-512 vectors and one, then some with many whole vectors.
inline std::vector<size_t> Lengths() {
  std::vector<size_t> lengths;
  for (size_t n = 0; n <= 33; ++n) lengths.push_back(n);
  for (size_t n : {63u, 64u, 100u, 257u, 1000u}) lengths.push_back(n);
  return lengths;
}

// `offset` elements past a 64-byte boundary, ending where the allocation ends: AddressSanitizer sees reads beyond.
template <typename T>
class Source {
 public:
  explicit Source(size_t count, size_t offset = 0) : offset_(offset), count_(count), storage_(offset + count) {}
  Source(const T* values, size_t count, size_t offset) : Source(count, offset) {
    for (size_t i = 0; i < count; ++i) data()[i] = values[i];
  }
  T* data() { return storage_.data() + offset_; }
  const T* data() const { return storage_.data() + offset_; }
  size_t size() const { return count_; }

 private:
  size_t offset_, count_;
  std::vector<T> storage_;
};

// Canaries on both sides; the values start as canaries too, so that one left unwritten is noticed.
class Guarded {
 public:
  explicit Guarded(size_t count, size_t offset = 0)
      : offset_(kMargin + offset), count_(count), storage_(offset_ + count + kMargin, Canary()) {}
  Guarded(const float* values, size_t count, size_t offset) : Guarded(count, offset) {
    for (size_t i = 0; i < count; ++i) data()[i] = values[i];
  }
  float* data() { return storage_.data() + offset_; }
  float operator[](size_t i) const { return storage_[offset_ + i]; }
  bool Untouched(size_t i) const {
    return std::bit_cast<uint32_t>(storage_[offset_ + i]) == std::bit_cast<uint32_t>(Canary());
  }
  bool MarginsIntact() const {
    for (size_t i = 0; i < storage_.size(); ++i) {
      if (i >= offset_ && i < offset_ + count_) continue;
      if (std::bit_cast<uint32_t>(storage_[i]) != std::bit_cast<uint32_t>(Canary())) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kMargin = 32;
  static float Canary() { return std::bit_cast<float>(0xc0de1234u); }
  size_t offset_, count_;
  std::vector<float> storage_;
};

// |got - want| in units in the last place of a float32 of want's size (of the smallest subnormal, below 2^-126); 0 if
// got is want correctly rounded.
inline double UlpError(float got, double want) {
  if (std::isnan(want)) return std::isnan(got) ? 0 : HUGE_VAL;
  if (got == static_cast<float>(want)) return 0;
  if (std::isinf(got) || std::isinf(want)) return HUGE_VAL;
  return std::abs(got - want) / std::ldexp(1.0, std::max(std::ilogb(want), -126) - 23);
}

inline bool SameBits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

inline std::vector<float> Uniform(std::mt19937& rng, size_t count, float low, float high) {
  std::uniform_real_distribution<float> distribution(low, high);
  std::vector<float> values(count);
  for (float& v : values) v = distribution(rng);
  return values;
}

inline std::vector<float> Normal(std::mt19937& rng, size_t count, float mean, float deviation) {
  std::normal_distribution<float> distribution(mean, deviation);
  std::vector<float> values(count);
  for (float& v : values) v = distribution(rng);
  return values;
}

class PointwiseTest : public testing::TestWithParam<Target> {
 protected:
  const KernelSet& kernels() const { return KernelsFor(GetParam()); }
  const char* target() const { return TargetName(GetParam()); }
  std::mt19937 rng_{TestSeed()};
};

#define KOE_INSTANTIATE_TARGETS(Suite)                       \
  INSTANTIATE_TEST_SUITE_P(                                  \
      Targets, Suite, testing::ValuesIn(SupportedTargets()), \
      [](const testing::TestParamInfo<Target>& target_info) { return std::string(TargetName(target_info.param)); })

}  // namespace koe::kernels

#endif  // KOE_KERNELS_POINTWISE_TESTING_H_
