// SPDX-License-Identifier: Apache-2.0
// Every form on the model's shapes, one thread, one group at a time as a stage runs them. "direct" is conv1d on the
// same rows. FLOP counts the products that are done; ns_per_row is what compares.
#include "kernels/tile_conv/tile_conv.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "base/array.h"
#include "base/rng.h"
#include "kernels/conv1d/conv1d.h"

namespace koe::kernels {
namespace {

struct Shape {
  size_t c_in, c_out, taps, dilation;
};

std::string NameOf(const TileForm& form) {
  return (form.kind == TileForm::Kind::kFft ? "fft" : "toom") + std::to_string(form.samples) +
         (form.segments > 1 ? "x" + std::to_string(form.segments) : "");
}

AlignedBuffer<float> Random(size_t size, uint32_t stream) {
  AlignedBuffer<float> buffer(size);
  FillNormal(1, stream, 0, buffer.span());
  return buffer;
}

void BenchTiles(benchmark::State& state, Target target, const Shape& s, const TileForm& form, size_t tiles) {
  const TileConvOps& ops = *FindTileConvOps(target);
  // Eight groups one after the other, so that activations come from L2 and L3 as they do in a stage.
  constexpr size_t kGroups = 8;
  const size_t rows = tiles / s.dilation * TileBlockRows(form, s.dilation), stride = TileInputStride(s.c_in);
  const size_t halo = TileInputRows(form, s.dilation, rows) - rows;
  const AlignedBuffer<float> src = Random((kGroups * rows + halo) * stride, 0);
  const AlignedBuffer<float> w = Random(s.c_in * s.c_out * s.taps, 1);
  AlignedBuffer<float> packed(TilePackedSize(form, s.c_in, s.c_out)), dst = Random(kGroups * rows * s.c_out, 2);
  AlignedBuffer<float> planes(TilePlanesSize(form, s.c_in, tiles)), products(TileProductsSize(form, s.c_in, tiles));
  ops.pack(form, w.data(), s.c_in, s.c_out, 0, CeilDiv(s.c_out, kPanelWidth), packed.data());
  TileConvArgs args{.form = form,
                    .weights = packed.data(),
                    .residual_stride = s.c_out,
                    .dst_stride = s.c_out,
                    .rows = rows,
                    .c_in = s.c_in,
                    .c_out = s.c_out,
                    .dilation = s.dilation,
                    .planes = planes.data(),
                    .products = products.data()};
  size_t group = 0;
  for (auto _ : state) {
    args.src = src.data() + group * rows * stride;
    args.dst = dst.data() + group * rows * s.c_out;
    args.residual = args.dst;
    args.scale = 0.5f;
    ops.forward(args);
    ops.multiply(args, 0, CeilDiv(s.c_out, kPanelWidth));
    benchmark::ClobberMemory();
    group = (group + 1) % kGroups;
  }
  const double row_rate = static_cast<double>(rows);
  state.counters["FLOP"] =
      benchmark::Counter(2.0 * row_rate * form.ProductsPerOutput() * static_cast<double>(s.c_in * s.c_out),
                         benchmark::Counter::kIsIterationInvariantRate);
  state.counters["us_per_row"] =
      benchmark::Counter(row_rate * 1e-6, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

[[maybe_unused]] const bool kRegistered = [] {
  constexpr Shape kShapes[] = {{128, 128, 3, 1},   {128, 128, 7, 1},  {128, 128, 11, 1}, {256, 256, 3, 1},
                               {256, 256, 7, 1},   {256, 256, 11, 1}, {128, 128, 11, 3}, {128, 128, 11, 5},
                               {1088, 1024, 3, 1}, {512, 512, 5, 1}};
  for (const Shape& s : kShapes) {
    for (const TileForm& form : SupportedTileForms()) {
      if (form.taps != s.taps) continue;
      for (const Target target : SupportedTargets()) {
        if (target == Target::kScalar) continue;
        for (const size_t tiles : {12, 24, 48}) {
          const std::string name = "tile_conv/c" + std::to_string(s.c_in) + "_k" + std::to_string(s.taps) + "_d" +
                                   std::to_string(s.dilation) + "/" + NameOf(form) + "/tiles" + std::to_string(tiles) +
                                   "/" + TargetName(target);
          benchmark::RegisterBenchmark(name.c_str(), BenchTiles, target, s, form, tiles);
        }
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace koe::kernels
