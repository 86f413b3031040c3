// SPDX-License-Identifier: Apache-2.0
#include "nn/linear.h"

#include <algorithm>
#include <optional>

namespace koe::nn {
namespace {

using kernels::kPanelWidth;

// A task has about a million multiply-adds: 10 us of one core, well above the cost of handing it out.
constexpr size_t kTaskWork = size_t{1} << 20;
constexpr size_t kMaxTaskRows = 192;

}  // namespace

Linear::Linear(const kernels::KernelSet& kernels, const WeightView& weight, std::span<const float> bias, size_t in,
               size_t out, WeightStorage storage)
    : bias_(bias.size()), in_(in), out_(out) {
  std::copy(bias.begin(), bias.end(), bias_.data());
  if (FixedWeights::Suits(kernels, weight, in, out)) {
    fixed_ = FixedWeights(weight, in, out);
  } else {
    packed_ = PackedWeights(kernels, weight, {.k = in, .n = out, .k_stride = 1, .n_stride = in}, storage);
  }
}

size_t Linear::PanelsPerTask(size_t rows) const {
  const size_t panels = CeilDiv(out_, kPanelWidth);
  return std::clamp<size_t>(kTaskWork / std::max<size_t>(1, std::min(rows, kMaxTaskRows) * in_ * kPanelWidth), 1,
                            panels);
}

size_t Linear::NumTasks(size_t rows) const {
  return CeilDiv(CeilDiv(out_, kPanelWidth), PanelsPerTask(rows)) * CeilDiv(rows, kMaxTaskRows);
}

void Linear::RunTask(const Exec& exec, ConstMatrix x, const FixedInput* fixed, size_t task, Matrix y) const {
  const size_t panels_per_task = PanelsPerTask(x.rows);
  const size_t panel_tasks = CeilDiv(CeilDiv(out_, kPanelWidth), panels_per_task);
  const size_t panel = task % panel_tasks * panels_per_task, column = panel * kPanelWidth;
  const size_t row = task / panel_tasks * kMaxTaskRows;
  const Matrix part(y.Row(row) + column, std::min(kMaxTaskRows, x.rows - row),
                    std::min(out_ - column, panels_per_task * kPanelWidth), y.stride);
  if (fixed != nullptr) {
    const float* bias = bias_.empty() ? nullptr : bias_.data();
    return fixed_.Multiply(*exec.kernels, fixed->Row(row), panel, panels_per_task, bias, part);
  }
  exec.kernels->gemm.gemm({.a = x.Row(row),
                           .a_stride = x.stride,
                           .b = packed_.Panels(*exec.kernels, 0, packed_.num_panels(), nullptr) + column * in_,
                           .bias = bias_.empty() ? nullptr : bias_.data() + column,
                           .c = part.data,
                           .c_stride = part.stride,
                           .m = part.rows,
                           .k = in_,
                           .n = part.cols});
}

void Linear::Run(const Exec& exec, ConstMatrix x, Matrix y) const {
  const Job job{this, y};
  RunAll(exec, x, {&job, 1});
}

void Linear::RunAll(const Exec& exec, ConstMatrix x, std::span<const Job> jobs) {
  const Arena::Scope scope(*exec.arena);
  const auto any = [&](auto is) { return std::any_of(jobs.begin(), jobs.end(), is); };
  std::optional<FixedInput> fixed;
  if (any([](const Job& job) { return !job.linear->fixed_.empty(); })) fixed.emplace(exec, x);
  size_t num_tasks = 0;
  for (const Job& job : jobs) {
    if (job.linear->fixed_.empty() && !job.linear->packed_.is_float()) {
      job.linear->RunStored(exec, x, job.y);
    } else {
      num_tasks += job.linear->NumTasks(x.rows);
    }
  }
  exec.pool->ParallelFor(num_tasks, [&](size_t task, size_t) {
    for (const Job& job : jobs) {
      const Linear& linear = *job.linear;
      if (linear.fixed_.empty() && !linear.packed_.is_float()) continue;
      const size_t tasks = linear.NumTasks(x.rows);
      if (task < tasks) return linear.RunTask(exec, x, linear.fixed_.empty() ? nullptr : &*fixed, task, job.y);
      task -= tasks;
    }
  });
}

// Each panel is made float32 once, for all rows.
void Linear::RunStored(const Exec& exec, ConstMatrix x, Matrix y) const {
  const Arena::Scope scope(*exec.arena);
  const std::span<float> panels = exec.arena->Allocate<float>(exec.pool->num_threads() * packed_.panel_size());
  exec.pool->ParallelFor(packed_.num_panels(), [&](size_t panel, size_t slot) {
    const size_t column = panel * kPanelWidth;
    kernels::GemmArgs args;
    args.a = x.data;
    args.a_stride = x.stride;
    args.b = packed_.Panels(*exec.kernels, panel, 1, panels.data() + slot * packed_.panel_size());
    args.bias = bias_.empty() ? nullptr : bias_.data() + column;
    args.c = y.data + column;
    args.c_stride = y.stride;
    args.m = x.rows;
    args.k = in_;
    args.n = std::min(kPanelWidth, out_ - column);
    exec.kernels->gemm.gemm(args);
  });
}

void Linear::Run(const Exec& exec, std::span<const float> x, std::span<float> y) const {
  const float* bias = bias_.empty() ? nullptr : bias_.data();
  const Arena::Scope scope(*exec.arena);
  if (!fixed_.empty()) {
    const FixedInput input(exec, ConstMatrix(x.data(), 1, in_));
    if (exec.CountsOnly()) return;
    return fixed_.Multiply(*exec.kernels, input.Row(0), 0, fixed_.num_panels(), bias, Matrix(y.data(), 1, out_));
  }
  if (packed_.is_float()) {
    if (exec.CountsOnly()) return;
    const float* packed = packed_.Panels(*exec.kernels, 0, packed_.num_panels(), nullptr);
    return exec.kernels->gemm.gemv(x.data(), packed, bias, y.data(), in_, out_);
  }
  float* scratch = exec.arena->Allocate<float>(packed_.panel_size()).data();
  if (exec.CountsOnly()) return;
  for (size_t column = 0; column < out_; column += kPanelWidth) {
    const float* panel = packed_.Panels(*exec.kernels, column / kPanelWidth, 1, scratch);
    exec.kernels->gemm.gemv(x.data(), panel, bias == nullptr ? nullptr : bias + column, y.data() + column, in_,
                            std::min(kPanelWidth, out_ - column));
  }
}

}  // namespace koe::nn
