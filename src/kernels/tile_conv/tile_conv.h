// SPDX-License-Identifier: Apache-2.0
// Convolution in tiles (tile_form.h): forward transform of each tile, products plane by plane for a group of tiles, and
// the way back with bias, residual and scale. In float32; the filters are transformed in double.
#ifndef KOE_KERNELS_TILE_CONV_TILE_CONV_H_
#define KOE_KERNELS_TILE_CONV_TILE_CONV_H_

#include <cstddef>

#include "kernels/gemm/gemm.h"
#include "kernels/target.h"
#include "kernels/tile_conv/tile_form.h"

namespace koe::kernels {

// Tiles of a group: with 12 rows a product fills the register file (gemm.h), and 12 is also a multiple of the dilations
// 1 and 3.
inline constexpr size_t kMaxGroupTiles = 12;

// A dilated convolution is `dilation` interleaved undilated ones. A block is one tile of each: dilation * outputs()
// consecutive rows. A group is as many whole blocks as make at most kMaxGroupTiles tiles.
inline constexpr size_t GroupBlocks(size_t dilation) {
  return dilation >= kMaxGroupTiles ? 1 : kMaxGroupTiles / dilation;
}
inline size_t GroupRows(const TileForm& form, size_t dilation) {
  return GroupBlocks(dilation) * dilation * form.outputs();
}

// Rows of input that a group of `rows` output rows reads, from the first of its own; `rows` <= GroupRows. Whole blocks
// are read, so this may be more than a direct convolution of those rows reads.
inline size_t GroupInputRows(const TileForm& form, size_t dilation, size_t rows) {
  const size_t block = dilation * form.outputs();
  return (rows + block - 1) / block * block + dilation * (form.segment_taps() * form.segments - 1);
}

// Row stride of the input: readable to there. Rows a power of two apart would share few sets of the L1 cache.
inline constexpr size_t TileInputStride(size_t c_in) { return (c_in + 15) / 16 * 16 + 16; }

struct TileConvArgs {
  TileForm form;
  const float* src = nullptr;       // [GroupInputRows][TileInputStride(c_in)], 64-byte aligned; finite past c_in
  const float* weights = nullptr;   // of TileConvOps::pack, 64-byte aligned
  const float* bias = nullptr;      // [c_out] or null
  const float* residual = nullptr;  // [rows][c_out] or null; may be dst itself
  size_t residual_stride = 0;
  float scale = 1;       // of conv + bias + residual; only with a residual
  float* dst = nullptr;  // [rows][c_out]; must not overlap src
  size_t dst_stride = 0;
  size_t rows = 0;  // <= GroupRows
  size_t c_in = 0, c_out = 0, dilation = 1;
  float* scratch = nullptr;  // TileConvScratch floats, 64-byte aligned
};

// Floats of transformed weights, and of scratch.
size_t TileConvPackedSize(const TileForm& form, size_t c_in, size_t c_out);
size_t TileConvScratch(const TileForm& form, size_t c_in, size_t c_out);

struct TileConvOps {
  // Panels [first_panel, last_panel) of the weights w [c_out][c_in][taps], a panel being kPanelWidth output channels;
  // they go to their own place in packed, so panels may be made side by side. Computed in double, rounded once.
  void (*pack)(const TileForm& form, const float* w, size_t c_in, size_t c_out, size_t first_panel, size_t last_panel,
               float* packed);
  // dst[t][co] = (bias[co] + sum_k sum_ci src[t + k * dilation][ci] w[co][ci][k] + residual[t][co]) * scale.
  // form is supported. An output depends on its tile's place and input only. Error: docs/numerics.md.
  void (*run)(const TileConvArgs& args);
};

const TileConvOps* FindTileConvOps(Target target);

namespace scalar {
extern const TileConvOps kTileConvOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_TILE_CONV_TILE_CONV_H_
