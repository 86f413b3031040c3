// SPDX-License-Identifier: Apache-2.0
// Register-blocked MultiplyPanels for the vector targets; compiled once per target inside gemm.cc and conv1d.cc.
#if defined(KOE_KERNELS_GEMM_PANEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef KOE_KERNELS_GEMM_PANEL_INL_H_
#undef KOE_KERNELS_GEMM_PANEL_INL_H_
#else
#define KOE_KERNELS_GEMM_PANEL_INL_H_
#endif

#include <cstddef>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "kernels/gemm/panel.h"
#include "kernels/simd_targets.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace hn = hwy::HWY_NAMESPACE;

using PanelTag = hn::ScalableTag<float>;
using PanelVec = hn::Vec<PanelTag>;
inline constexpr PanelTag kPanelTag;
inline constexpr size_t kVecLanes = hn::MaxLanes(kPanelTag);

// A tile's sums, a row of weights and the broadcasts in flight fill the register file: 12 x 2 + 2 + 1 of AVX-512's 32,
// 6 x 2 + 2 + 1 of AVX2's 16, 5 x 4 + 4 + 5 of NEON's 32 (g++ 12 loads all broadcasts first there, and spills sums with
// six rows). At least 10 independent sums hide an FMA's latency (4 cycles, up to 2 a cycle).
inline constexpr size_t kTileRows = HWY_TARGET == HWY_AVX3 ? 12 : HWY_TARGET == HWY_AVX2 ? 6 : 5;
inline constexpr size_t kTileLanes = HWY_TARGET == HWY_AVX3 ? 32 : 16;
inline constexpr size_t kTileVecs = kTileLanes / kVecLanes;
// Rows that are taken through all panels before the next ones: with 256 channels their input is about 100 KB, which
// stays in L2 beside the panel in use (32 channels wide; 360 KB at 11 taps).
inline constexpr size_t kBlockTiles = 96 / kTileRows;
// Weights come from L3 for a block's first tile and from L2 for the others. 2 KiB ahead are 16 steps of 24 FMAs.
inline constexpr size_t kPanelPrefetch = 512;

struct TileArgs {
  const float* x;
  size_t row_step, tap_step, taps, k;
  const float* w;
  const float* start;     // [kTileLanes], aligned
  const float* residual;  // used by kResidual
  size_t residual_stride;
  float* dst;
  size_t dst_stride;
};

// One function per number of rows, not inlined, every index a constant: otherwise g++ keeps the sums in memory.
template <size_t kRows, bool kResidual>
HWY_NOINLINE void Tile(const TileArgs& args) {
  HWY_UNROLL(12)
  for (size_t r = 0; r < kRows; ++r) {
    // The output is written after thousands of cycles: its lines can be here by then.
    hwy::Prefetch(args.dst + r * args.dst_stride);
    hwy::Prefetch(args.dst + r * args.dst_stride + kTileLanes - 1);
    if constexpr (kResidual) {
      hwy::Prefetch(args.residual + r * args.residual_stride);
      hwy::Prefetch(args.residual + r * args.residual_stride + kTileLanes - 1);
    }
  }
  // The totals live in L1: the registers hold one block's sums. Before the first block they are `start` in every row,
  // after the last they go to dst, so that a tile of one block touches no buffer.
  HWY_ALIGN float buffer[kRows * kTileLanes];
  const float* total = args.start;
  size_t total_step = 0;
  PanelVec sum[kRows][kTileVecs];
  const size_t step = args.row_step;
  const float* w = args.w;
  size_t tap = 0, first = 0;
  for (;;) {
    const size_t count = HWY_MIN(kSumBlock, args.k - first);
    // Four bases with offsets 0, 1 and 2 steps address twelve rows in few registers.
    const float* x0 = args.x + tap * args.tap_step + first;
    const float* x3 = x0 + (kRows > 3 ? 3 * step : 0);
    const float* x6 = x3 + (kRows > 6 ? 3 * step : 0);
    const float* x9 = x6 + (kRows > 9 ? 3 * step : 0);
    HWY_UNROLL(12)
    for (size_t r = 0; r < kRows; ++r) {
      HWY_UNROLL(4)
      for (size_t v = 0; v < kTileVecs; ++v) sum[r][v] = hn::Zero(kPanelTag);
    }
    for (size_t i = 0; i < count; ++i, w += kPanelWidth) {
      HWY_UNROLL(2)
      for (size_t lane = 0; lane < kTileLanes; lane += 16) hwy::Prefetch(w + kPanelPrefetch + lane);
      PanelVec weights[kTileVecs];
      HWY_UNROLL(4)
      for (size_t v = 0; v < kTileVecs; ++v) weights[v] = hn::Load(kPanelTag, w + v * kVecLanes);
      HWY_UNROLL(12)
      for (size_t r = 0; r < kRows; ++r) {
        const float* x = r < 3 ? x0 : r < 6 ? x3 : r < 9 ? x6 : x9;
        const PanelVec value = hn::Set(kPanelTag, x[(r % 3) * step + i]);
        HWY_UNROLL(4)
        for (size_t v = 0; v < kTileVecs; ++v) sum[r][v] = hn::MulAdd(value, weights[v], sum[r][v]);
      }
    }
    first += count;
    if (first == args.k) {
      first = 0;
      if (++tap >= args.taps) break;
    }
    HWY_UNROLL(12)
    for (size_t r = 0; r < kRows; ++r) {
      HWY_UNROLL(4)
      for (size_t v = 0; v < kTileVecs; ++v) {
        const PanelVec before = hn::Load(kPanelTag, total + r * total_step + v * kVecLanes);
        hn::Store(hn::Add(before, sum[r][v]), kPanelTag, buffer + r * kTileLanes + v * kVecLanes);
      }
    }
    total = buffer;
    total_step = kTileLanes;
  }
  HWY_UNROLL(12)
  for (size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(4)
    for (size_t v = 0; v < kTileVecs; ++v) {
      PanelVec out = hn::Add(hn::Load(kPanelTag, total + r * total_step + v * kVecLanes), sum[r][v]);
      if constexpr (kResidual) {
        out = hn::Add(out, hn::LoadU(kPanelTag, args.residual + r * args.residual_stride + v * kVecLanes));
      }
      hn::StoreU(out, kPanelTag, args.dst + r * args.dst_stride + v * kVecLanes);
    }
  }
}

template <bool kResidual, size_t kRows = kTileRows>
void RunTile(size_t rows, const TileArgs& args) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return RunTile<kResidual, kRows - 1>(rows, args);
  }
  Tile<kRows, kResidual>(args);
}

// The last lanes of dst where fewer than kTileLanes exist: the sums go through a buffer.
HWY_NOINLINE inline void RunPartialTile(size_t rows, size_t count, TileArgs args) {
  HWY_ALIGN float sums[kTileRows * kTileLanes];
  float* dst = args.dst;
  const size_t dst_stride = args.dst_stride;
  args.dst = sums;
  args.dst_stride = kTileLanes;
  RunTile<false>(rows, args);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t lane = 0; lane < count; ++lane) {
      const float sum = sums[r * kTileLanes + lane];
      dst[r * dst_stride + lane] =
          args.residual != nullptr ? sum + args.residual[r * args.residual_stride + lane] : sum;
    }
  }
}

// Tiles [first_tile, last_tile) of the rows, which are spread evenly over `tiles`, by the lanes from `column`.
template <bool kMayHaveResidual>
void RunColumn(const PanelArgs& args, size_t column, size_t tiles, size_t first_tile, size_t last_tile) {
  const size_t count = HWY_MIN(kTileLanes, args.n - column);
  HWY_ALIGN float start[kTileLanes] = {};
  if (args.bias != nullptr) {
    for (size_t lane = 0; lane < count; ++lane) start[lane] = args.bias[column + lane];
  }
  const size_t panel = column / kPanelWidth * kPanelWidth;
  for (size_t tile = first_tile; tile < last_tile; ++tile) {
    const size_t row = tile * args.rows / tiles;
    const size_t rows = (tile + 1) * args.rows / tiles - row;
    const TileArgs t{
        .x = args.src + row * args.row_step,
        .row_step = args.row_step,
        .tap_step = args.tap_step,
        .taps = args.taps,
        .k = args.k,
        .w = args.packed + panel * args.taps * args.k + (column - panel),
        .start = start,
        .residual = args.residual == nullptr ? nullptr : args.residual + row * args.residual_stride + column,
        .residual_stride = args.residual_stride,
        .dst = args.dst + row * args.dst_stride + column,
        .dst_stride = args.dst_stride};
    if (count < kTileLanes) {
      RunPartialTile(rows, count, t);
    } else if (kMayHaveResidual && args.residual != nullptr) {
      RunTile<kMayHaveResidual>(rows, t);
    } else {
      RunTile<false>(rows, t);
    }
  }
}

template <bool kMayHaveResidual>
void MultiplyPanels(const PanelArgs& args) {
  const size_t tiles = (args.rows + kTileRows - 1) / kTileRows;
  for (size_t first = 0; first < tiles; first += kBlockTiles) {
    const size_t last = HWY_MIN(first + kBlockTiles, tiles);
    for (size_t column = 0; column < args.n; column += kTileLanes) {
      RunColumn<kMayHaveResidual>(args, column, tiles, first, last);
    }
  }
}

#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // KOE_KERNELS_GEMM_PANEL_INL_H_
