// SPDX-License-Identifier: Apache-2.0
#include "support/reference.h"

#include <algorithm>
#include <cmath>

#include "support/measure.h"

namespace koe::test_support {

Reference::Reference(ConstMatrix exact) : Reference(exact.rows, exact.cols) {
  for (size_t t = 0; t < rows; ++t) std::copy_n(exact.Row(t), cols, value.begin() + static_cast<ptrdiff_t>(t * cols));
}

Reference Activated(const Reference& x, const nn::ConvPrologue& prologue) {
  using Kind = nn::ConvPrologue::Kind;
  Reference y(x.rows, x.cols);
  for (size_t i = 0; i < x.value.size(); ++i) {
    const size_t c = i % x.cols;
    double v = x.value[i], e = x.error[i];
    if (prologue.kind == Kind::kLeakyReluAffine || prologue.kind == Kind::kSnakeAffine) {
      const double difference = v - static_cast<double>(prologue.affine.mean[c]);
      const double scale = prologue.affine.scale[c];
      v = difference * scale + static_cast<double>(prologue.affine.shift[c]);
      // The difference, the product and the sum are rounded.
      e = e * std::abs(scale) + kEps * (2 * std::abs(difference * scale) + std::abs(v));
    }
    if (prologue.kind == Kind::kLeakyRelu || prologue.kind == Kind::kLeakyReluAffine) {
      if (v < 0) v *= static_cast<double>(prologue.slope);
      e += kEps * std::abs(v);
    } else if (prologue.kind == Kind::kSnakeAffine) {
      // The derivative 1 + sin(2 alpha y) is at most 2; the rest is the bound of kernels/activation.
      const double alpha = prologue.alpha[c], sine = std::sin(alpha * v);
      e = 2 * e + 4e-7 / std::abs(alpha) + 4 * kEps * std::abs(v);
      v += sine * sine / alpha;
      e += 2 * kEps * std::abs(v);
    }
    y.value[i] = v;
    y.error[i] = e;
  }
  return y;
}

Reference Convolved(const Reference& x, std::span<const float> weight, std::span<const float> bias,
                    const nn::ConvShape& shape) {
  Reference y(shape.OutputRows(x.rows), shape.out);
  const double roundings = static_cast<double>(shape.taps * shape.in + 2) * kEps;
  for (size_t t = 0; t < y.rows; ++t) {
    for (size_t co = 0; co < shape.out; ++co) {
      double sum = bias.empty() ? 0 : bias[co], magnitude = std::abs(sum), carried = 0;
      for (size_t tap = 0; tap < shape.taps; ++tap) {
        const size_t padded = t * shape.stride + tap * shape.dilation;
        if (padded < shape.padding || padded - shape.padding >= x.rows) continue;
        for (size_t ci = 0; ci < shape.in; ++ci) {
          const size_t i = x.At(padded - shape.padding, ci);
          const double w = weight[(co * shape.in + ci) * shape.taps + tap];
          sum += w * x.value[i];
          magnitude += std::abs(w * x.value[i]);
          carried += std::abs(w) * x.error[i];
        }
      }
      y.value[y.At(t, co)] = sum;
      y.error[y.At(t, co)] = carried + roundings * magnitude;
    }
  }
  return y;
}

Reference AddedScaled(const Reference& x, const Reference& residual, float scale) {
  Reference y(x.rows, x.cols);
  for (size_t i = 0; i < y.value.size(); ++i) {
    const double factor = scale;
    y.value[i] = (x.value[i] + residual.value[i]) * factor;
    y.error[i] = (x.error[i] + residual.error[i]) * factor + 2 * kEps * std::abs(y.value[i]);
  }
  return y;
}

Reference TransposeConvolved(const Reference& x, std::span<const float> weight, std::span<const float> bias,
                             const TransposeShape& s) {
  const size_t rows = (x.rows - 1) * s.stride - 2 * s.padding + s.taps + s.output_padding;
  Reference y(rows, s.out);
  std::vector<double> magnitude(rows * s.out);
  for (size_t i = 0; i < y.value.size(); ++i) {
    y.value[i] = bias[i % s.out];
    magnitude[i] = std::abs(y.value[i]);
  }
  const size_t out_per_group = s.out / s.groups, in_per_group = s.in / s.groups;
  for (size_t t = 0; t < x.rows; ++t) {
    for (size_t ci = 0; ci < s.in; ++ci) {
      for (size_t o = 0; o < out_per_group; ++o) {
        const size_t co = ci / in_per_group * out_per_group + o;
        for (size_t tap = 0; tap < s.taps; ++tap) {
          const size_t padded = t * s.stride + tap;
          if (padded < s.padding || padded - s.padding >= rows) continue;
          const size_t to = y.At(padded - s.padding, co), from = x.At(t, ci);
          const double w = weight[(ci * out_per_group + o) * s.taps + tap];
          y.value[to] += w * x.value[from];
          y.error[to] += std::abs(w) * x.error[from];
          magnitude[to] += std::abs(w * x.value[from]);
        }
      }
    }
  }
  // At most ceil(taps / stride) rows of the input meet in one output.
  const double roundings = static_cast<double>(CeilDiv(s.taps, s.stride) * in_per_group + 2) * kEps;
  for (size_t i = 0; i < y.value.size(); ++i) y.error[i] += roundings * magnitude[i];
  return y;
}

Reference LstmRun(const Reference& x, const nn::LstmDirectionWeights& forward, const nn::LstmDirectionWeights& backward,
                  size_t hidden) {
  Reference y(x.rows, 2 * hidden);
  const double gate_roundings = static_cast<double>(x.cols + hidden + 4) * kEps;
  constexpr double kUlps = 8 * kEps;  // 4 ULP of sigmoid and tanh, relative
  for (size_t direction = 0; direction < 2; ++direction) {
    const nn::LstmDirectionWeights& w = direction == 0 ? forward : backward;
    const auto* weight_ih = static_cast<const float*>(w.weight_ih.data);
    const auto* weight_hh = static_cast<const float*>(w.weight_hh.data);
    std::vector<double> h(hidden), h_error(hidden), c(hidden), c_error(hidden), gate(4 * hidden), error(4 * hidden);
    for (size_t step = 0; step < x.rows; ++step) {
      const size_t t = direction == 0 ? step : x.rows - 1 - step;
      for (size_t g = 0; g < 4 * hidden; ++g) {
        double sum = static_cast<double>(w.bias_ih[g]) + static_cast<double>(w.bias_hh[g]);
        double magnitude = std::abs(static_cast<double>(w.bias_ih[g])) + std::abs(static_cast<double>(w.bias_hh[g]));
        double carried = 0;
        const auto add = [&](double weight, double value, double value_error) {
          sum += weight * value;
          magnitude += std::abs(weight * value);
          carried += std::abs(weight) * value_error;
        };
        for (size_t i = 0; i < x.cols; ++i) add(weight_ih[g * x.cols + i], x.value[x.At(t, i)], x.error[x.At(t, i)]);
        for (size_t j = 0; j < hidden; ++j) add(weight_hh[g * hidden + j], h[j], h_error[j]);
        const bool is_tanh = g / hidden == 2;  // i, f, g, o
        gate[g] = is_tanh ? std::tanh(sum) : 1 / (1 + std::exp(-sum));
        // Slopes are at most 1 and 1/4.
        error[g] = (carried + gate_roundings * magnitude) * (is_tanh ? 1 : 0.25) + kUlps * std::abs(gate[g]);
      }
      for (size_t j = 0; j < hidden; ++j) {
        const auto part = [&](size_t k) { return gate[k * hidden + j]; };
        const auto part_error = [&](size_t k) { return error[k * hidden + j]; };
        c_error[j] = part(1) * c_error[j] + std::abs(c[j]) * part_error(1) + part(0) * part_error(2) +
                     std::abs(part(2)) * part_error(0) +
                     3 * kEps * (std::abs(part(1) * c[j]) + std::abs(part(0) * part(2)));
        c[j] = part(1) * c[j] + part(0) * part(2);
        const double squashed = std::tanh(c[j]);
        h[j] = part(3) * squashed;
        h_error[j] = std::abs(squashed) * part_error(3) + part(3) * (c_error[j] + kUlps * std::abs(squashed)) +
                     kEps * std::abs(h[j]);
        y.value[y.At(t, direction * hidden + j)] = h[j];
        y.error[y.At(t, direction * hidden + j)] = h_error[j];
      }
    }
  }
  return y;
}

Moments MomentsOf(ConstMatrix x, double eps) {
  Moments m;
  const double n = static_cast<double>(x.rows);
  for (size_t c = 0; c < x.cols; ++c) {
    double sum = 0;
    for (size_t t = 0; t < x.rows; ++t) sum += x.Row(t)[c];
    const double mean = sum / n;
    double variance = 0;
    for (size_t t = 0; t < x.rows; ++t) variance += (x.Row(t)[c] - mean) * (x.Row(t)[c] - mean);
    variance /= n;

    // Within a block of r rows: d = x - pivot is rounded once, then r additions; the squares are rounded twice more.
    // The merge about the first pivot adds a shift s to every d: sum + r s, and sum_sq + 2 s sum + r s^2.
    double sum_error = 0, square_error = 0;
    for (size_t first = 0; first < x.rows; first += kernels::kStatsBlockRows) {
      const size_t last = std::min(x.rows, first + kernels::kStatsBlockRows);
      const double pivot = x.Row(first)[c], shift = pivot - static_cast<double>(x.Row(0)[c]);
      double absolute = 0, squares = 0;
      for (size_t t = first; t < last; ++t) {
        const double d = std::abs(x.Row(t)[c] - pivot);
        absolute += d;
        squares += d * d;
      }
      const double rows = static_cast<double>(last - first);
      sum_error += (rows + 1) * kEps * absolute;
      square_error += (rows + 3) * kEps * squares + 2 * std::abs(shift) * (rows + 1) * kEps * absolute;
    }
    const double shifted_mean = mean - static_cast<double>(x.Row(0)[c]);
    const double variance_error = square_error / n + 2 * std::abs(shifted_mean) * sum_error / n;
    const double rstd = 1 / std::sqrt(variance + eps);
    m.mean.push_back(mean);
    m.rstd.push_back(rstd);
    m.mean_error.push_back(sum_error / n + kEps * std::abs(mean));
    m.rstd_error.push_back(rstd * (variance_error / (2 * (variance + eps)) + kEps));
  }
  return m;
}

}  // namespace koe::test_support
