// SPDX-License-Identifier: Apache-2.0
// Random data and the distances in which tests state what they demand.
#ifndef KOE_TESTS_SUPPORT_MEASURE_H_
#define KOE_TESTS_SUPPORT_MEASURE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/array.h"

namespace koe::test_support {

inline constexpr double kEps = 0x1p-24;  // unit roundoff of float32

// $KOE_TEST_SEED, or a fixed number; printed once.
uint64_t TestSeed();

// mean + deviation * normal, different at every call of one process.
std::vector<float> RandomVector(size_t size, float deviation = 1, float mean = 0);

// 10 log10(sum want^2 / sum (got - want)^2); +inf where they are equal, -inf for another size or anything not finite.
double SnrDb(std::span<const float> got, std::span<const float> want);
double SnrDb(ConstMatrix got, ConstMatrix want);
double SnrDb(std::span<const float> got, std::span<const double> want);

// The same for spectra [frames][22] of 11 magnitudes and 11 phases, as complex numbers magnitude * e^(i phase): the
// phase of a weak bin counts as little as it is heard, and 2 pi is 0.
double SpectrumSnrDb(ConstMatrix got, ConstMatrix want);

// Equal bit for bit (NaN included).
bool SameBits(std::span<const float> a, std::span<const float> b);

std::vector<float> Flatten(ConstMatrix x);

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_MEASURE_H_
