// SPDX-License-Identifier: Apache-2.0
// The "pool" of the upsampling residual blocks, one thread. Bytes are those read and written.
#include "kernels/conv_transpose1d/conv_transpose1d.h"

#include <benchmark/benchmark.h>

#include <string>

#include "base/array.h"
#include "base/rng.h"

namespace koe::kernels {
namespace {

void BenchDepthwiseX2(benchmark::State& state, Target target, size_t rows, size_t channels) {
  AlignedBuffer<float> src(rows * channels), w(3 * channels), bias(channels), dst(2 * rows * channels);
  FillNormal(1, 0, 0, src.span());
  FillNormal(1, 1, 0, w.span());
  FillNormal(1, 2, 0, bias.span());
  const auto run = FindConvTranspose1dOps(target)->depthwise_x2;
  for (auto _ : state) {
    run(src.data(), channels, rows, channels, w.data(), bias.data(), 0, rows, dst.data(), channels);
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * 3 * rows * channels * sizeof(float)));
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const Target target : SupportedTargets()) {
    for (const size_t channels : {512, 1090}) {
      const std::string name = "depthwise_x2/" + std::to_string(channels) + "/" + TargetName(target);
      benchmark::RegisterBenchmark(name.c_str(), BenchDepthwiseX2, target, size_t{100}, channels);
    }
  }
  return true;
}();

}  // namespace
}  // namespace koe::kernels
