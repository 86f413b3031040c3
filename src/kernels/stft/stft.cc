// SPDX-License-Identifier: Apache-2.0
#include "kernels/stft/stft.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/stft/stft.cc"
#include "kernels/simd_targets.h"
//
#include "hwy/foreach_target.h"
//
#include "hwy/highway.h"
#include "kernels/math/map-inl.h"
#include "kernels/math/math-inl.h"
#include "kernels/stft/stft_tables.h"

HWY_BEFORE_NAMESPACE();
namespace koe::kernels::HWY_NAMESPACE {
#if KOE_IS_VECTOR_TARGET
namespace {

using DF = hn::ScalableTag<float>;
using DB = hn::CappedTag<float, kStftLanes>;  // bins of a frame, or samples of its half
using VB = hn::Vec<DB>;
constexpr size_t kLanes = hn::MaxLanes(DB());
constexpr size_t kVecs = kStftLanes / kLanes;

// Frames whose spectra go through the elementwise functions together.
constexpr size_t kBlockFrames = 32;
constexpr size_t kBlockBins = kBlockFrames * kStftBins;

// The 20 samples of a frame: in place, or copied to buffer where the reflection padding takes part.
HWY_INLINE const float* Frame(const float* samples, size_t num_samples, size_t frame, float* buffer) {
  const size_t begin = frame * kStftHop;  // of the padded signal
  if (begin >= kStftSize / 2 && begin + kStftSize / 2 <= num_samples) return samples + begin - kStftSize / 2;
  for (size_t n = 0; n < kStftSize; ++n) {
    const ptrdiff_t i = static_cast<ptrdiff_t>(begin + n) - static_cast<ptrdiff_t>(kStftSize / 2);
    buffer[n] = samples[ReflectIndex(i, num_samples)];
  }
  return buffer;
}

// Windowed DFT of x folded around sample 10: 11 bins to re and im, which must hold kStftLanes. The small windows come
// first, which keeps the rounding errors at 30 eps max|x| for re and 24 for im.
HWY_INLINE void Analyze(const StftTables& tables, const float* x, float* re, float* im) {
  const DB d;
  VB sum_re[kVecs], sum_im[kVecs];
  HWY_UNROLL(4)
  for (size_t v = 0; v < kVecs; ++v) sum_re[v] = sum_im[v] = hn::Zero(d);
  for (size_t n = 1; n < 10; ++n) {
    const VB even = hn::Set(d, x[n] + x[kStftSize - n]);
    const VB odd = hn::Set(d, x[n] - x[kStftSize - n]);
    HWY_UNROLL(4)
    for (size_t v = 0; v < kVecs; ++v) {
      sum_re[v] = hn::MulAdd(even, hn::Load(d, tables.analysis_cos[n - 1] + v * kLanes), sum_re[v]);
      sum_im[v] = hn::MulAdd(odd, hn::Load(d, tables.analysis_sin[n - 1] + v * kLanes), sum_im[v]);
    }
  }
  const VB centre = hn::Set(d, x[10]);
  HWY_UNROLL(4)
  for (size_t v = 0; v < kVecs; ++v) {
    sum_re[v] = hn::MulAdd(centre, hn::Load(d, tables.analysis_cos[9] + v * kLanes), sum_re[v]);
    hn::StoreU(sum_re[v], d, re + v * kLanes);
    hn::StoreU(sum_im[v], d, im + v * kLanes);
  }
}

void Stft(const float* samples, size_t num_samples, size_t first, size_t count, float* dst, size_t dst_stride) {
  const StftTables& tables = GetStftTables();
  // Rows of 11 bins, written 16 lanes at a time in ascending order: the last one needs room.
  alignas(64) float re[kBlockBins + kStftLanes], im[kBlockBins + kStftLanes];
  alignas(64) float magnitude[kBlockBins], phase[kBlockBins];
  float padded[kStftSize];
  for (size_t done = 0; done < count; done += kBlockFrames) {
    const size_t frames = count - done < kBlockFrames ? count - done : kBlockFrames;
    for (size_t i = 0; i < frames; ++i) {
      const float* x = Frame(samples, num_samples, first + done + i, padded);
      Analyze(tables, x, re + i * kStftBins, im + i * kStftBins);
    }
    Map(DF(), re, im, frames * kStftBins, magnitude,
        [](auto, auto r, auto i) HWY_ATTR { return hn::Sqrt(hn::MulAdd(r, r, hn::Mul(i, i))); });
    Map(DF(), im, re, frames * kStftBins, phase, [](auto d, auto i, auto r) HWY_ATTR { return Atan2(d, i, r); });
    for (size_t i = 0; i < frames; ++i) {
      float* row = dst + (done + i) * dst_stride;
      std::memcpy(row, magnitude + i * kStftBins, kStftBins * sizeof(float));
      std::memcpy(row + kStftBins, phase + i * kStftBins, kStftBins * sizeof(float));
    }
  }
}

// Windowed samples of a frame from 11 bins: the inverse transform folded around sample 10.
HWY_INLINE void Synthesize(const StftTables& tables, const float* re, const float* im, float* frame) {
  const DB d;
  alignas(64) float low[kStftLanes], high[kStftLanes];
  VB even[kVecs], odd[kVecs];
  const VB re0 = hn::Set(d, re[0]);
  HWY_UNROLL(4)
  for (size_t v = 0; v < kVecs; ++v) {
    even[v] = hn::Mul(re0, hn::Load(d, tables.synthesis_cos[0] + v * kLanes));
    odd[v] = hn::Zero(d);
  }
  for (size_t k = 1; k < kStftBins; ++k) {
    const VB r = hn::Set(d, re[k]), i = hn::Set(d, im[k]);
    HWY_UNROLL(4)
    for (size_t v = 0; v < kVecs; ++v) {
      even[v] = hn::MulAdd(r, hn::Load(d, tables.synthesis_cos[k] + v * kLanes), even[v]);
      odd[v] = hn::MulAdd(i, hn::Load(d, tables.synthesis_sin[k] + v * kLanes), odd[v]);
    }
  }
  HWY_UNROLL(4)
  for (size_t v = 0; v < kVecs; ++v) {
    hn::Store(hn::Sub(even[v], odd[v]), d, low + v * kLanes);
    hn::Store(hn::Add(even[v], odd[v]), d, high + v * kLanes);
  }
  for (size_t n = 0; n <= 10; ++n) frame[n] = low[n];
  for (size_t n = 1; n < 10; ++n) frame[kStftSize - n] = high[n];
}

// Frames first .. first + count of src, count <= kBlockFrames, windowed.
HWY_NOINLINE void SynthesizeBlock(const StftTables& tables, const float* src, size_t src_stride, size_t count,
                                  float (*frames)[kStftSize]) {
  alignas(64) float log_magnitude[kBlockBins], argument[kBlockBins];
  alignas(64) float re[kBlockBins], im[kBlockBins];
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(log_magnitude + i * kStftBins, src + i * src_stride, kStftBins * sizeof(float));
    std::memcpy(argument + i * kStftBins, src + i * src_stride + kStftBins, kStftBins * sizeof(float));
  }
  const size_t bins = count * kStftBins;
  const DF d;
  // The buffers are read to whole vectors; what lies past the bins is ignored.
  for (size_t i = bins; i < hwy::RoundUpTo(bins, hn::Lanes(d)); ++i) log_magnitude[i] = argument[i] = 0;
  for (size_t i = 0; i < bins; i += hn::Lanes(d)) {
    const auto magnitude = Exp(d, hn::Load(d, log_magnitude + i));
    auto sine = hn::Zero(d), cosine = hn::Zero(d);
    SinCosReduced(d, Sin(d, hn::Load(d, argument + i)), sine, cosine);
    hn::Store(hn::Mul(magnitude, cosine), d, re + i);
    hn::Store(hn::Mul(magnitude, sine), d, im + i);
  }
  for (size_t i = 0; i < count; ++i) Synthesize(tables, re + i * kStftBins, im + i * kStftBins, frames[i]);
}

void Istft(const float* src, size_t src_stride, size_t frames, size_t first, size_t count, float* dst) {
  static_assert(kBlockBins % hn::MaxLanes(DF()) == 0);
  const StftTables& tables = GetStftTables();
  const size_t begin = first / kStftHop, end = begin + count / kStftHop;
  // Samples of hop b lie under frames b - 1 .. b + 2: a block of frames gives three hops fewer.
  constexpr size_t kBlockHops = kBlockFrames - 3;
  alignas(64) float windowed[kBlockFrames][kStftSize];
  for (size_t b0 = begin; b0 < end; b0 += kBlockHops) {
    const size_t b1 = b0 + kBlockHops < end ? b0 + kBlockHops : end;
    const size_t from = b0 == 0 ? 0 : b0 - 1;
    const size_t to = b1 + 2 < frames ? b1 + 2 : frames;
    SynthesizeBlock(tables, src + from * src_stride, src_stride, to - from, windowed);
    for (size_t b = b0; b < b1; ++b) {
      const bool has_before = b > 0, has_after = b + 2 < frames;
      const size_t i = b - from;  // frame b of the block
      const double* inv_envelope = tables.inv_envelope[has_before][has_after];
      for (size_t j = 0; j < kStftHop; ++j) {
        float sum = has_before ? windowed[i - 1][15 + j] : 0.0f;
        sum += windowed[i][10 + j];
        sum += windowed[i + 1][5 + j];
        if (has_after) sum += windowed[i + 2][j];
        dst[(b - begin) * kStftHop + j] = sum * static_cast<float>(inv_envelope[j]);
      }
    }
  }
}

constexpr StftOps kStftOps{Stft, Istft};

}  // namespace
#endif  // KOE_IS_VECTOR_TARGET
}  // namespace koe::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace koe::kernels {

const StftOps* FindStftOps(Target target) {
  switch (target) {
    KOE_VECTOR_CASES(kStftOps)
    default:
      return &scalar::kStftOps;
  }
}

}  // namespace koe::kernels
#endif  // HWY_ONCE
