// SPDX-License-Identifier: Apache-2.0
#include "nn/conv1d.h"

#include <algorithm>
#include <vector>

#include "nn/conv_input.h"

namespace koe::nn {
namespace {

constexpr size_t kBlock = kernels::kStatsBlockRows;

// Rows of output per task where input and output tile are to stay in L2 (1 MiB): 192 rows x 256 channels or 384 x 128
// are 200 KiB each way. More rows mean less of the halo computed twice.
size_t TileRows(size_t channels) { return channels <= 128 ? 4 * kBlock : 2 * kBlock; }

}  // namespace

Conv1d::Conv1d(const kernels::KernelSet& kernels, const WeightView& weight, std::span<const float> bias,
               const ConvShape& shape, const kernels::ConvPlan& plan, ThreadPool* pool)
    : plan_(plan), shape_(shape), bias_(bias.size()) {
  std::copy(bias.begin(), bias.end(), bias_.data());
  if (!plan.TransformsAtLoad()) {
    stored_ = PackedWeights(kernels, weight,
                            {.taps = shape.taps,
                             .k = shape.in,
                             .n = shape.out,
                             .tap_stride = 1,
                             .k_stride = shape.taps,
                             .n_stride = shape.in * shape.taps},
                            WeightStorage::kAsStored);
    if (plan.expand_at_run) filter_ = kernels::TileFilterOf(plan.form);
    if (plan.expand_first) exact_filter_ = kernels::MatricesOf(plan.form).filter;
    return;
  }
  AlignedBuffer<float> converted;
  const float* values = weight.Floats(kernels, &converted);
  transformed_ = AlignedBuffer<float>(kernels::TilePackedSize(plan.form, shape.in, shape.out, plan.is_fixed));
  const auto pack = [&](size_t panel, size_t) {
    if (plan.is_fixed) return PackFixed(kernels, values, panel);
    kernels.tile_conv.pack(plan.form, values, shape.in, shape.out, panel, panel + 1, transformed_.data());
  };
  const size_t panels = CeilDiv(shape.out, kernels::kPanelWidth);
  if (pool != nullptr) {
    pool->ParallelFor(panels, pack);
  } else {
    for (size_t panel = 0; panel < panels; ++panel) pack(panel, 0);
  }
}

void Conv1d::PackFixed(const kernels::KernelSet& kernels, const float* weight, size_t panel) {
  const size_t planes = plan_.form.planes(), first = panel * kernels::kPanelWidth;
  const size_t plane_size = shape_.in * kernels::kPanelWidth, fixed_size = kernels::FixedPlaneWeightsSize(shape_.in);
  AlignedBuffer<float> floats(planes * plane_size);
  kernels.tile_conv.pack(plan_.form, weight + first * shape_.in * shape_.taps, shape_.in, shape_.out - first, 0, 1,
                         floats.data());
  for (size_t p = 0; p < planes; ++p) {
    kernels.fixed_planes->pack(floats.data() + p * plane_size, shape_.in,
                               transformed_.data() + (panel * planes + p) * fixed_size);
  }
}

const float* Conv1d::DirectWeights(const Exec& exec) const {
  if (stored_.is_float()) return stored_.Panels(*exec.kernels, 0, stored_.num_panels(), nullptr);
  const std::span<float> weights = exec.arena->Allocate<float>(stored_.size());
  exec.pool->ParallelFor(stored_.num_panels(), [&](size_t panel, size_t) {
    stored_.Panels(*exec.kernels, panel, 1, weights.data() + panel * stored_.panel_size());
  });
  return weights.data();
}

void Conv1d::Run(const Exec& exec, ConstMatrix x, const ConvPrologue& prologue, Matrix y,
                 const ConvEpilogue& epilogue) const {
  if (plan_.is_direct) return RunDirect(exec, x, prologue, y, epilogue);
  RunTiles(exec, x, prologue, y, epilogue);
}

void Conv1d::RunDirect(const Exec& exec, ConstMatrix x, const ConvPrologue& prologue, Matrix y,
                       const ConvEpilogue& epilogue) const {
  const kernels::KernelSet& kernels = *exec.kernels;
  const Arena::Scope scope(*exec.arena);
  const size_t tile_rows = TileRows(std::max(shape_.in, shape_.out));
  const size_t halo = shape_.dilation * (shape_.taps - 1) + 1;
  const size_t row_tasks = CeilDiv(y.rows, tile_rows);
  const float* weights = DirectWeights(exec);

  // Output rows [first, first + rows) of panels [panel, panel + num_panels) from rows that are activated and padded.
  const auto convolve = [&](const float* src, size_t src_stride, size_t first, size_t rows, size_t panel,
                            size_t num_panels) {
    const size_t column = panel * kernels::kPanelWidth;
    kernels::Conv1dArgs args;
    args.src = src;
    args.src_stride = src_stride;
    args.weights = weights + column * shape_.in * shape_.taps;
    args.bias = bias_.empty() ? nullptr : bias_.data() + column;
    args.dst = y.Row(first) + column;
    args.dst_stride = y.stride;
    args.rows = rows;
    args.c_in = shape_.in;
    args.c_out = std::min(shape_.out - column, num_panels * kernels::kPanelWidth);
    args.taps = shape_.taps;
    args.dilation = shape_.dilation;
    args.time_stride = shape_.stride;
    // One addend goes into the kernel, which may write where it reads; the other, or a scale, afterwards.
    const bool has_addend = !epilogue.addend.empty();
    const ConstMatrix inside = has_addend ? epilogue.addend : epilogue.residual;
    const bool has_rest = has_addend || epilogue.scale != 1.0f;
    if (!inside.empty() && (has_addend || !has_rest)) {
      args.residual = inside.Row(first) + column;
      args.residual_stride = inside.stride;
    }
    kernels.conv1d.conv1d(args);
    if (!epilogue.residual.empty() && has_rest) {
      for (size_t t = first; t < first + rows; ++t) {
        kernels.elementwise.add_scale(y.Row(t) + column, epilogue.residual.Row(t) + column, epilogue.scale, args.c_out,
                                      y.Row(t) + column);
      }
    }
  };
  const auto gather_stats = [&](size_t first, size_t rows) {
    if (epilogue.stats != nullptr) epilogue.stats->Accumulate(kernels, y, first, first + rows);
  };

  const size_t panels = CeilDiv(shape_.out, kernels::kPanelWidth);
  if (row_tasks >= 4 * exec.pool->num_threads()) {
    // Long: each task packs its own input tile and finishes its rows. Nothing but x and y touches memory.
    const size_t max_tile = (tile_rows - 1) * shape_.stride + halo;
    const Matrix tiles = exec.arena->AllocateMatrix(max_tile * exec.pool->num_threads(), shape_.in);
    exec.pool->ParallelFor(row_tasks, [&](size_t task, size_t slot) {
      if (exec.IsCancelled()) return;
      const size_t first = task * tile_rows;
      const size_t rows = std::min(tile_rows, y.rows - first);
      const Matrix tile = tiles.Rows(slot * max_tile, (rows - 1) * shape_.stride + halo);
      FillConvInput(kernels, prologue, x,
                    static_cast<ptrdiff_t>(first * shape_.stride) - static_cast<ptrdiff_t>(shape_.padding), tile);
      convolve(tile.data, tile.stride, first, rows, 0, panels);
      gather_stats(first, rows);
    });
    return;
  }
  // Short: too few row tiles to keep the threads busy, so the activated input is made once and tasks are panels too.
  ConstMatrix padded = x;
  if (prologue.kind != ConvPrologue::Kind::kNone || shape_.padding > 0) {
    const Matrix buffer = exec.arena->AllocateMatrix((y.rows - 1) * shape_.stride + halo, shape_.in);
    exec.pool->ParallelFor(CeilDiv(buffer.rows, kBlock), [&](size_t i, size_t) {
      FillConvInput(kernels, prologue, x, static_cast<ptrdiff_t>(i * kBlock) - static_cast<ptrdiff_t>(shape_.padding),
                    buffer.Rows(i * kBlock, std::min(kBlock, buffer.rows - i * kBlock)));
    });
    padded = buffer;
  }
  const size_t wanted = 8 * exec.pool->num_threads();
  const size_t panel_tasks = std::min(panels, CeilDiv(wanted, row_tasks));
  const size_t panels_per_task = CeilDiv(panels, panel_tasks);
  exec.pool->ParallelFor(row_tasks * panel_tasks, [&](size_t task, size_t) {
    if (exec.IsCancelled()) return;
    const size_t panel = task % panel_tasks * panels_per_task;
    if (panel >= panels) return;
    const size_t first = task / panel_tasks * tile_rows;
    convolve(padded.Row(first * shape_.stride), padded.stride, first, std::min(tile_rows, y.rows - first), panel,
             std::min(panels_per_task, panels - panel));
  });
  if (epilogue.stats != nullptr) {
    exec.pool->ParallelFor(row_tasks, [&](size_t task, size_t) {
      gather_stats(task * tile_rows, std::min(tile_rows, y.rows - task * tile_rows));
    });
  }
}

ConvTranspose1d::ConvTranspose1d(const kernels::KernelSet& kernels, std::span<const float> weight,
                                 std::span<const float> bias, size_t in, size_t out, size_t stride,
                                 const kernels::ConvPlan& plan)
    : out_(out), stride_(stride) {
  // Row q of the product holds outputs q*stride + r (before the padding is cut off) = sum over j of
  // x[q - j] w[r + j*stride]; tap 0 reads x[q-1], tap 1 reads x[q].
  const size_t taps = 2 * stride, columns = stride * out;
  std::vector<float> phases(2 * in * columns);
  std::vector<float> phase_bias(columns);
  for (size_t r = 0; r < stride; ++r) {
    for (size_t co = 0; co < out; ++co) {
      phase_bias[r * out + co] = bias[co];
      for (size_t ci = 0; ci < in; ++ci) {
        const float* w = weight.data() + (ci * out + co) * taps;
        float* p = phases.data() + ((r * out + co) * in + ci) * 2;
        p[0] = w[r + stride];
        p[1] = w[r];
      }
    }
  }
  phases_ = Conv1d(kernels, phases, phase_bias, {.in = in, .out = columns, .taps = 2, .padding = 1}, plan);
}

Matrix ConvTranspose1d::Run(const Exec& exec, ConstMatrix x, const ConvPrologue& prologue, Matrix product) const {
  phases_.Run(exec, x, prologue, product, {});
  return Matrix(product.data, (x.rows + 1) * stride_, out_).Rows(stride_ / 2, x.rows * stride_);
}

}  // namespace koe::nn
