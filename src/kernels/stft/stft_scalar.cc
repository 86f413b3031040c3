// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "kernels/stft/stft.h"
#include "kernels/stft/stft_tables.h"

namespace koe::kernels {
namespace {

StftTables MakeTables() {
  StftTables t{};
  const double pi = 3.14159265358979323846;
  for (size_t i = 0; i < kStftSize; ++i) {
    // Quarter symmetry by hand, so that zeros are exact and the folded forms agree.
    const size_t r = i % 10 > 5 ? 10 - i % 10 : i % 10;
    const double c = r == 5 ? 0 : std::cos(2 * pi * static_cast<double>(r) / 20);
    t.cosine[i] = (i > 5 && i < 15) ? -c : c;
  }
  for (size_t i = 0; i < kStftSize; ++i) {
    t.sine[i] = t.cosine[(i + 15) % kStftSize];
    t.window[i] = 0.5 - 0.5 * t.cosine[i];
  }
  for (size_t before = 0; before < 2; ++before) {
    for (size_t after = 0; after < 2; ++after) {
      for (size_t j = 0; j < kStftHop; ++j) {
        const double w0 = t.window[j], w1 = t.window[5 + j], w2 = t.window[10 + j], w3 = t.window[15 + j];
        double sum = w1 * w1 + w2 * w2;
        if (before != 0) sum += w3 * w3;
        if (after != 0) sum += w0 * w0;
        t.inv_envelope[before][after][j] = 1 / sum;
      }
    }
  }
  for (size_t k = 0; k < kStftBins; ++k) {
    const double gain = (k == 0 || k == 10) ? 1.0 / 20 : 2.0 / 20;
    for (size_t n = 0; n <= 10; ++n) {
      const double c = t.cosine[k * n % kStftSize], s = t.sine[k * n % kStftSize];
      if (n > 0) {
        t.analysis_cos[n - 1][k] = static_cast<float>(t.window[n] * c);
        t.analysis_sin[n - 1][k] = s == 0 ? 0.0f : static_cast<float>(-t.window[n] * s);
      }
      t.synthesis_cos[k][n] = static_cast<float>(gain * t.window[n] * c);
      t.synthesis_sin[k][n] = s == 0 ? 0.0f : static_cast<float>(gain * t.window[n] * s);
    }
  }
  return t;
}

}  // namespace

const StftTables& GetStftTables() {
  static const StftTables tables = MakeTables();
  return tables;
}

namespace scalar {
namespace {

void Stft(const float* samples, size_t num_samples, size_t first, size_t count, float* dst, size_t dst_stride) {
  const StftTables& t = GetStftTables();
  for (size_t i = 0; i < count; ++i) {
    const ptrdiff_t begin = static_cast<ptrdiff_t>((first + i) * kStftHop) - static_cast<ptrdiff_t>(kStftSize / 2);
    float* row = dst + i * dst_stride;
    for (size_t k = 0; k < kStftBins; ++k) {
      double re = 0, im = 0;
      for (size_t n = 0; n < kStftSize; ++n) {
        const double x = t.window[n] * samples[ReflectIndex(begin + static_cast<ptrdiff_t>(n), num_samples)];
        re += x * t.cosine[k * n % kStftSize];
        im -= x * t.sine[k * n % kStftSize];
      }
      // im - im is +0.0, or NaN as it must be if the frame is not finite.
      if (k == 0 || k + 1 == kStftBins) im -= im;
      row[k] = static_cast<float>(std::sqrt(re * re + im * im));
      row[kStftBins + k] = static_cast<float>(std::atan2(im, re));
    }
  }
}

// The windowed frame, in double.
void SynthesizeFrame(const StftTables& t, const float* row, double* frame) {
  double re[kStftBins], im[kStftBins];
  for (size_t k = 0; k < kStftBins; ++k) {
    const double magnitude = std::exp(static_cast<double>(row[k]));
    const double phase = std::sin(static_cast<double>(row[kStftBins + k]));
    const double gain = (k == 0 || k + 1 == kStftBins) ? 1.0 / 20 : 2.0 / 20;
    re[k] = gain * magnitude * std::cos(phase);
    im[k] = gain * magnitude * std::sin(phase);
  }
  for (size_t n = 0; n < kStftSize; ++n) {
    double x = 0;
    for (size_t k = 0; k < kStftBins; ++k) {
      x += re[k] * t.cosine[k * n % kStftSize] - im[k] * t.sine[k * n % kStftSize];
    }
    frame[n] = x * t.window[n];
  }
}

void Istft(const float* src, size_t src_stride, size_t frames, size_t first, size_t count, float* dst) {
  const StftTables& t = GetStftTables();
  // Five samples at block b lie under frames b - 1 .. b + 2, of which the ring holds the last four.
  double ring[4][kStftSize];
  const size_t begin = first / kStftHop, end = begin + count / kStftHop;
  size_t ready = begin == 0 ? 0 : begin - 1;  // frames below are in the ring
  for (size_t b = begin; b < end; ++b) {
    for (; ready < frames && ready <= b + 2; ++ready) {
      SynthesizeFrame(t, src + ready * src_stride, ring[ready % 4]);
    }
    const bool has_before = b > 0, has_after = b + 2 < frames;
    for (size_t j = 0; j < kStftHop; ++j) {
      double sum = has_before ? ring[(b - 1) % 4][15 + j] : 0;
      sum += ring[b % 4][10 + j];
      sum += ring[(b + 1) % 4][5 + j];
      if (has_after) sum += ring[(b + 2) % 4][j];
      dst[(b - begin) * kStftHop + j] = static_cast<float>(sum * t.inv_envelope[has_before][has_after][j]);
    }
  }
}

}  // namespace

constinit const StftOps kStftOps{Stft, Istft};

}  // namespace scalar
}  // namespace koe::kernels
