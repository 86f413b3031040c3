// SPDX-License-Identifier: Apache-2.0
// One LSTM direction of the model (hidden 256) and its cell alone, one thread. items/s are steps.
#include "kernels/lstm/lstm.h"

#include <benchmark/benchmark.h>

#include <string>

#include "base/array.h"
#include "base/rng.h"
#include "kernels/gemm/gemm.h"

namespace koe::kernels {
namespace {

constexpr size_t kHidden = 256;
constexpr size_t kSteps = 100;

void BenchLstm(benchmark::State& state, Target target) {
  AlignedBuffer<float> gates(kSteps * 4 * kHidden), w_hh(PackedSize(1, kHidden, 4 * kHidden)), dst(kSteps * kHidden),
      scratch(LstmScratchSize(kHidden));
  FillNormal(1, 0, 0, gates.span());
  FillNormal(1, 1, 0, w_hh.span());
  for (float& w : w_hh.span()) w *= 0.06f;
  const LstmArgs args{.gates = gates.data(),
                      .gates_stride = 4 * kHidden,
                      .w_hh = w_hh.data(),
                      .dst = dst.data(),
                      .dst_stride = kHidden,
                      .steps = kSteps,
                      .hidden = kHidden,
                      .scratch = scratch.data()};
  const auto lstm = FindLstmOps(target)->lstm;
  for (auto _ : state) {
    lstm(args);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kSteps));
}

void BenchCell(benchmark::State& state, Target target) {
  AlignedBuffer<float> gates(4 * kHidden), c(kHidden), h(kHidden);
  FillNormal(1, 0, 0, gates.span());
  FillNormal(1, 1, 0, c.span());
  const auto cell = FindLstmOps(target)->cell;
  for (auto _ : state) {
    cell(gates.data(), c.data(), h.data(), kHidden);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const Target target : SupportedTargets()) {
    benchmark::RegisterBenchmark((std::string("lstm/256/") + TargetName(target)).c_str(), BenchLstm, target);
    benchmark::RegisterBenchmark((std::string("lstm_cell/256/") + TargetName(target)).c_str(), BenchCell, target);
  }
  return true;
}();

}  // namespace
}  // namespace koe::kernels
