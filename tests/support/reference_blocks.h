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
  // (1 + gamma) * instance_norm(x) + beta, values only. *noise is the mean square of what the values of x are off by;
  // a norm adds the rounding of each channel's mean and divides by its variance. (One row is its own mean, exactly.)
  Reference Apply(const Reference& x, std::span<const float> style, double* noise) const;

  size_t channels;
  std::vector<float> weight, bias;
};

struct AdainBlockWeights {
  AdainBlockWeights(size_t in, size_t out, bool upsample);
  nn::AdainResidualBlock Make(const kernels::KernelSet& kernels) const;
  Reference Apply(const Reference& x, std::span<const float> style, double* noise) const;

  size_t in, out;
  bool upsample;
  AdaInWeights norm1, norm2;
  std::vector<float> conv1, conv1_bias, conv2, conv2_bias, shortcut, pool, pool_bias;
};

struct SnakeBlockWeights {
  SnakeBlockWeights(size_t channels, size_t taps);
  nn::SnakeResidualBlock Make(const kernels::KernelSet& kernels) const;
  Reference Apply(const Reference& x, std::span<const float> style, double* noise) const;

  struct Half {
    AdaInWeights norm;
    std::vector<float> alpha, conv, bias;
    nn::ConvShape shape;
  };
  size_t channels, taps;
  std::vector<std::array<Half, 2>> layers;  // 3
};

// The Apply functions of blocks follow the noise of float32 beside the values, *noise being 0 before: a convolution of
// `terms` products rounds at most that often, each time by at most eps of a sum whose mean square is that of a sum of
// independent products, mean square of the input times squares of the weights, and passes on what its input brings in
// the same way; a norm divides by the variance; an activation multiplies by the square of its greatest slope (2 for
// Snake, 1 for the leaky one). Roundings are taken as independent. This is the ratio of want's mean square to that
// noise.
double MinBlockSnrDb(const Reference& want, double noise);

}  // namespace koe::test_support

#endif  // KOE_TESTS_SUPPORT_REFERENCE_BLOCKS_H_
