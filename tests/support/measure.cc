// SPDX-License-Identifier: Apache-2.0
#include "support/measure.h"

#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/rng.h"

namespace koe::test_support {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

double Decibels(double signal, double noise) {
  if (!std::isfinite(signal) || !std::isfinite(noise)) return -kInf;
  if (noise == 0) return kInf;
  return 10 * std::log10(signal / noise);
}

template <typename T>
double Snr(std::span<const float> got, std::span<const T> want) {
  if (got.size() != want.size()) return -kInf;
  double signal = 0, noise = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double w = want[i], difference = static_cast<double>(got[i]) - w;
    signal += w * w;
    noise += difference * difference;
  }
  return Decibels(signal, noise);
}

}  // namespace

uint64_t TestSeed() {
  static const uint64_t seed = [] {
    const char* text = std::getenv("KOE_TEST_SEED");
    const uint64_t value = text != nullptr ? std::strtoull(text, nullptr, 0) : 20261124;
    std::printf("KOE_TEST_SEED=%llu\n", static_cast<unsigned long long>(value));
    return value;
  }();
  return seed;
}

std::vector<float> RandomVector(size_t size, float deviation, float mean) {
  static uint32_t stream = 0;
  std::vector<float> values(size);
  FillNormal(TestSeed(), stream++, 0, values);
  for (float& value : values) value = mean + deviation * value;
  return values;
}

double SnrDb(std::span<const float> got, std::span<const float> want) { return Snr(got, want); }
double SnrDb(std::span<const float> got, std::span<const double> want) { return Snr(got, want); }
double SnrDb(ConstMatrix got, ConstMatrix want) {
  if (got.rows != want.rows || got.cols != want.cols) return -kInf;
  const std::vector<float> a = Flatten(got), b = Flatten(want);
  return Snr<float>(a, b);
}

double SpectrumSnrDb(ConstMatrix got, ConstMatrix want) {
  constexpr size_t kBins = 11;
  if (got.rows != want.rows || got.cols != 2 * kBins || want.cols != 2 * kBins) return -kInf;
  double signal = 0, noise = 0;
  for (size_t t = 0; t < got.rows; ++t) {
    for (size_t b = 0; b < kBins; ++b) {
      const auto value = [&](ConstMatrix x) {
        const double magnitude = x.Row(t)[b], phase = x.Row(t)[b + kBins];
        return std::complex<double>(magnitude * std::cos(phase), magnitude * std::sin(phase));
      };
      const std::complex<double> w = value(want);
      signal += std::norm(w);
      noise += std::norm(value(got) - w);
    }
  }
  return Decibels(signal, noise);
}

bool SameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

std::vector<float> Flatten(ConstMatrix x) {
  std::vector<float> values;
  values.reserve(x.rows * x.cols);
  for (size_t t = 0; t < x.rows; ++t) values.insert(values.end(), x.Row(t), x.Row(t) + x.cols);
  return values;
}

}  // namespace koe::test_support
