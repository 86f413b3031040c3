// SPDX-License-Identifier: Apache-2.0
// Kokoro's residual blocks (istftnet.py AdainResBlk1d, AdaINResBlock1) with random weights: once as nn/ builds them,
// once in double as the source reads.
#ifndef KOE_TESTS_SUPPORT_REFERENCE_BLOCKS_H_
#define KOE_TESTS_SUPPORT_REFERENCE_BLOCKS_H_

#include <array>
#include <span>
#include <vector>

#include "nn/residual_blocks.h"
#include "support/reference.h"

namespace koe::test_support {

inline constexpr size_t kTestStyleSize = 128;

// A Linear(style, 2 * channels) as AdaIN1d has it.
struct AdaInWeights {
  explicit AdaInWeights(size_t num_channels);
  nn::AdaIn Make(const kernels::KernelSet& kernels) const;
  // (1 + gamma) * instance_norm(x) + beta, values only. *gain becomes the larger of itself and of the factor by which
  // this norm raises noise power against signal power: the mean over channels of mean square / variance. (One row is
  // its own mean, exactly.)
  Reference Apply(const Reference& x, std::span<const float> style, double* gain) const;

  size_t channels;
  std::vector<float> weight, bias;
};

struct AdainBlockWeights {
  AdainBlockWeights(size_t in, size_t out, bool upsample);
  nn::AdainResidualBlock Make(const kernels::KernelSet& kernels) const;
  Reference Apply(const Reference& x, std::span<const float> style, double* gain) const;

  size_t in, out;
  bool upsample;
  AdaInWeights norm1, norm2;
  std::vector<float> conv1, conv1_bias, conv2, conv2_bias, shortcut, pool, pool_bias;
};

struct SnakeBlockWeights {
  SnakeBlockWeights(size_t channels, size_t taps);
  nn::SnakeResidualBlock Make(const kernels::KernelSet& kernels) const;
  Reference Apply(const Reference& x, std::span<const float> style, double* gain) const;

  struct Half {
    AdaInWeights norm;
    std::vector<float> alpha, conv, bias;
    nn::ConvShape shape;
  };
  size_t channels, taps;
  std::vector<std::array<Half, 2>> layers;  // 3
};

// What float32 must reach over `convolutions` of `terms` products, each behind a norm and an activation: every
// convolution adds an independent noise of at most terms * eps^2 of its output's power (terms roundings, none larger
// than eps of the sum), which the norm behind it raises by at most `norm_gain` and the activation by its slope of 2,
// squared.
double MinBlockSnrDb(size_t convolutions, size_t terms, double norm_gain);

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_REFERENCE_BLOCKS_H_
