// SPDX-License-Identifier: Apache-2.0
#include "nn/conv_measure.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <tuple>

#include "base/rng.h"

namespace koe::nn {
namespace {

constexpr ConvCase kCases[] = {
    {"upsample_256_768_k2", {.in = 256, .out = 768, .taps = 2, .padding = 1}, 4000},
    {"upsample_512_2560_k2", {.in = 512, .out = 2560, .taps = 2, .padding = 1}, 400},
    {"residual_128_k3", {.in = 128, .out = 128, .taps = 3, .padding = 1}, 24000},
    {"residual_256_k3", {.in = 256, .out = 256, .taps = 3, .padding = 1}, 4000},
    {"decoder_1090_1024_k3", {.in = 1090, .out = 1024, .taps = 3, .padding = 1}, 200},
    {"text_512_k5", {.in = 512, .out = 512, .taps = 5, .padding = 2}, 70},
    {"residual_128_k7", {.in = 128, .out = 128, .taps = 7, .padding = 3}, 24000},
    {"residual_256_k7", {.in = 256, .out = 256, .taps = 7, .padding = 3}, 4000},
    {"residual_128_k11", {.in = 128, .out = 128, .taps = 11, .padding = 5}, 24000},
    {"residual_256_k11", {.in = 256, .out = 256, .taps = 11, .padding = 5}, 4000},
};

AlignedBuffer<float> Random(size_t size, uint32_t stream) {
  AlignedBuffer<float> values(size);
  FillNormal(1, stream, 0, values.span());
  return values;
}

}  // namespace

double ThreadSeconds() {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::span<const ConvCase> ModelConvolutions() { return kCases; }

std::vector<ConvMeasurement> MeasureConvPlans(const Exec& exec, const ConvCase& conv,
                                              std::span<const kernels::ConvPlan> candidates, int repeats) {
  const ConvShape& s = conv.shape;
  const size_t out_rows = s.OutputRows(conv.rows);
  const AlignedBuffer<float> x = Random(conv.rows * s.in, 0), weight = Random(s.out * s.in * s.taps, 1);
  AlignedBuffer<float> y = Random(out_rows * s.out, 2);
  std::vector<float> zeros(std::max(s.in, s.out)), ones(s.in, 1.0f);
  const ConvPrologue prologue{.kind = ConvPrologue::Kind::kSnakeAffine,
                              .affine = {zeros.data(), ones.data(), zeros.data()},
                              .alpha = ones.data(),
                              .inv_alpha = ones.data()};
  std::vector<Conv1d> convolutions;
  std::vector<ConvMeasurement> measured;
  for (const kernels::ConvPlan& plan : candidates) {
    convolutions.emplace_back(*exec.kernels, weight.span(), std::span<const float>(zeros).first(s.out), s, plan,
                              exec.pool);
    measured.push_back({plan, 1e9, convolutions.back().WeightBytes()});
  }
  const auto seconds_now = exec.pool->num_threads() == 1 ? ThreadSeconds : WallSeconds;
  for (int i = 0; i <= repeats; ++i) {  // the first is a warm-up
    for (size_t j = 0; j < convolutions.size(); ++j) {
      const Arena::Scope scope(*exec.arena);
      const Matrix output(y.data(), out_rows, s.out);
      ChannelStats stats(exec, out_rows, s.out, convolutions[j].stats_rows());
      const double start = seconds_now();
      // Halved, so that the sum with itself stays finite.
      convolutions[j].Run(exec, ConstMatrix(x.data(), conv.rows, s.in), prologue, output,
                          {.residual = output, .scale = 0.5f, .stats = &stats});
      const double seconds = seconds_now() - start;
      if (i > 0) measured[j].seconds = std::min(measured[j].seconds, seconds);
    }
  }
  return measured;
}

const ConvMeasurement& BestOf(std::span<const ConvMeasurement> measured, double tolerance) {
  const auto faster = [](const ConvMeasurement& a, const ConvMeasurement& b) { return a.seconds < b.seconds; };
  const ConvMeasurement* best = &*std::min_element(measured.begin(), measured.end(), faster);
  const double limit = best->seconds * (1 + tolerance);
  const auto rank = [](const ConvMeasurement& m) { return std::tuple(m.weight_bytes, m.plan.form.samples, m.seconds); };
  for (const ConvMeasurement& m : measured) {
    if (m.seconds <= limit && rank(m) < rank(*best)) best = &m;
  }
  return *best;
}

}  // namespace koe::nn
