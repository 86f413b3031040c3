// SPDX-License-Identifier: Apache-2.0
#include "kernels/pointwise_bench.h"

namespace koe::kernels {
namespace {

const bool kRegistered = [] {
  // One audio second of the generator's second stage: the mean of its three residual blocks.
  const size_t count = 4800 * 128;
  const float* a = BenchNormal(count, 0, 1);
  const float* b = BenchNormal(count, 0, 1);
  const float* c = BenchNormal(count, 0, 1);
  float* dst = BenchNormal(count, 0, 0);
  RegisterPerTarget("add_scale/4800x128", count, count * 12,
                    [=](const KernelSet& k) { k.elementwise.add_scale(a, b, 0.70710678f, count, dst); });
  RegisterPerTarget("add3_scale/4800x128", count, count * 16,
                    [=](const KernelSet& k) { k.elementwise.add3_scale(a, b, c, 1.0f / 3, count, dst); });
  RegisterPerTarget("all_finite/4800x128", count, count * 4,
                    [=](const KernelSet& k) { benchmark::DoNotOptimize(k.elementwise.all_finite(a, count)); });
  // A weight matrix of ALBERT.
  const size_t weights = 768 * 768;
  auto* bytes = new std::vector<uint8_t>(weights, uint8_t{77});
  auto* halves = new std::vector<uint16_t>(weights, uint16_t{0x3555});
  RegisterPerTarget("dequantize_i8/768x768", weights, weights * 5, [=](const KernelSet& k) {
    k.elementwise.dequantize_i8(reinterpret_cast<const int8_t*>(bytes->data()), 3, 0.01f, weights, dst);
  });
  RegisterPerTarget("dequantize_u8/768x768", weights, weights * 5,
                    [=](const KernelSet& k) { k.elementwise.dequantize_u8(bytes->data(), 128, 0.01f, weights, dst); });
  return RegisterPerTarget("f16_to_f32/768x768", weights, weights * 6,
                           [=](const KernelSet& k) { k.elementwise.f16_to_f32(halves->data(), weights, dst); });
}();

}  // namespace
}  // namespace koe::kernels
