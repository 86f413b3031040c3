// SPDX-License-Identifier: Apache-2.0
#include "kernels/pointwise_bench.h"

namespace koe::kernels {
namespace {

// Scores of one of ALBERT's 12 heads for a short and the longest input; repeated runs work on their own results.
const bool kRegistered = [] {
  for (const size_t tokens : {64u, 512u}) {
    const size_t n = tokens;
    float* x = BenchNormal(n * n, 0, 8);
    RegisterPerTarget("softmax_rows/" + std::to_string(n) + "x" + std::to_string(n), n * n, n * n * 8,
                      [=](const KernelSet& k) { k.softmax.softmax_rows(x, n, n, n, 0.125f); });
  }
  return true;
}();

}  // namespace
}  // namespace koe::kernels
