// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/fixed_planes/fixed_planes.h"

namespace koe::kernels::scalar {
namespace {

// Input k of pair p (0 or 1) of chunk c over all blocks.
size_t InputOf(size_t chunk, size_t pair, size_t k) {
  return chunk / kFixedBlockChunks * kFixedBlock + 16 * pair + 2 * (chunk % kFixedBlockChunks) + k;
}

// A chunk's largest magnitude and sum of squares.
struct Size {
  float max = 0, squares = 0;
  void Add(float x) {
    max = std::max(max, std::abs(x));
    squares = std::fma(x, x, squares);
  }
  bool IsFinite() const { return squares < std::numeric_limits<float>::infinity(); }  // false for NaN
  // What brings it to whole numbers; so small a sum that its root would overflow the quotient counts as 1e-30.
  float Inverse() const {
    return std::min(kFixedPlaneNorm / std::sqrt(squares + 1e-30f), kFixedPlaneMax / std::max(max, 1e-30f));
  }
};

int16_t Round(float x) { return static_cast<int16_t>(std::nearbyint(x)); }

void Quantise(const float* x, size_t x_stride, size_t depth, size_t rows, float* out, size_t out_stride) {
  const size_t padded = FixedPlaneDepth(depth);
  std::vector<int16_t> whole(padded);
  for (size_t r = 0; r < rows; ++r, x += x_stride, out += out_stride) {
    std::fill(whole.begin(), whole.end(), int16_t{0});
    for (size_t chunk = 0; chunk < padded / kFixedChunk; ++chunk) {
      Size size;
      const auto each = [&](auto f) {
        for (size_t i = 0; i < kFixedChunk; ++i) {
          if (const size_t at = InputOf(chunk, i / 2, i % 2); at < depth) f(at);
        }
      };
      each([&](size_t at) { size.Add(x[at]); });
      const float inverse = size.Inverse();
      float* scale = out + padded / 2 + chunk;
      *scale = std::numeric_limits<float>::quiet_NaN();
      if (!size.IsFinite()) continue;
      *scale = 1.0f / inverse;
      each([&](size_t at) { whole[at] = Round(x[at] * inverse); });
    }
    std::memcpy(out, whole.data(), padded * sizeof(int16_t));
  }
}

void Pack(const float* w, size_t depth, float* packed) {
  const size_t padded = FixedPlaneDepth(depth);
  std::vector<int16_t> whole(padded * kPanelWidth);
  float* scales = packed + padded * kPanelWidth / 2;
  for (size_t lane = 0; lane < kPanelWidth; ++lane) {
    float inverse = std::numeric_limits<float>::infinity();
    for (size_t chunk = 0; chunk < padded / kFixedChunk; ++chunk) {
      Size size;
      for (size_t i = 0; i < kFixedChunk; ++i) {
        if (const size_t at = InputOf(chunk, i / 2, i % 2); at < depth) size.Add(w[at * kPanelWidth + lane]);
      }
      inverse = size.IsFinite() ? std::min(inverse, size.Inverse()) : std::numeric_limits<float>::quiet_NaN();
      if (!size.IsFinite()) break;
    }
    scales[lane] = 1.0f / inverse;
    const bool is_finite = !std::isnan(inverse);
    for (size_t i = 0; i < padded; ++i) {
      const size_t at = InputOf(i / kFixedChunk, i % kFixedChunk / 2, i % 2);
      whole[(i / 2 * kPanelWidth + lane) * 2 + i % 2] =
          is_finite && at < depth ? Round(w[at * kPanelWidth + lane] * inverse) : int16_t{0};
    }
  }
  std::memcpy(packed, whole.data(), whole.size() * sizeof(int16_t));
}

int16_t WholeAt(const float* row, size_t i) {
  int16_t value;
  std::memcpy(&value, reinterpret_cast<const char*>(row) + i * sizeof(value), sizeof(value));
  return value;
}

void Multiply(const float* input, size_t input_stride, size_t tiles, size_t depth, const float* packed,
              float* products) {
  const size_t padded = FixedPlaneDepth(depth);
  const float* scales = packed + padded * kPanelWidth / 2;
  for (size_t tile = 0; tile < tiles; ++tile, input += input_stride, products += kPanelWidth) {
    float total[kPanelWidth] = {};
    for (size_t chunk = 0; chunk < padded / kFixedChunk; ++chunk) {
      int32_t sum[kPanelWidth] = {};
      for (size_t i = 0; i < kFixedChunk; ++i) {
        const int32_t x = WholeAt(input, InputOf(chunk, i / 2, i % 2));
        const size_t pair = chunk * kFixedChunk / 2 + i / 2;
        for (size_t lane = 0; lane < kPanelWidth; ++lane) {
          sum[lane] += x * WholeAt(packed, (pair * kPanelWidth + lane) * 2 + i % 2);
        }
      }
      const float scale = input[padded / 2 + chunk];
      for (size_t lane = 0; lane < kPanelWidth; ++lane) {
        total[lane] = std::fma(static_cast<float>(sum[lane]), scale, total[lane]);
      }
    }
    for (size_t lane = 0; lane < kPanelWidth; ++lane) products[lane] = total[lane] * scales[lane];
  }
}

}  // namespace

const FixedPlanesOps kFixedPlanesOps{Quantise, Pack, Multiply};

}  // namespace koe::kernels::scalar
