// SPDX-License-Identifier: Apache-2.0
// How far a convolution in tiles may be from the exact one.
#ifndef KOE_TESTS_SUPPORT_TILE_BOUND_H_
#define KOE_TESTS_SUPPORT_TILE_BOUND_H_

#include <algorithm>
#include <cmath>

#include "kernels/tile_conv/tile_form.h"

namespace koe::test_support {

template <typename Values>
double Largest(const Values& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

// The most that one output may be wrong when no input, weight or addend is larger than given: all magnitudes at their
// largest and all signs in agreement through the three matrices, times more roundings than any path has (kSumBlock, the
// planes and samples of the largest form, and the epilogue).
inline double TileBound(const kernels::TileForm& form, size_t c_in, double input, double weight, double addend) {
  const kernels::TileMatrices m = kernels::MatricesOf(form);
  const auto row_sum = [](const std::vector<double>& matrix, size_t row, size_t cols) {
    double sum = 0;
    for (size_t i = 0; i < cols; ++i) sum += std::abs(matrix[row * cols + i]);
    return sum;
  };
  double growth = 0;
  for (size_t j = 0; j < form.outputs(); ++j) {
    double sum = 0;
    for (size_t p = 0; p < form.planes(); ++p) {
      sum += std::abs(m.inverse[j * form.planes() + p]) * row_sum(m.forward, p, form.samples) *
             row_sum(m.filter, p, form.segment_taps());
    }
    growth = std::max(growth, sum);
  }
  constexpr double kRoundings = 256;
  return kRoundings * 0x1p-24 * (growth * static_cast<double>(c_in * form.segments) * input * weight + addend);
}

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_TILE_BOUND_H_
