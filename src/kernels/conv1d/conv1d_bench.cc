// SPDX-License-Identifier: Apache-2.0
// The model's convolutions, one thread, weights and rows as a stage calls them.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "base/array.h"
#include "base/rng.h"
#include "kernels/conv1d/conv1d.h"
#include "kernels/gemm/gemm.h"

namespace koe::kernels {
namespace {

struct Shape {
  const char* name;
  size_t rows, c_in, c_out, taps, dilation, time_stride;
  bool residual;
};
constexpr Shape kShapes[] = {
    {"resblock_c128_k3", 384, 128, 128, 3, 1, 1, true},
    {"resblock_c128_k7", 384, 128, 128, 7, 3, 1, true},
    {"resblock_c128_k11", 384, 128, 128, 11, 5, 1, true},
    {"resblock_c256_k3", 96, 256, 256, 3, 1, 1, true},
    {"resblock_c256_k7", 96, 256, 256, 7, 3, 1, true},
    {"resblock_c256_k11", 96, 256, 256, 11, 5, 1, true},
    {"resblock_c256_k11_tail", 101, 256, 256, 11, 5, 1, true},
    {"decoder_1090_1024_k3", 96, 1090, 1024, 3, 1, 1, false},
    {"upsample_512_2560_k2", 96, 512, 2560, 2, 1, 1, false},
    {"excitation_22_256_k12_s6", 384, 22, 256, 12, 1, 6, false},
    {"spectrum_128_22_k7", 384, 128, 22, 7, 1, 1, false},
};

void BenchConv1d(benchmark::State& state, Target target, const Shape& s) {
  AlignedBuffer<float> src(((s.rows - 1) * s.time_stride + (s.taps - 1) * s.dilation + 1) * s.c_in);
  AlignedBuffer<float> weights(PackedSize(s.taps, s.c_in, s.c_out)), dst(s.rows * s.c_out);
  FillNormal(1, 0, 0, src.span());
  FillNormal(1, 1, 0, weights.span());
  std::fill_n(dst.data(), dst.size(), 0.0f);
  const Conv1dArgs args{.src = src.data(),
                        .src_stride = s.c_in,
                        .weights = weights.data(),
                        .residual = s.residual ? dst.data() : nullptr,
                        .residual_stride = s.c_out,
                        .dst = dst.data(),
                        .dst_stride = s.c_out,
                        .rows = s.rows,
                        .c_in = s.c_in,
                        .c_out = s.c_out,
                        .taps = s.taps,
                        .dilation = s.dilation,
                        .time_stride = s.time_stride};
  const auto conv1d = FindConv1dOps(target)->conv1d;
  for (auto _ : state) {
    conv1d(args);
    benchmark::ClobberMemory();
  }
  state.counters["FLOP"] = benchmark::Counter(2.0 * static_cast<double>(s.rows * s.c_in * s.c_out * s.taps),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const Shape& shape : kShapes) {
    for (const Target target : SupportedTargets()) {
      const std::string name = std::string("conv1d/") + shape.name + "/" + TargetName(target);
      benchmark::RegisterBenchmark(name.c_str(), BenchConv1d, target, shape);
    }
  }
  return true;
}();

}  // namespace
}  // namespace koe::kernels
