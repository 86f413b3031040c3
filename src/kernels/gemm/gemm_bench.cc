// SPDX-License-Identifier: Apache-2.0
// The model's matrix products (ALBERT's layers, attention of one head, LSTM projections) on one thread.
#include "kernels/gemm/gemm.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "base/array.h"
#include "base/rng.h"

namespace koe::kernels {
namespace {

struct Shape {
  const char* name;
  size_t m, k, n;
};
constexpr Shape kGemmShapes[] = {
    {"albert_768_768", 100, 768, 768},        {"albert_768_2048", 100, 768, 2048},
    {"albert_2048_768", 100, 2048, 768},      {"attention_scores", 100, 64, 100},
    {"attention_values", 100, 100, 64},       {"lstm_input_640_1024", 100, 640, 1024},
    {"albert_short_768_2048", 13, 768, 2048},
};
constexpr Shape kGemvShapes[] = {{"lstm_hidden_256_1024", 1, 256, 1024}, {"style_128_1024", 1, 128, 1024}};

void BenchGemm(benchmark::State& state, Target target, const Shape& s, bool gemv) {
  // As ALBERT has it: rows a multiple of 4 KiB apart would share one set of the L1 cache.
  const size_t stride = s.k + (s.k % 1024 == 0 ? 16 : 0);
  AlignedBuffer<float> a(s.m * stride), b(PackedSize(1, s.k, s.n)), bias(s.n), c(s.m * s.n);
  FillNormal(1, 0, 0, a.span());
  FillNormal(1, 1, 0, b.span());
  FillNormal(1, 2, 0, bias.span());
  const GemmOps& ops = *FindGemmOps(target);
  const GemmArgs args{.a = a.data(),
                      .a_stride = stride,
                      .b = b.data(),
                      .bias = bias.data(),
                      .c = c.data(),
                      .c_stride = s.n,
                      .m = s.m,
                      .k = s.k,
                      .n = s.n};
  for (auto _ : state) {
    if (gemv) {
      ops.gemv(a.data(), b.data(), bias.data(), c.data(), s.k, s.n);
    } else {
      ops.gemm(args);
    }
    benchmark::ClobberMemory();
  }
  state.counters["FLOP"] =
      benchmark::Counter(2.0 * static_cast<double>(s.m * s.k * s.n), benchmark::Counter::kIsIterationInvariantRate);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * b.size() * sizeof(float)));
}

void BenchPack(benchmark::State& state) {
  const size_t taps = 11, k = 256, n = 256;  // from PyTorch's [n][k][taps]
  AlignedBuffer<float> w(taps * k * n), packed(PackedSize(taps, k, n));
  FillNormal(1, 0, 0, w.span());
  for (auto _ : state) {
    scalar::kGemmOps.pack(w.data(), taps, k, n, 1, taps, k * taps, packed.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * w.size() * sizeof(float)));
}
BENCHMARK(BenchPack)->Name("pack/256_256_k11");

[[maybe_unused]] const bool kRegistered = [] {
  for (const Target target : SupportedTargets()) {
    for (const Shape& s : kGemmShapes) {
      const std::string name = std::string("gemm/") + s.name + "/" + TargetName(target);
      benchmark::RegisterBenchmark(name.c_str(), BenchGemm, target, s, false);
    }
    for (const Shape& s : kGemvShapes) {
      const std::string name = std::string("gemv/") + s.name + "/" + TargetName(target);
      benchmark::RegisterBenchmark(name.c_str(), BenchGemm, target, s, true);
    }
  }
  return true;
}();

}  // namespace
}  // namespace koe::kernels
