// SPDX-License-Identifier: Apache-2.0
#include "kernels/pointwise_bench.h"

namespace koe::kernels {
namespace {

// One audio second of the generator's two stages, and one chunk of 96 rows as a convolution packs it.
constexpr size_t kShapes[][2] = {{4800, 128}, {800, 256}, {96, 128}, {96, 256}};

const bool kRegistered = [] {
  for (const auto& [rows, channels] : kShapes) {
    const size_t r = rows, c = channels, values = r * c;
    const float* src = BenchNormal(values, 1, 2);
    float* dst = BenchNormal(values, 0, 0);
    const ChannelAffine affine{BenchNormal(c, 1, 0.5f), BenchNormal(c, 1, 0.2f), BenchNormal(c, 0, 0.2f)};
    float* alpha = BenchNormal(c, 1, 0.1f);
    float* inv_alpha = BenchNormal(c, 0, 0);
    for (size_t i = 0; i < c; ++i) inv_alpha[i] = 1 / alpha[i];
    const std::string shape = "/" + std::to_string(r) + "x" + std::to_string(c);
    RegisterPerTarget("snake_affine" + shape, values, values * 8, [=](const KernelSet& k) {
      k.activation.snake_affine(src, c, r, c, affine, alpha, inv_alpha, dst, c);
    });
    RegisterPerTarget("leaky_relu_affine" + shape, values, values * 8,
                      [=](const KernelSet& k) { k.activation.leaky_relu_affine(src, c, r, c, affine, 0.2f, dst, c); });
  }
  // The rows between the upsamplings, and ALBERT's hidden layer of 64 tokens.
  const size_t count = 800 * 512, hidden = 64 * 2048;
  const float* src = BenchNormal(count, 0, 2);
  float* dst = BenchNormal(count, 0, 0);
  RegisterPerTarget("leaky_relu/800x512", count, count * 8,
                    [=](const KernelSet& k) { k.activation.leaky_relu(src, count, 0.1f, dst); });
  return RegisterPerTarget("gelu/64x2048", hidden, hidden * 8,
                           [=](const KernelSet& k) { k.activation.gelu(src, hidden, dst); });
}();

}  // namespace
}  // namespace koe::kernels
