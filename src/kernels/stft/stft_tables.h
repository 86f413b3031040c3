// SPDX-License-Identifier: Apache-2.0
// Constants of the 20-point transform, shared by all targets.
#ifndef KOE_KERNELS_STFT_STFT_TABLES_H_
#define KOE_KERNELS_STFT_STFT_TABLES_H_

#include "kernels/stft/stft.h"

namespace koe::kernels {

// The half of the frame that is left when samples n and 20 - n are folded together, padded to whole vectors.
inline constexpr size_t kStftLanes = 16;

struct StftTables {
  double window[kStftSize];             // periodic Hann
  double cosine[kStftSize];             // cos(2 pi i / 20)
  double sine[kStftSize];               // sin(2 pi i / 20)
  double inv_envelope[2][2][kStftHop];  // 1 / sum of squared windows: [frame before exists][frame after exists]
  // Folded analysis, [n - 1][bin], n = 1..10: window[n] cos, -window[n] sin; sample 0 has window 0. Zero past bin 10;
  // the sine columns of bins 0 and 10 are exactly 0.
  alignas(64) float analysis_cos[10][kStftLanes];
  alignas(64) float analysis_sin[10][kStftLanes];
  // Folded synthesis, [bin][n], n = 0..10: (1 or 2)/20 window[n] cos, and the same with sin. Zero past n = 10.
  alignas(64) float synthesis_cos[kStftBins][kStftLanes];
  alignas(64) float synthesis_sin[kStftBins][kStftLanes];
};

const StftTables& GetStftTables();

// Index of sample i of the signal extended by reflection around its first and last sample; -num_samples < i,
// i < 2 num_samples - 1.
inline size_t ReflectIndex(ptrdiff_t i, size_t num_samples) {
  if (i < 0) return static_cast<size_t>(-i);
  const size_t j = static_cast<size_t>(i);
  return j < num_samples ? j : 2 * (num_samples - 1) - j;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_STFT_STFT_TABLES_H_
