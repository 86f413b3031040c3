// SPDX-License-Identifier: Apache-2.0
// Short-time Fourier transform of the harmonic source and its inverse at the generator's end: n_fft 20, hop 5, periodic
// Hann window, centred. Equal to torch.stft / torch.istft of Kokoro's TorchSTFT.
#ifndef KOE_KERNELS_STFT_STFT_H_
#define KOE_KERNELS_STFT_STFT_H_

#include <cstddef>

#include "kernels/target.h"

namespace koe::kernels {

inline constexpr size_t kStftSize = 20;
inline constexpr size_t kStftHop = 5;
inline constexpr size_t kStftBins = kStftSize / 2 + 1;  // 11
inline constexpr size_t kStftChannels = 2 * kStftBins;  // 11 magnitudes, then 11 phases

// num_samples is a multiple of kStftHop and > kStftSize / 2 (reflection needs that much); frames = num_samples/hop + 1.
inline constexpr size_t StftFrames(size_t num_samples) { return num_samples / kStftHop + 1; }

struct StftOps {
  // dst[i][0..10] = |X|, dst[i][11..21] = angle(X) of frames [first, first + count); dst row 0 is frame `first`.
  // Reflect padding of 10 samples at both ends. The imaginary parts of bins 0 and 10 are exactly +0.0, so their phase
  // is 0 or +pi. Error of X: 40 eps max|x|; of the angle that of math.h plus |error of X| / |X|.
  void (*stft)(const float* samples, size_t num_samples, size_t first, size_t count, float* dst, size_t dst_stride);

  // src [frames][22]: log-magnitude l and phase argument p of each bin (conv_post's output). Spectrum
  // exp(l) e^(i sin(p)), inverse real FFT, window, overlap-add, divided by the sum of squared windows, the centre
  // padding of 10 samples cut off. Writes samples [first, first + count) to dst[0..count), count and first multiples of
  // hop, first + count <= num_samples = 5 (frames - 1); reads frames max(0, first/5 - 1) .. min(frames, (first+count)/5
  // + 2). Same result wherever a long signal is cut. |p| <= 1e4. Error 60 eps max exp(l).
  void (*istft)(const float* src, size_t src_stride, size_t frames, size_t first, size_t count, float* dst);
};

const StftOps* FindStftOps(Target target);

namespace scalar {
extern const StftOps kStftOps;
}

}  // namespace koe::kernels

#endif  // KOE_KERNELS_STFT_STFT_H_
