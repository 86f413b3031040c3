// SPDX-License-Identifier: Apache-2.0
#include "kernels/tile_conv/tile_form.h"

#include <cmath>
#include <numbers>

namespace koe::kernels {
namespace {

constexpr size_t kRoots = 32;  // of unity, of kFft

TileMatrices ToomCookMatrices(const TileForm& form, const std::vector<double>& nodes) {
  // Finite nodes a_0 = 0, p_0, -p_0, ...; infinity last. With M(x) = prod (x - a_i): forward row i holds the
  // coefficients of M / (x - a_i), the last row those of M; filter[i][k] = a_i^k / prod_{j != i} (a_i - a_j);
  // inverse[j][i] = a_i^j; infinity takes the last tap and adds to the last output.
  const size_t n = form.samples, r = form.segment_taps(), m = form.outputs();
  std::vector<double> a = {0.0};
  for (const double p : nodes) a.insert(a.end(), {p, -p});
  TileMatrices t{std::vector<double>(n * n), std::vector<double>(n * r), std::vector<double>(m * n)};
  for (size_t i = 0; i < n; ++i) {
    double* poly = t.forward.data() + i * n;
    poly[0] = 1;
    double denominator = 1;
    size_t degree = 0;
    for (size_t j = 0; j < n - 1; ++j) {
      if (j == i) continue;
      ++degree;
      for (size_t k = degree; k > 0; --k) poly[k] = poly[k - 1] - a[j] * poly[k];
      poly[0] *= -a[j];
      if (i < n - 1) denominator *= a[i] - a[j];
    }
    if (i == n - 1) {
      t.filter[i * r + r - 1] = 1;
      t.inverse[(m - 1) * n + i] = 1;
      continue;
    }
    double power = 1;
    for (size_t k = 0; k < r; ++k, power *= a[i]) t.filter[i * r + k] = power / denominator;
    power = 1;
    for (size_t j = 0; j < m; ++j, power *= a[i]) t.inverse[j * n + i] = power;
  }
  return t;
}

TileMatrices FftMatrices(const TileForm& form) {
  const size_t n = form.samples, r = form.segment_taps(), m = form.outputs(), planes = form.planes();
  TileMatrices t{std::vector<double>(planes * n), std::vector<double>(planes * r), std::vector<double>(m * planes)};
  const auto turn = [](size_t k, size_t i) {
    return 2 * std::numbers::pi * static_cast<double>(k * i % kRoots) / static_cast<double>(kRoots);
  };
  const auto fill = [](std::vector<double>& matrix, size_t row, size_t cols, size_t count, size_t first, auto value) {
    for (size_t i = 0; i < count; ++i) matrix[row * cols + first + i] = value(i);
  };
  // With d = a + b i, b of sign e^(+...), and the filter's bin c + d i of sign e^(-...) over 32: the planes are
  // c (a + b), a (d - c), b (c + d); their bin is (first - third) + (first + second) i.
  for (size_t k = 0; k <= kRoots / 2; ++k) {
    const bool is_real = k == 0 || k == kRoots / 2;
    const size_t plane = k == 0 ? 0 : is_real ? 1 : 2 + 3 * (k - 1);
    const auto c = [&](size_t i) { return std::cos(turn(k, i)); };
    const auto s = [&](size_t i) { return std::sin(turn(k, i)); };
    const double scale = 1.0 / static_cast<double>(kRoots), both = is_real ? scale : 2 * scale;
    if (is_real) {
      fill(t.forward, plane, n, kRoots, 1, c);
      fill(t.filter, plane, r, r, 0, [&](size_t i) { return c(i) * scale; });
    } else {
      fill(t.forward, plane, n, kRoots, 1, [&](size_t i) { return c(i) + s(i); });
      fill(t.forward, plane + 1, n, kRoots, 1, c);
      fill(t.forward, plane + 2, n, kRoots, 1, s);
      fill(t.filter, plane, r, r, 0, [&](size_t i) { return c(i) * scale; });
      fill(t.filter, plane + 1, r, r, 0, [&](size_t i) { return (-s(i) - c(i)) * scale; });
      fill(t.filter, plane + 2, r, r, 0, [&](size_t i) { return (c(i) - s(i)) * scale; });
    }
    for (size_t j = 0; j < m; ++j) {
      // Output j is cyclic output j - 1.
      const size_t at = j + kRoots - 1;
      double* row = t.inverse.data() + j * planes + plane;
      const double re = c(at) * both / scale, im = s(at) * both / scale;
      row[0] = is_real ? re : re + im;
      if (!is_real) {
        row[1] = im;
        row[2] = -re;
      }
    }
  }
  // Node 0 is plane 47, infinity 48.
  t.forward[47 * n] = 1;
  t.forward[47 * n + kRoots] = -1;
  t.filter[47 * r] = 1;
  t.inverse[47] = 1;
  t.forward[48 * n + kRoots + 1] = 1;
  t.forward[48 * n + 1] = -1;
  t.filter[48 * r + r - 1] = 1;
  t.inverse[(m - 1) * planes + 48] = 1;
  return t;
}

template <size_t kPairs>
std::vector<double> Nodes() {
  constexpr auto nodes = ToomCookNodes<kPairs>();
  return {nodes.begin(), nodes.end()};
}

}  // namespace

TileMatrices MatricesOf(const TileForm& form) {
  if (form.kind == TileForm::Kind::kFft) return FftMatrices(form);
  const std::vector<double> nodes[] = {Nodes<1>(), Nodes<2>(), Nodes<3>(), Nodes<4>(),
                                       Nodes<5>(), Nodes<6>(), Nodes<7>()};
  return ToomCookMatrices(form, nodes[form.samples / 2 - 2]);
}

std::vector<TileForm> SupportedTileForms() {
  std::vector<TileForm> forms;
  for (const size_t taps : {2, 3, 5, 7, 11}) {
    for (size_t samples = 4; samples <= 16; samples += 2) {
      for (const size_t segments : {1, 2, 3}) {
        const TileForm form{TileForm::Kind::kToomCook, samples, taps, segments};
        if (IsSupported(form)) forms.push_back(form);
      }
    }
    const TileForm fft{TileForm::Kind::kFft, 34, taps, 1};
    if (IsSupported(fft)) forms.push_back(fft);
  }
  return forms;
}

bool IsSupported(const TileForm& form) {
  if (form.taps == 0 || form.segments == 0 || form.segments > form.taps) return false;
  const size_t r = form.segment_taps();
  if (form.kind == TileForm::Kind::kFft)
    return form.samples == 34 && form.segments == 1 && (r == 3 || r == 7 || r == 11);
  switch (form.samples) {
    case 4:
      return r == 2 || r == 3;
    case 6:
    case 8:
      return r >= 2 && r <= 5;
    case 10:
      return r == 3 || r == 5 || r == 6 || r == 7;
    case 12:
    case 14:
      return r == 3 || r == 6 || r == 7;
    case 16:
      return r == 7 || r == 11;
    default:
      return false;
  }
}

}  // namespace koe::kernels
