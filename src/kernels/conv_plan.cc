// SPDX-License-Identifier: Apache-2.0
#include "kernels/conv_plan.h"

#include <algorithm>

#include "kernels/fixed_planes/fixed_planes.h"

namespace koe::kernels {
namespace {

struct TableRow {
  Target target;
  size_t taps, max_channels;
  TileForm::Kind kind;
  size_t samples, segments, tiles;
  bool expand_at_run;
  bool is_fixed = false;
};

constexpr TableRow kTable[] = {
#include "kernels/conv_plan_table.inc"
};
// Where kFast has something better.
constexpr TableRow kFastTable[] = {
#include "kernels/conv_plan_table_fast.inc"
};

ConvPlan TilePlan(const TileForm& form, size_t tiles, bool expand_at_run) {
  return {.is_direct = false, .form = form, .tiles = tiles, .expand_at_run = expand_at_run};
}

// Toom-Cook up to 12 samples keeps 104 dB; 14 and 16 samples keep 93 and 88 (docs/numerics.md).
bool IsExactEnough(ConvPreset preset, const TileForm& form) {
  return form.kind == TileForm::Kind::kFft || form.samples <= 12 || preset == ConvPreset::kFast;
}

// Rows of whole numbers are for as many outputs as inputs: few outputs are not worth the way there, and the last
// convolution, whose output is a logarithm and a phase, is where their error would be heard first.
const TableRow* FindRow(std::span<const TableRow> table, Target target, size_t taps, size_t c_in, size_t c_out) {
  for (const TableRow& row : table) {
    if (row.target != target || row.taps != taps || std::max(c_in, c_out) > row.max_channels) continue;
    if (row.is_fixed && (c_in != c_out || FindFixedPlanesOps(target) == nullptr)) continue;
    return &row;
  }
  return nullptr;
}

}  // namespace

std::string ConvPlanName(const ConvPlan& plan) {
  if (plan.is_direct) return "direct";
  return (plan.form.kind == TileForm::Kind::kFft ? "fft" : "toom") + std::to_string(plan.form.samples) +
         (plan.form.segments > 1 ? "x" + std::to_string(plan.form.segments) : "") + (plan.is_fixed ? "-int16" : "");
}

ConvPlan ChooseConvPlan(Target target, ConvPreset preset, size_t taps, size_t c_in, size_t c_out) {
  if (preset == ConvPreset::kDirect) return {};
  const TableRow* row = preset == ConvPreset::kFast ? FindRow(kFastTable, target, taps, c_in, c_out) : nullptr;
  if (row == nullptr) row = FindRow(kTable, target, taps, c_in, c_out);
  if (row == nullptr) return {};
  ConvPlan plan = TilePlan({row->kind, row->samples, taps, row->segments}, row->tiles, row->expand_at_run);
  plan.expand_first = preset == ConvPreset::kLowMemory && !plan.expand_at_run;
  plan.is_fixed = row->is_fixed;
  return plan;
}

std::vector<ConvPlan> ConvPlanCandidates(Target target, ConvPreset preset, size_t taps) {
  std::vector<ConvPlan> plans = {ConvPlan()};
  if (preset == ConvPreset::kDirect) return plans;
  for (const TileForm& form : SupportedTileForms()) {
    if (form.taps != taps || !IsExactEnough(preset, form)) continue;
    for (const bool expand_at_run : {false, true}) {
      for (const size_t tiles : {12, 24, 48}) {
        plans.push_back(TilePlan(form, tiles, expand_at_run));
        plans.back().expand_first = preset == ConvPreset::kLowMemory && !expand_at_run;
        if (preset == ConvPreset::kFast && form.kind == TileForm::Kind::kFft && !expand_at_run &&
            FindFixedPlanesOps(target) != nullptr) {
          plans.push_back(plans.back());
          plans.back().is_fixed = true;
        }
      }
    }
  }
  return plans;
}

}  // namespace koe::kernels
