// SPDX-License-Identifier: Apache-2.0
#include "kernels/pointwise_bench.h"

namespace koe::kernels {
namespace {

// One audio second; "items" are frames.
const bool kRegistered = [] {
  const size_t num_samples = 24000, frames = StftFrames(num_samples);
  float* samples = BenchNormal(num_samples, 0, 0.1f);
  float* spectrum = BenchNormal(frames * kStftChannels, 0, 1);
  float* source = BenchNormal(frames * kStftChannels, -2, 1);
  const size_t bytes = (num_samples + frames * kStftChannels) * sizeof(float);
  RegisterPerTarget("stft/24000", frames, bytes,
                    [=](const KernelSet& k) { k.stft.stft(samples, num_samples, 0, frames, spectrum, kStftChannels); });
  float* dst = BenchNormal(num_samples, 0, 0);
  return RegisterPerTarget("istft/24000", frames, bytes, [=](const KernelSet& k) {
    k.stft.istft(source, kStftChannels, frames, 0, num_samples, dst);
  });
}();

}  // namespace
}  // namespace koe::kernels
