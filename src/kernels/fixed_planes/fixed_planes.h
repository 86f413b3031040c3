// SPDX-License-Identifier: Apache-2.0
// The products of a convolution in tiles (tile_conv.h) in 16-bit whole numbers, for ConvPreset::kFast: a dot-product
// instruction takes two of them where a multiply-add takes one float32, and planes take 56 to 62 % and weights half of
// the memory. Sixteen inputs at a time are summed exactly in int32, with a scale of their own, and then in float32. One
// convolution of random data keeps 84 dB (docs/numerics.md).
#ifndef KOE_KERNELS_FIXED_PLANES_FIXED_PLANES_H_
#define KOE_KERNELS_FIXED_PLANES_FIXED_PLANES_H_

#include <cstddef>
#include <cstdint>

#include "kernels/gemm/gemm.h"
#include "kernels/target.h"

namespace koe::kernels {

// Inputs that share a scale: in each block of 128, chunk j has inputs 16 v + 2 j and 16 v + 2 j + 1 for v in [0, 8), so
// that its largest value is found without looking across a vector of 16.
inline constexpr size_t kFixedBlock = 128;
inline constexpr size_t kFixedChunk = 16;
inline constexpr size_t kFixedBlockChunks = kFixedBlock / kFixedChunk;

// Of whole numbers: |x| <= 32767, and the root of the sum of squares over a chunk at most 46330 before rounding.
// Rounding moves it by at most sqrt(16) / 2 and the scale's own error by 0.01 %, so that by Cauchy and Schwarz a
// chunk's sum of products stays below (46330 * 1.0001 + 2)^2 < 2^31.
inline constexpr float kFixedPlaneMax = 32760.0f;
inline constexpr float kFixedPlaneNorm = 46330.0f;

inline constexpr size_t FixedPlaneDepth(size_t depth) { return (depth + kFixedBlock - 1) / kFixedBlock * kFixedBlock; }
// A row of inputs, opaque: whole numbers, zeros beyond depth, and the scales of its chunks. In units of float32.
inline constexpr size_t FixedPlaneRowSize(size_t depth) {
  return FixedPlaneDepth(depth) / 2 + (FixedPlaneDepth(depth) / kFixedChunk + 15) / 16 * 16;
}
// One plane of one panel of weights, opaque: [block][chunk][pair][kPanelWidth][2] whole numbers, then the scales of the
// outputs. In units of float32.
inline constexpr size_t FixedPlaneWeightsSize(size_t depth) {
  return FixedPlaneDepth(depth) * kPanelWidth / 2 + kPanelWidth;
}

struct FixedPlanesOps {
  // Rows x[i * x_stride] [depth] -> rows out[i * out_stride], in units of float32, out 64-byte aligned and out_stride a
  // multiple of 16. With s the smallest scale that keeps both limits above (within 0.01 %; the sum of squares counts
  // 1e-30 more), a value is off by at most s / 2 and 4 float32 roundings of itself. A chunk with an infinity, a NaN or
  // squares whose sum overflows gives NaN in every product.
  void (*quantise)(const float* x, size_t x_stride, size_t depth, size_t rows, float* out, size_t out_stride);
  // w [depth][kPanelWidth] -> packed, both 64-byte aligned. One scale for each output, the smallest that keeps the
  // limits over all chunks; NaN where a weight is not finite.
  void (*pack)(const float* w, size_t depth, float* packed);
  // products[tile][lane] = sum over chunks of scale (exact sum of input times weight), times the output's scale: each
  // step in float32, fused, so that the bits depend on the row and the weights alone. Rows `input_stride` apart in
  // units of float32; all 64-byte aligned. Error beyond that of the inputs and weights: (chunks + 2) eps sum |input
  // weight|.
  void (*multiply)(const float* input, size_t input_stride, size_t tiles, size_t depth, const float* packed,
                   float* products);
};

// Null where the target, or this CPU, has no such dot product: then float32 is as fast.
const FixedPlanesOps* FindFixedPlanesOps(Target target);

namespace scalar {
// The reference; not chosen by FindFixedPlanesOps.
extern const FixedPlanesOps kFixedPlanesOps;
}  // namespace scalar

}  // namespace koe::kernels

#endif  // KOE_KERNELS_FIXED_PLANES_FIXED_PLANES_H_
