// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers: value i of a stream depends on (seed, stream, i) alone, so any thread may compute any
// part and the result is bit-equal for every number of threads.
#ifndef KOE_BASE_RNG_H_
#define KOE_BASE_RNG_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace koe {

// Philox 4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC11).
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// dst[i] = normal number first + i of the stream, mean 0, deviation 1 (Box-Muller on Philox words). |value| <= 6.7.
void FillNormal(uint64_t seed, uint32_t stream, uint64_t first, std::span<float> dst);

}  // namespace koe

#endif  // KOE_BASE_RNG_H_
