// SPDX-License-Identifier: Apache-2.0
#include "nn/adain.h"

namespace koe::nn {

kernels::ChannelAffine AdaIn::Run(const Exec& exec, const ChannelStats& stats, std::span<const float> style) const {
  const size_t c = channels();
  const std::span<float> gamma_beta = exec.arena->Allocate<float>(2 * c);
  const std::span<float> mean = exec.arena->Allocate<float>(c);
  const std::span<float> scale = exec.arena->Allocate<float>(c);
  const kernels::ChannelAffine affine{mean.data(), scale.data(), gamma_beta.data() + c};
  fc_.Run(exec, style, gamma_beta);
  if (exec.CountsOnly()) return affine;
  stats.Finish(kInstanceNormEps, mean, scale);
  for (size_t i = 0; i < c; ++i) scale[i] *= 1.0f + gamma_beta[i];
  return affine;
}

}  // namespace koe::nn
