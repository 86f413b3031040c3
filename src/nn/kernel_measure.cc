// SPDX-License-Identifier: Apache-2.0
#include "nn/kernel_measure.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/rng.h"
#include "nn/conv_measure.h"
#include "nn/linear.h"
#include "nn/lstm.h"

namespace koe::nn {
namespace {

// Tokens of about 13 seconds of speech.
constexpr size_t kTokens = 190;

struct ProductCase {
  const char* name;
  size_t k, n;
};
constexpr ProductCase kProducts[] = {{"albert_768_768", 768, 768},
                                     {"albert_768_2048", 768, 2048},
                                     {"albert_2048_768", 2048, 768},
                                     {"lstm_input_640_1024", 640, 1024}};

AlignedBuffer<float> Random(size_t size, uint32_t stream, float scale = 1) {
  AlignedBuffer<float> values(size);
  FillNormal(1, stream, 0, values.span());
  for (float& v : values.span()) v *= scale;
  return values;
}

// Weights as bundles store them: int8 with one scale.
struct Int8Weights {
  Int8Weights(size_t size, uint32_t stream) : bytes(size) {
    const AlignedBuffer<float> values = Random(size, stream, 40);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<int8_t>(std::clamp(values[i], -127.0f, 127.0f));
  }
  WeightView view() const {
    WeightView weights;
    weights.data = bytes.data();
    weights.type = WeightView::Type::kI8;
    weights.size = bytes.size();
    weights.scales = {&scale, 1};
    weights.zero_points = {&zero_point, 1};
    return weights;
  }
  AlignedBuffer<int8_t> bytes;
  const float scale = 1.0f / (40 * 16);
  const int32_t zero_point = 0;
};

// What a product is computed as, and the multiply-adds' instructions that it takes of those of float32.
struct ProductForm {
  const char* name;
  double share;
};
ProductForm FormOf(const kernels::KernelSet& kernels) {
  return kernels.fixed_gemm == nullptr ? ProductForm{"gemm", 1} : ProductForm{"int8x3", 0.75};
}

bool IsSet(const std::atomic<bool>* flag) { return flag != nullptr && flag->load(std::memory_order_relaxed); }

// The shortest of `repeats` runs of each part, one of each in turn, so that other load meets all; the first warms up.
// Processor time of this thread, but wall time of the part that runs on more of them.
std::vector<double> Best(const std::vector<std::function<void()>>& parts, int repeats, size_t wall_part = ~size_t{0}) {
  std::vector<double> best(parts.size(), HUGE_VAL);
  for (int i = 0; i <= repeats; ++i) {
    for (size_t p = 0; p < parts.size(); ++p) {
      const auto seconds_now = p == wall_part ? WallSeconds : ThreadSeconds;
      const double start = seconds_now();
      parts[p]();
      if (i > 0) best[p] = std::min(best[p], seconds_now() - start);
    }
  }
  return best;
}

struct Threads {
  Threads(const kernels::KernelSet& kernels, size_t num_threads) : one(1), all(num_threads) {
    exec_one = {&kernels, &one, &arena_one, nullptr};
    exec_all = {&kernels, &all, &arena_all, nullptr};
  }
  ThreadPool one, all;
  Arena arena_one, arena_all;
  Exec exec_one, exec_all;
};

// A tile convolution's parts on one group of tiles, scaled to all rows.
void MeasureTiles(const kernels::KernelSet& kernels, const ConvCase& conv, const kernels::ConvPlan& plan, int repeats,
                  KernelMeasurement* m) {
  const kernels::TileForm& form = plan.form;
  const ConvShape& s = conv.shape;
  const size_t out_rows = s.OutputRows(conv.rows);
  const size_t tiles = std::min(plan.tiles, kernels::TilesOf(form, 1, out_rows)), rows = tiles * form.outputs();
  const size_t panels = CeilDiv(s.out, kernels::kPanelWidth);
  const size_t panel_size = form.planes() * form.segments * s.in * kernels::kPanelWidth;
  const AlignedBuffer<float> input = Random(kernels::TileInputRows(form, 1, rows) * kernels::TileInputStride(s.in), 1);
  const AlignedBuffer<float> stored = Random(kernels::PackedSize(s.taps, s.in, kernels::kPanelWidth), 2);
  // Panels that are expanded when they are used are in L2 then; others come from where the whole convolution's lie.
  AlignedBuffer<float> weights =
      Random(plan.expand_at_run ? panel_size : kernels::TilePackedSize(form, s.in, s.out, plan.is_fixed), 3);
  AlignedBuffer<float> output = Random(rows * s.out, 4),
                       planes(kernels::TilePlanesSize(form, s.in, tiles, plan.is_fixed)),
                       products(kernels::TileProductsSize(form, s.in, tiles, plan.is_fixed));
  kernels::TileConvArgs args{.form = form,
                             .src = input.data(),
                             .weights = weights.data(),
                             .residual = output.data(),
                             .residual_stride = s.out,
                             .scale = 0.5f,
                             .dst = output.data(),
                             .dst_stride = s.out,
                             .rows = rows,
                             .c_in = s.in,
                             .c_out = s.out,
                             .planes = planes.data(),
                             .products = products.data(),
                             .fixed = plan.is_fixed ? kernels.fixed_planes : nullptr};
  const auto all_panels = [&](auto run) {
    if (!plan.expand_at_run) return run(args, 0, panels);
    kernels::TileConvArgs panel = args;
    panel.c_out = std::min(kernels::kPanelWidth, s.out);
    for (size_t p = 0; p < panels; ++p) run(panel, 0, 1);
  };
  const std::vector<double> best =
      Best({[&] { kernels.tile_conv.forward(args); }, [&] { all_panels(kernels.tile_conv.products); },
            [&] { all_panels(kernels.tile_conv.multiply); },
            [&] {
              kernels.tile_conv.expand(form, kernels::TileFilterOf(form).data(), stored.data(), s.in, weights.data());
            }},
           4 * repeats);
  // Of whole numbers: half as many dot products, and a multiply-add for every chunk's sum.
  const double pairs_in_chunk = kernels::kFixedChunk / 2.0;
  const double share = plan.is_fixed ? 0.5 * (1 + 1 / pairs_in_chunk) : 1.0;
  const double flops = share * 2.0 * static_cast<double>(tiles * panel_size * panels);
  const double groups = static_cast<double>(out_rows) / static_cast<double>(rows);
  m->product_flops = flops / best[1];
  m->product_seconds = best[1] * groups;
  m->transform_seconds = (best[0] + std::max(0.0, best[2] - best[1])) * groups;
  if (plan.expand_at_run) m->transform_seconds += best[3] * static_cast<double>(panels);
}

kernels::ConvPlan PlanOf(const kernels::KernelSet& kernels, const ConvCase& conv, kernels::ConvPreset preset) {
  return kernels::ChooseConvPlan(kernels.target, preset, conv.shape.taps, conv.shape.in, conv.shape.out);
}

KernelMeasurement MeasureConv(const kernels::KernelSet& kernels, const ConvCase& conv, kernels::ConvPreset preset,
                              int repeats, Threads* threads) {
  const ConvShape& s = conv.shape;
  const kernels::ConvPlan plan[] = {PlanOf(kernels, conv, preset)};
  KernelMeasurement m{.name = conv.name, .plan = kernels::ConvPlanName(plan[0])};
  m.seconds = MeasureConvPlans(threads->exec_one, conv, plan, repeats)[0].seconds;
  m.seconds_threads = MeasureConvPlans(threads->exec_all, conv, plan, repeats)[0].seconds;
  if (!plan[0].is_direct) {
    MeasureTiles(kernels, conv, plan[0], repeats, &m);
    return m;
  }
  // A direct convolution's kernel on the rows of a task.
  const size_t rows = std::min<size_t>(s.OutputRows(conv.rows), 192), read = rows + s.taps - 1;
  const AlignedBuffer<float> x = Random(read * s.in, 1), w = Random(kernels::PackedSize(s.taps, s.in, s.out), 2);
  AlignedBuffer<float> y(rows * s.out);
  const double best = Best({[&] {
                             kernels.conv1d.conv1d({.src = x.data(),
                                                    .src_stride = s.in,
                                                    .weights = w.data(),
                                                    .dst = y.data(),
                                                    .dst_stride = s.out,
                                                    .rows = rows,
                                                    .c_in = s.in,
                                                    .c_out = s.out,
                                                    .taps = s.taps});
                           }},
                           4 * repeats)[0];
  m.product_flops = 2.0 * static_cast<double>(rows * s.taps * s.in * s.out) / best;
  m.product_seconds = best * static_cast<double>(s.OutputRows(conv.rows)) / static_cast<double>(rows);
  return m;
}

KernelMeasurement MeasureProduct(const kernels::KernelSet& kernels, const ProductCase& product, int repeats,
                                 Threads* threads) {
  const size_t k = product.k, n = product.n, stride = k + (k % 1024 == 0 ? 16 : 0);  // as ALBERT's wide rows
  const AlignedBuffer<float> x = Random(kTokens * stride, 1);
  const Int8Weights w(k * n, 2);
  AlignedBuffer<float> y(kTokens * n);
  const Linear linear(kernels, w.view(), {}, k, n);
  const ConstMatrix input(x.data(), kTokens, k, stride);
  const Matrix output(y.data(), kTokens, n);
  const std::vector<double> best = Best(
      {[&] { linear.Run(threads->exec_one, input, output); }, [&] { linear.Run(threads->exec_all, input, output); }},
      4 * repeats, 1);
  // Nothing but the main loop: its totals are added in between.
  return {.name = product.name,
          .plan = FormOf(kernels).name,
          .seconds = best[0],
          .seconds_threads = best[1],
          .product_flops = FormOf(kernels).share * 2.0 * static_cast<double>(kTokens * k * n) / best[0],
          .product_seconds = best[0]};
}

KernelMeasurement MeasureLstm(const kernels::KernelSet& kernels, int repeats, Threads* threads) {
  constexpr size_t kIn = 640, kHidden = 256;
  const Int8Weights w_ih(4 * kHidden * kIn, 1), w_hh(4 * kHidden * kHidden, 2);
  const AlignedBuffer<float> bias = Random(4 * kHidden, 3), x = Random(kTokens * kIn, 4);
  AlignedBuffer<float> y(kTokens * 2 * kHidden), gates(4 * kHidden), c(kHidden), h(kHidden);
  std::fill_n(c.data(), kHidden, 0.0f);
  const LstmDirectionWeights direction{w_ih.view(), w_hh.view(), bias.span(), bias.span()};
  const Linear recurrent(kernels, w_hh.view(), bias.span(), kHidden, 4 * kHidden);
  const BiLstm lstm(kernels, direction, direction, kIn, kHidden);
  const ConstMatrix input(x.data(), kTokens, kIn);
  const Matrix output(y.data(), kTokens, 2 * kHidden);
  const auto steps = [](auto step) {
    for (size_t t = 0; t < 2 * kTokens; ++t) step();
  };
  const std::vector<double> best =
      Best({[&] { lstm.Run(threads->exec_one, input, output); }, [&] { lstm.Run(threads->exec_all, input, output); },
            [&] { steps([&] { recurrent.Run(threads->exec_one, x.span().first(kHidden), gates.span()); }); },
            [&] { steps([&] { kernels.lstm.cell(gates.data(), c.data(), h.data(), kHidden); }); }},
           4 * repeats, 1);
  return {
      .name = "lstm_256_steps",
      .plan = kernels.fixed_gemm == nullptr ? "gemv" : FormOf(kernels).name,
      .seconds = best[0],
      .seconds_threads = best[1],
      .product_flops = FormOf(kernels).share * 2.0 * static_cast<double>(2 * kTokens * 4 * kHidden * kHidden) / best[2],
      .product_seconds = best[2],
      .transform_seconds = best[3]};
}

const char* Enumerator(kernels::Target target) {
  switch (target) {
    case kernels::Target::kAvx512:
      return "kAvx512";
    case kernels::Target::kAvx2:
      return "kAvx2";
    case kernels::Target::kNeon:
      return "kNeon";
    case kernels::Target::kScalar:
      break;
  }
  return "kScalar";
}

}  // namespace

std::vector<KernelMeasurement> MeasureKernels(const kernels::KernelSet& kernels, size_t num_threads, int repeats,
                                              const std::atomic<bool>* cancelled,
                                              FunctionRef<void(double, const char*)> on_progress) {
  Threads threads(kernels, num_threads);
  std::vector<KernelMeasurement> measured;
  using Preset = kernels::ConvPreset;
  std::vector<const ConvCase*> fast;  // what kFast does in another way
  for (const ConvCase& conv : ModelConvolutions()) {
    if (PlanOf(kernels, conv, Preset::kFast) != PlanOf(kernels, conv, Preset::kExact)) fast.push_back(&conv);
  }
  const double total = static_cast<double>(ModelConvolutions().size() + std::size(kProducts) + 1 + fast.size());
  const auto run = [&](const char* name, auto measure) {
    if (IsSet(cancelled)) return;
    on_progress(static_cast<double>(measured.size()) / total, name);
    measured.push_back(measure());
    threads.arena_one.Reset();
    threads.arena_all.Reset();
  };
  for (const ConvCase& conv : ModelConvolutions()) {
    run(conv.name, [&] { return MeasureConv(kernels, conv, Preset::kExact, repeats, &threads); });
  }
  for (const ProductCase& product : kProducts) {
    run(product.name, [&] { return MeasureProduct(kernels, product, repeats, &threads); });
  }
  run("lstm", [&] { return MeasureLstm(kernels, repeats, &threads); });
  for (const ConvCase* conv : fast) {
    run(conv->name, [&] { return MeasureConv(kernels, *conv, Preset::kFast, repeats, &threads); });
  }
  return measured;
}

std::vector<std::string> MeasureConvPlanTable(const kernels::KernelSet& kernels, int repeats,
                                              const std::atomic<bool>* cancelled,
                                              FunctionRef<void(double, const char*)> on_progress) {
  constexpr double kTolerance = 0.04;
  constexpr size_t kWideProducts = 256 * 768;  // c_in x c_out
  std::vector<std::string> rows;
  ThreadPool pool(1);
  Arena arena;
  const Exec exec{&kernels, &pool, &arena, nullptr};
  size_t done = 0;
  for (const ConvCase& conv : ModelConvolutions()) {
    if (IsSet(cancelled)) return {};
    on_progress(static_cast<double>(done++) / static_cast<double>(ModelConvolutions().size()), conv.name);
    auto candidates = kernels::ConvPlanCandidates(kernels.target, kernels::ConvPreset::kExact, conv.shape.taps);
    // Wide convolutions over few rows hold most of the model's weights. Transformed, they would take 200 MB more; here,
    // where one convolution runs again and again, they would come from L3, which they do not in a synthesis. The others
    // have many rows, whose transform should not have to wait for the last one.
    const bool is_wide = conv.shape.in * conv.shape.out > kWideProducts;
    std::erase_if(candidates, [is_wide](const kernels::ConvPlan& plan) {
      return !plan.is_direct && plan.expand_at_run != is_wide;
    });
    const kernels::ConvPlan plan = BestOf(MeasureConvPlans(exec, conv, candidates, repeats), kTolerance).plan;
    arena.Reset();
    if (plan.is_direct) continue;
    std::string row = "{Target::";
    row.append(Enumerator(kernels.target)).append(", ").append(std::to_string(conv.shape.taps)).append(", ");
    row.append(std::to_string(std::max(conv.shape.in, conv.shape.out))).append(", TileForm::Kind::");
    row.append(plan.form.kind == kernels::TileForm::Kind::kFft ? "kFft" : "kToomCook").append(", ");
    row.append(std::to_string(plan.form.samples)).append(", ").append(std::to_string(plan.form.segments)).append(", ");
    row.append(std::to_string(plan.tiles)).append(plan.expand_at_run ? ", true}," : ", false},");
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace koe::nn
