// SPDX-License-Identifier: Apache-2.0
#include "nn/linear.h"

#include <algorithm>

namespace koe::nn {
namespace {

// A task has about a million multiply-adds: 10 us of one core, well above the cost of handing it out.
constexpr size_t kTaskWork = size_t{1} << 20;
constexpr size_t kMaxTaskRows = 192;

}  // namespace

Linear::Linear(const kernels::KernelSet& kernels, std::span<const float> weight, std::span<const float> bias, size_t in,
               size_t out)
    : packed_(kernels::PackedSize(1, in, out)), bias_(bias.size()), in_(in), out_(out) {
  kernels.gemm.pack(weight.data(), 1, in, out, 0, 1, in, packed_.data());
  std::copy(bias.begin(), bias.end(), bias_.data());
}

void Linear::Run(const Exec& exec, ConstMatrix x, Matrix y) const {
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
    args.b = packed_.data() + first_column * in_;
    args.bias = bias_.empty() ? nullptr : bias_.data() + first_column;
    args.c = y.Row(first_row) + first_column;
    args.c_stride = y.stride;
    args.m = std::min(kMaxTaskRows, x.rows - first_row);
    args.k = in_;
    args.n = std::min(out_ - first_column, panels_per_task * kernels::kPanelWidth);
    exec.kernels->gemm.gemm(args);
  });
}

void Linear::Run(const Exec& exec, std::span<const float> x, std::span<float> y) const {
  exec.kernels->gemm.gemv(x.data(), packed_.data(), bias_.empty() ? nullptr : bias_.data(), y.data(), in_, out_);
}

}  // namespace koe::nn
