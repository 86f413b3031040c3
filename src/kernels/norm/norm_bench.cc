// SPDX-License-Identifier: Apache-2.0
#include "kernels/pointwise_bench.h"

namespace koe::kernels {
namespace {

const bool kRegistered = [] {
  for (const size_t channels : {128u, 256u, 512u, 1090u}) {
    const size_t rows = kStatsBlockRows, c = channels;
    const float* x = BenchNormal(rows * c, 3, 2);
    const float* pivot = BenchNormal(c, 3, 2);
    float* sum = BenchNormal(c, 0, 0);
    float* sum_sq = BenchNormal(c, 0, 0);
    RegisterPerTarget("block_stats/96x" + std::to_string(c), rows * c, rows * c * 4,
                      [=](const KernelSet& k) { k.norm.block_stats(x, c, rows, c, pivot, sum, sum_sq); });
  }
  // 64 tokens of ALBERT (768, with residual) and of the text and duration encoders (512).
  for (const size_t channels : {512u, 768u}) {
    const size_t rows = 64, c = channels;
    const float* src = BenchNormal(rows * c, 0, 2);
    const float* residual = c == 768 ? BenchNormal(rows * c, 0, 2) : nullptr;
    const float* gamma = BenchNormal(c, 1, 0.2f);
    const float* beta = BenchNormal(c, 0, 0.2f);
    float* dst = BenchNormal(rows * c, 0, 0);
    RegisterPerTarget("layer_norm/64x" + std::to_string(c) + (residual == nullptr ? "" : "/residual"), rows * c,
                      rows * c * (residual == nullptr ? 8 : 12), [=](const KernelSet& k) {
                        k.norm.layer_norm(src, c, residual, c, rows, c, gamma, beta, 1e-5f, dst, c);
                      });
  }
  return true;
}();

}  // namespace
}  // namespace koe::kernels
