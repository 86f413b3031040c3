// SPDX-License-Identifier: Apache-2.0
// Adaptive instance norm (Kokoro istftnet.py AdaIN1d): (1 + gamma(s)) * (x - mean) / sqrt(var + 1e-5) + beta(s).
#ifndef KOE_NN_ADAIN_H_
#define KOE_NN_ADAIN_H_

#include <span>

#include "nn/channel_stats.h"
#include "nn/linear.h"

namespace koe::nn {

inline constexpr float kInstanceNormEps = 1e-5f;

class AdaIn {
 public:
  AdaIn() = default;
  // fc: style -> [gamma; beta], 2 x channels outputs.
  explicit AdaIn(Linear fc) : fc_(std::move(fc)) {}
  size_t channels() const { return fc_.out() / 2; }
  // The norm as one affine map per channel, in the exec's arena. The instance norm's own weight and bias are 1 and 0.
  kernels::ChannelAffine Run(const Exec& exec, const ChannelStats& stats, std::span<const float> style) const;

 private:
  Linear fc_;
};

}  // namespace koe::nn

#endif  // KOE_NN_ADAIN_H_
