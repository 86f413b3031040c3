// SPDX-License-Identifier: Apache-2.0
// Convolution in tiles (tile_form.h): forward transform of each tile, products plane by plane for a group of tiles, and
// the way back with bias, residual and scale. In float32, or with products of whole numbers (fixed_planes.h); the
// filters are transformed in double.
#ifndef KOE_KERNELS_TILE_CONV_TILE_CONV_H_
#define KOE_KERNELS_TILE_CONV_TILE_CONV_H_

#include <cstddef>
#include <vector>

#include "kernels/fixed_planes/fixed_planes.h"
#include "kernels/gemm/gemm.h"
#include "kernels/target.h"
#include "kernels/tile_conv/tile_form.h"

namespace koe::kernels {

// A dilated convolution is `dilation` interleaved undilated ones. A block is one tile of each: dilation * outputs()
// consecutive rows.
inline size_t TileBlockRows(const TileForm& form, size_t dilation) { return dilation * form.outputs(); }

// Tiles that cover `rows` rows of output: whole blocks.
inline size_t TilesOf(const TileForm& form, size_t dilation, size_t rows) {
  const size_t block = TileBlockRows(form, dilation);
  return (rows + block - 1) / block * dilation;
}

// Rows of input that are read for `rows` rows of output, from the first of its own. Whole blocks are read, so this may
// be more than a direct convolution reads.
inline size_t TileInputRows(const TileForm& form, size_t dilation, size_t rows) {
  const size_t block = TileBlockRows(form, dilation);
  return (rows + block - 1) / block * block + dilation * (form.segment_taps() * form.segments - 1);
}

// Row stride of the input: readable to there. Rows a power of two apart would share few sets of the L1 cache.
inline constexpr size_t TileInputStride(size_t c_in) { return (c_in + 15) / 16 * 16 + 16; }

struct TileConvArgs {
  TileForm form;
  const float* src = nullptr;       // [TileInputRows][TileInputStride(c_in)], 64-byte aligned
  const float* weights = nullptr;   // of TileConvOps::pack, 64-byte aligned
  const float* bias = nullptr;      // [c_out] or null
  const float* residual = nullptr;  // [rows][c_out] or null; may be dst itself
  size_t residual_stride = 0;
  const float* addend = nullptr;  // a second residual, or null; may be dst itself; only with a residual
  size_t addend_stride = 0;
  float scale = 1;       // of conv + bias + residual + addend; only with a residual
  float* dst = nullptr;  // [rows][c_out]; must not overlap src
  size_t dst_stride = 0;
  size_t rows = 0, c_in = 0, c_out = 0, dilation = 1;
  float* planes = nullptr;  // transformed input: TilePlanesSize floats, 64-byte aligned
  float* products =
      nullptr;  // scratch of multiply, and of forward with fixed: TileProductsSize floats, 64-byte aligned
  // Null: float32. Otherwise the planes are multiplied by it: weights are packed panel by panel and plane by plane with
  // fixed->pack. Only with one segment.
  const FixedPlanesOps* fixed = nullptr;
};

// Floats of transformed weights, of transformed input and of one panel's products. is_fixed: for args.fixed.
size_t TilePackedSize(const TileForm& form, size_t c_in, size_t c_out, bool is_fixed = false);
size_t TilePlanesSize(const TileForm& form, size_t c_in, size_t tiles, bool is_fixed = false);
size_t TileProductsSize(const TileForm& form, size_t c_in, size_t tiles, bool is_fixed = false);

// The filter's matrix of MatricesOf as float32, for expand.
std::vector<float> TileFilterOf(const TileForm& form);

struct TileConvOps {
  // Panels [first_panel, last_panel) of the weights w [c_out][c_in][taps], a panel being kPanelWidth output channels;
  // they go to their own place in packed, so panels may be made side by side. Computed in double, rounded once.
  void (*pack)(const TileForm& form, const float* w, size_t c_in, size_t c_out, size_t first_panel, size_t last_panel,
               float* packed);
  // One panel of weights as GemmOps::pack leaves them, [taps][c_in][kPanelWidth], to what pack makes of it; in float32,
  // segment_taps + 1 roundings. For weights that are transformed when they are used, which costs no memory: worth it
  // where one transform serves many tiles. filter: TileFilterOf(form).
  void (*expand)(const TileForm& form, const float* filter, const float* panel, size_t c_in, float* expanded);
  // The same to the bits of pack: in double, rounded once. filter: MatricesOf(form).filter.
  void (*pack_panel)(const TileForm& form, const double* filter, const float* panel, size_t c_in, float* packed);
  // dst[t][co] = (bias[co] + sum_k sum_ci src[t + k * dilation][ci] w[co][ci][k] + residual[t][co]
  //              + addend[t][co]) * scale
  // in two steps: src -> planes, then planes -> panels [first_panel, last_panel) of dst; panels may be made side by
  // side, each with its own products. form is supported. An output depends on its place in its tile and on the tile's
  // input alone, not on the rows, panels or tiles computed together; a NaN reaches the whole tile. Error: the roundings
  // of docs/numerics.md times the sum of the magnitudes that meet in the output, and with fixed that of its products.
  void (*forward)(const TileConvArgs& args);
  void (*multiply)(const TileConvArgs& args, size_t first_panel, size_t last_panel);
  // multiply without the way back, to measure it by: writes products alone, those of the last panel.
  void (*products)(const TileConvArgs& args, size_t first_panel, size_t last_panel);
};

const TileConvOps* FindTileConvOps(Target target);

namespace scalar {
extern const TileConvOps kTileConvOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_TILE_CONV_TILE_CONV_H_
