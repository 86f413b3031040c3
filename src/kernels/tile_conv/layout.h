// SPDX-License-Identifier: Apache-2.0
// Where tile_conv keeps its transformed data. Private to its implementations.
#ifndef KOE_KERNELS_TILE_CONV_LAYOUT_H_
#define KOE_KERNELS_TILE_CONV_LAYOUT_H_

#include "kernels/tile_conv/tile_conv.h"

namespace koe::kernels {

// Transformed input [plane][tile][segment][c_in], products [plane][tile][kPanelWidth] of one panel of outputs, weights
// [panel][plane][segment][c_in][kPanelWidth]. In whole numbers, a row of input and a plane of weights are those of
// FixedPlanesOps.
struct TileConvLayout {
  TileConvLayout(const TileForm& form, size_t c_in, size_t num_tiles, bool is_fixed)
      : tiles(num_tiles),
        planes(form.planes()),
        depth(form.segments * c_in),
        input_row(is_fixed ? FixedPlaneRowSize(depth) : (depth + 15) / 16 * 16),
        // A cache line more than the rows: planes a multiple of 4 KiB apart would all fall into one set of the L1
        // cache.
        input_plane(tiles * input_row + 16),
        product_plane(tiles * kPanelWidth + 16),
        weights_plane(is_fixed ? FixedPlaneWeightsSize(depth) : depth * kPanelWidth) {}
  explicit TileConvLayout(const TileConvArgs& args)
      : TileConvLayout(args.form, args.c_in, TilesOf(args.form, args.dilation, args.rows), args.fixed != nullptr) {}
  size_t tiles, planes;
  size_t depth;  // products of one output of a plane
  // Rows of one tile's planes before they become whole numbers: not a power of two apart.
  size_t FloatRow() const { return (depth + 15) / 16 * 16 + 16; }
  size_t input_row, input_plane, product_plane, weights_plane;
};

// First row of a tile, in input and output.
inline size_t FirstRowOfTile(const TileForm& form, size_t dilation, size_t tile) {
  return tile / dilation * dilation * form.outputs() + tile % dilation;
}
// Outputs of a tile within the rows that are wanted.
inline size_t OutputsOfTile(const TileForm& form, size_t dilation, size_t first_row, size_t rows) {
  if (first_row >= rows) return 0;
  const size_t left = (rows - first_row + dilation - 1) / dilation;
  return left < form.outputs() ? left : form.outputs();
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_TILE_CONV_LAYOUT_H_
