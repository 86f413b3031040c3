// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <cmath>

namespace koe {

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  return c;
}

void FillNormal(uint64_t seed, uint32_t stream, uint64_t first, std::span<float> dst) {
  const std::array<uint32_t, 2> key = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  std::array<float, 4> block{};
  uint64_t have = ~uint64_t{0};
  for (size_t i = 0; i < dst.size(); ++i) {
    const uint64_t n = first + i;
    if (n / 4 != have) {
      have = n / 4;
      const auto bits =
          Philox4x32({static_cast<uint32_t>(have), static_cast<uint32_t>(have >> 32), stream, 0x6B6F65u}, key);
      for (int pair = 0; pair < 2; ++pair) {
        // u in (0, 1], 2^-32 at least: the logarithm stays finite. v in [0, 1).
        const double u = (static_cast<double>(bits[2 * pair]) + 1.0) * 0x1p-32;
        const double v = static_cast<double>(bits[2 * pair + 1]) * 0x1p-32;
        const double radius = std::sqrt(-2.0 * std::log(u));
        block[2 * pair] = static_cast<float>(radius * std::cos(6.283185307179586 * v));
        block[2 * pair + 1] = static_cast<float>(radius * std::sin(6.283185307179586 * v));
      }
    }
    dst[i] = block[n % 4];
  }
}

}  // namespace koe
