// SPDX-License-Identifier: Apache-2.0
#include "nn/linear.h"

#include <algorithm>

namespace koe::nn {
namespace {

// A task has about a million multiply-adds: 10 us of one core, well above the cost of handing it out.
constexpr size_t kTaskWork = size_t{1} << 20;
constexpr size_t kMaxTaskRows = 192;

}  // namespace

Linear::Linear(const kernels::KernelSet& kernels, const WeightView& weight, std::span<const float> bias, size_t in,
               size_t out, WeightStorage storage)
    : packed_(kernels, weight, {.k = in, .n = out, .k_stride = 1, .n_stride = in}, storage),
      bias_(bias.size()),
      in_(in),
      out_(out) {
  std::copy(bias.begin(), bias.end(), bias_.data());
}

void Linear::Run(const Exec& exec, ConstMatrix x, Matrix y) const {
  if (!packed_.is_float()) return RunStored(exec, x, y);
  const float* packed = packed_.Panels(*exec.kernels, 0, packed_.num_panels(), nullptr);
  const size_t panels = CeilDiv(out_, kernels::kPanelWidth);
  const size_t rows = std::min(x.rows, kMaxTaskRows);
  const size_t panels_per_task =
      std::clamp<size_t>(kTaskWork / std::max<size_t>(1, rows * in_ * kernels::kPanelWidth), 1, panels);
  const size_t panel_tasks = CeilDiv(panels, panels_per_task);
  const size_t row_tasks = CeilDiv(x.rows, kMaxTaskRows);
  exec.pool->ParallelFor(panel_tasks * row_tasks, [&](size_t task, size_t) {
    const size_t first_panel = task % panel_tasks * panels_per_task;
    const size_t first_row = task / panel_tasks * kMaxTaskRows;
    const size_t first_column = first_panel * kernels::kPanelWidth;
    kernels::GemmArgs args;
    args.a = x.Row(first_row);
    args.a_stride = x.stride;
    args.b = packed + first_column * in_;
    args.bias = bias_.empty() ? nullptr : bias_.data() + first_column;
    args.c = y.Row(first_row) + first_column;
    args.c_stride = y.stride;
    args.m = std::min(kMaxTaskRows, x.rows - first_row);
    args.k = in_;
    args.n = std::min(out_ - first_column, panels_per_task * kernels::kPanelWidth);
    exec.kernels->gemm.gemm(args);
  });
}

// Each panel is made float32 once, for all rows.
void Linear::RunStored(const Exec& exec, ConstMatrix x, Matrix y) const {
  const Arena::Scope scope(*exec.arena);
  const std::span<float> panels = exec.arena->Allocate<float>(exec.pool->num_threads() * packed_.panel_size());
  exec.pool->ParallelFor(packed_.num_panels(), [&](size_t panel, size_t slot) {
    const size_t column = panel * kernels::kPanelWidth;
    kernels::GemmArgs args;
    args.a = x.data;
    args.a_stride = x.stride;
    args.b = packed_.Panels(*exec.kernels, panel, 1, panels.data() + slot * packed_.panel_size());
    args.bias = bias_.empty() ? nullptr : bias_.data() + column;
    args.c = y.data + column;
    args.c_stride = y.stride;
    args.m = x.rows;
    args.k = in_;
    args.n = std::min(kernels::kPanelWidth, out_ - column);
    exec.kernels->gemm.gemm(args);
  });
}

void Linear::Run(const Exec& exec, std::span<const float> x, std::span<float> y) const {
  const float* bias = bias_.empty() ? nullptr : bias_.data();
  if (packed_.is_float()) {
    if (exec.CountsOnly()) return;
    const float* packed = packed_.Panels(*exec.kernels, 0, packed_.num_panels(), nullptr);
    return exec.kernels->gemm.gemv(x.data(), packed, bias, y.data(), in_, out_);
  }
  const Arena::Scope scope(*exec.arena);
  float* scratch = exec.arena->Allocate<float>(packed_.panel_size()).data();
  if (exec.CountsOnly()) return;
  for (size_t column = 0; column < out_; column += kernels::kPanelWidth) {
    const float* panel = packed_.Panels(*exec.kernels, column / kernels::kPanelWidth, 1, scratch);
    exec.kernels->gemm.gemv(x.data(), panel, bias == nullptr ? nullptr : bias + column, y.data() + column, in_,
                            std::min(kernels::kPanelWidth, out_ - column));
  }
}

}  // namespace koe::nn
