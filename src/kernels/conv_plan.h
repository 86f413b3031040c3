// SPDX-License-Identifier: Apache-2.0
// Which convolution is computed how. The choice is a table per target, filled by measurement (conv_plan_table.inc).
#ifndef KOE_KERNELS_CONV_PLAN_H_
#define KOE_KERNELS_CONV_PLAN_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "kernels/target.h"
#include "kernels/tile_conv/tile_form.h"

namespace koe::kernels {

struct ConvPlan {
  bool is_direct = true;  // conv1d; the rest is unused
  TileForm form = {};
  size_t tiles = 12;  // about as many are computed with one pass over the weights
  // Weights stay as conv1d has them; every run transforms each panel for all of its rows at once. For wide convolutions
  // over few rows: no memory for transformed weights, which would come from DRAM every time.
  bool expand_at_run = false;
  // Weights stay as they are stored, and every run transforms all of them first, to the bits that it would have been at
  // load: for a fraction of the memory (49 planes of float32 against 11 taps of int8).
  bool expand_first = false;
  // Products in 16-bit whole numbers (fixed_planes.h); one segment, transformed at load.
  bool is_fixed = false;

  bool TransformsAtLoad() const { return !is_direct && !expand_at_run && !expand_first; }
  bool operator==(const ConvPlan&) const = default;
};

// "direct", "toom10", "toom12x2" (in two segments), "fft34", "fft34-int16" (is_fixed).
std::string ConvPlanName(const ConvPlan& plan);

// What the accuracy of a form allows. Measured against float64 on random data, one convolution: docs/numerics.md.
enum class ConvPreset {
  kDirect,     // conv1d everywhere: the reference
  kExact,      // forms of 100 dB and more
  kFast,       // forms of 84 dB and more, products of whole numbers among them
  kLowMemory,  // kExact to the bit, but weights are transformed when they are used
};

// Stride 1 only; anything without a row in the table is direct.
ConvPlan ChooseConvPlan(Target target, ConvPreset preset, size_t taps, size_t c_in, size_t c_out);

// The plans that a measurement on this CPU should compare for these taps under this preset: direct first.
std::vector<ConvPlan> ConvPlanCandidates(Target target, ConvPreset preset, size_t taps);

}  // namespace koe::kernels

#endif  // KOE_KERNELS_CONV_PLAN_H_
