// SPDX-License-Identifier: Apache-2.0
// Conv1d in tiles (kernels/tile_conv): how the rows are cut into tasks.
#include <algorithm>

#include "nn/conv1d.h"
#include "nn/conv_input.h"

namespace koe::nn {
namespace {

using kernels::TileForm;

// Whole blocks of tiles, about kStatsBlockRows rows: what tasks are made of. Fixed places, so that statistics do not
// depend on the tasks.
size_t UnitRows(const TileForm& form, size_t dilation) {
  const size_t block = kernels::TileBlockRows(form, dilation);
  return std::max<size_t>(1, kernels::kStatsBlockRows / block) * block;
}

}  // namespace

size_t Conv1d::stats_rows() const {
  return plan_.is_direct ? kernels::kStatsBlockRows : UnitRows(plan_.form, shape_.dilation);
}

// One run, cut into groups of rows that are computed together.
struct Conv1d::TileRun {
  // tile_weights: the transformed ones; null where every panel is transformed on its own.
  TileRun(const Conv1d& conv, const Exec& exec, const float* tile_weights, ConstMatrix input,
          const ConvPrologue& input_prologue, Matrix output, const ConvEpilogue& output_epilogue)
      : c(conv),
        kernels(*exec.kernels),
        weights(tile_weights),
        x(input),
        prologue(input_prologue),
        y(output),
        epilogue(output_epilogue) {
    const size_t unit_rows = c.stats_rows();
    units = CeilDiv(y.rows, unit_rows);
    const size_t unit_tiles = kernels::TilesOf(c.plan_.form, c.shape_.dilation, unit_rows);
    groups = CeilDiv(units, std::max<size_t>(1, c.plan_.tiles / unit_tiles));
    // Few groups are made even for the threads; where their borders are does not change the result. (Tasks of panels
    // need no such care.)
    const size_t threads = exec.pool->num_threads();
    if (!c.plan_.expand_at_run && groups < 16 * threads) groups = std::min(units, RoundUp(groups, threads));
    max_rows = CeilDiv(units, groups) * unit_rows;
  }

  size_t FirstRow(size_t group) const { return group * units / groups * c.stats_rows(); }
  size_t Rows(size_t group) const { return std::min(y.rows, FirstRow(group + 1)) - FirstRow(group); }
  size_t Stride() const { return kernels::TileInputStride(c.shape_.in); }
  size_t InputRows(size_t rows) const { return kernels::TileInputRows(c.plan_.form, c.shape_.dilation, rows); }
  size_t MaxTiles() const { return kernels::TilesOf(c.plan_.form, c.shape_.dilation, max_rows); }
  size_t InputSize() const { return InputRows(max_rows) * Stride(); }
  size_t PlanesSize() const {
    return RoundUp(kernels::TilePlanesSize(c.plan_.form, c.shape_.in, MaxTiles(), c.plan_.is_fixed), 16);
  }
  size_t ProductsSize() const {
    return RoundUp(kernels::TileProductsSize(c.plan_.form, c.shape_.in, MaxTiles(), c.plan_.is_fixed), 16);
  }

  kernels::TileConvArgs Args(size_t group, float* planes, float* products) const {
    const size_t first = FirstRow(group);
    kernels::TileConvArgs args{.form = c.plan_.form,
                               .weights = weights,
                               .bias = c.bias_.empty() ? nullptr : c.bias_.data(),
                               .dst = y.Row(first),
                               .dst_stride = y.stride,
                               .rows = Rows(group),
                               .c_in = c.shape_.in,
                               .c_out = c.shape_.out,
                               .dilation = c.shape_.dilation,
                               .planes = planes,
                               .products = products,
                               .fixed = c.plan_.is_fixed ? kernels.fixed_planes : nullptr};
    if (!epilogue.residual.empty()) {
      args.residual = epilogue.residual.Row(first);
      args.residual_stride = epilogue.residual.stride;
      args.scale = epilogue.scale;
      if (!epilogue.addend.empty()) {
        args.addend = epilogue.addend.Row(first);
        args.addend_stride = epilogue.addend.stride;
      }
    }
    return args;
  }

  // One panel as a convolution of its own.
  kernels::TileConvArgs PanelArgs(size_t group, size_t panel, const float* panel_weights) const {
    kernels::TileConvArgs args = Args(group, nullptr, nullptr);
    const size_t column = panel * kernels::kPanelWidth;
    args.weights = panel_weights;
    args.c_out = std::min(kernels::kPanelWidth, args.c_out - column);
    args.dst += column;
    if (args.bias != nullptr) args.bias += column;
    if (args.residual != nullptr) args.residual += column;
    if (args.addend != nullptr) args.addend += column;
    return args;
  }

  void Forward(size_t group, float* input, float* planes, float* products) const {
    const Matrix tile(input, InputRows(Rows(group)), c.shape_.in, Stride());
    FillConvInput(kernels, prologue, x,
                  static_cast<ptrdiff_t>(FirstRow(group)) - static_cast<ptrdiff_t>(c.shape_.padding), tile);
    kernels::TileConvArgs args = Args(group, planes, products);
    args.src = input;
    kernels.tile_conv.forward(args);
  }
  void GatherStats(size_t group) const {
    if (epilogue.stats == nullptr) return;
    epilogue.stats->Accumulate(kernels, y, FirstRow(group), FirstRow(group) + Rows(group));
  }

  const Conv1d& c;
  const kernels::KernelSet& kernels;
  const float* const weights;
  const ConstMatrix x;
  const ConvPrologue& prologue;
  const Matrix y;
  const ConvEpilogue& epilogue;
  size_t units = 0, groups = 0, max_rows = 0;
};

std::span<float> Conv1d::AllocatePanels(const Exec& exec) const {
  return exec.arena->Allocate<float>(stored_.is_float() ? 0 : exec.pool->num_threads() * stored_.panel_size());
}

const float* Conv1d::StoredPanel(const Exec& exec, size_t panel, size_t slot, std::span<float> panels) const {
  float* scratch = stored_.is_float() ? nullptr : panels.data() + slot * stored_.panel_size();
  return stored_.Panels(*exec.kernels, panel, 1, scratch);
}

const float* Conv1d::TileWeights(const Exec& exec) const {
  if (plan_.TransformsAtLoad()) return transformed_.data();
  const std::span<float> weights =
      exec.arena->Allocate<float>(kernels::TilePackedSize(plan_.form, shape_.in, shape_.out));
  const Arena::Scope scope(*exec.arena);
  const std::span<float> panels = AllocatePanels(exec);
  const size_t tile_panel_size = weights.size() / stored_.num_panels();
  exec.pool->ParallelFor(stored_.num_panels(), [&](size_t panel, size_t slot) {
    exec.kernels->tile_conv.pack_panel(plan_.form, exact_filter_.data(), StoredPanel(exec, panel, slot, panels),
                                       shape_.in, weights.data() + panel * tile_panel_size);
  });
  return weights.data();
}

void Conv1d::RunTiles(const Exec& exec, ConstMatrix x, const ConvPrologue& prologue, Matrix y,
                      const ConvEpilogue& epilogue) const {
  if (y.rows == 0) return;
  const Arena::Scope scope(*exec.arena);
  const TileRun run(*this, exec, plan_.expand_at_run ? nullptr : TileWeights(exec), x, prologue, y, epilogue);
  const size_t threads = exec.pool->num_threads();
  const size_t panels = CeilDiv(shape_.out, kernels::kPanelWidth);
  const std::span<float> inputs = exec.arena->Allocate<float>(threads * run.InputSize());
  const std::span<float> products = exec.arena->Allocate<float>(threads * run.ProductsSize());
  // Weights of a few MiB are in L3 for every group; larger ones are better read once for all groups.
  constexpr size_t kCachedWeights = size_t{16} << 20;
  const size_t weight_bytes =
      kernels::TilePackedSize(plan_.form, shape_.in, shape_.out, plan_.is_fixed) * sizeof(float);
  if (!plan_.expand_at_run && run.groups >= 4 * threads && weight_bytes <= kCachedWeights) {
    const std::span<float> planes = exec.arena->Allocate<float>(threads * run.PlanesSize());
    exec.pool->ParallelFor(run.groups, [&](size_t group, size_t slot) {
      if (exec.IsCancelled()) return;
      float* slot_planes = planes.data() + slot * run.PlanesSize();
      float* slot_products = products.data() + slot * run.ProductsSize();
      run.Forward(group, inputs.data() + slot * run.InputSize(), slot_planes, slot_products);
      kernels::TileConvArgs args = run.Args(group, slot_planes, slot_products);
      run.kernels.tile_conv.multiply(args, 0, panels);
      run.GatherStats(group);
    });
    return;
  }
  const std::span<float> planes = exec.arena->Allocate<float>(run.groups * run.PlanesSize());
  exec.pool->ParallelFor(run.groups, [&](size_t group, size_t slot) {
    run.Forward(group, inputs.data() + slot * run.InputSize(), planes.data() + group * run.PlanesSize(),
                products.data() + slot * run.ProductsSize());
  });
  const auto multiply = [&](const kernels::TileConvArgs& args, size_t group, size_t slot, size_t panel) {
    kernels::TileConvArgs own = args;
    own.planes = planes.data() + group * run.PlanesSize();
    own.products = products.data() + slot * run.ProductsSize();
    run.kernels.tile_conv.multiply(own, panel, panel + 1);
  };
  if (plan_.expand_at_run) {
    const size_t expanded_size = plan_.form.planes() * plan_.form.segments * shape_.in * kernels::kPanelWidth;
    const std::span<float> expanded = exec.arena->Allocate<float>(threads * expanded_size);
    const std::span<float> panels_of_slots = AllocatePanels(exec);
    // A panel is transformed once; where there are few panels, once for each part of the groups.
    const size_t parts = std::min(run.groups, CeilDiv(4 * threads, panels));
    exec.pool->ParallelFor(panels * parts, [&](size_t task, size_t slot) {
      if (exec.IsCancelled()) return;
      const size_t panel = task / parts, part = task % parts;
      float* weights = expanded.data() + slot * expanded_size;
      run.kernels.tile_conv.expand(plan_.form, filter_.data(), StoredPanel(exec, panel, slot, panels_of_slots),
                                   shape_.in, weights);
      for (size_t group = part * run.groups / parts; group < (part + 1) * run.groups / parts; ++group) {
        multiply(run.PanelArgs(group, panel, weights), group, slot, 0);
      }
    });
  } else {
    exec.pool->ParallelFor(run.groups * panels, [&](size_t task, size_t slot) {
      if (exec.IsCancelled()) return;
      const size_t group = task % run.groups;
      multiply(run.Args(group, nullptr, nullptr), group, slot, task / run.groups);
    });
  }
  exec.pool->ParallelFor(run.groups, [&](size_t group, size_t) { run.GatherStats(group); });
}

}  // namespace koe::nn
