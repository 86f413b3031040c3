// SPDX-License-Identifier: Apache-2.0
// The two residual blocks with adaptive instance norm of Kokoro's istftnet.py.
#ifndef KOE_NN_RESIDUAL_BLOCKS_H_
#define KOE_NN_RESIDUAL_BLOCKS_H_

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "nn/adain.h"
#include "nn/conv1d.h"

namespace koe::nn {

// AdainResBlk1d (decoder and prosody): AdaIN, leaky ReLU 0.2, convolution, twice, plus a shortcut, over sqrt(2).
class AdainResidualBlock {
 public:
  struct Parts {
    AdaIn norm1, norm2;
    Conv1d conv1, conv2;
    std::optional<Conv1d> shortcut;  // 1x1 without bias, where the channels change
    // Depthwise transposed convolution that doubles the length: weight [3][channels], bias [channels]; or empty.
    std::vector<float> pool_weight, pool_bias;
  };
  AdainResidualBlock() = default;
  explicit AdainResidualBlock(Parts parts) : parts_(std::move(parts)) {}

  bool upsamples() const { return !parts_.pool_weight.empty(); }
  size_t in() const { return parts_.conv1.shape().in; }
  size_t out() const { return parts_.conv2.shape().out; }
  size_t OutputRows(size_t rows) const { return upsamples() ? 2 * rows : rows; }

  // x [T][in] -> y [OutputRows(T)][out]; y must not overlap x. style [128].
  void Run(const Exec& exec, ConstMatrix x, std::span<const float> style, Matrix y) const;

 private:
  Parts parts_;
};

// What a sum of blocks makes of a block's output: (output + addend) * scale. addend is empty or may be y itself.
struct BlockSum {
  ConstMatrix addend = {};
  float scale = 1;
};

// AdaINResBlock1 (generator): three times AdaIN, Snake, dilated convolution, AdaIN, Snake, convolution, residual.
class SnakeResidualBlock {
 public:
  struct Layer {
    AdaIn norm1, norm2;
    std::vector<float> alpha1, alpha2;
    Conv1d conv1, conv2;
  };
  SnakeResidualBlock() = default;
  explicit SnakeResidualBlock(std::array<Layer, 3> layers);

  // x [T][C] with its statistics -> y [T][C]; y must not overlap x.
  void Run(const Exec& exec, ConstMatrix x, const ChannelStats& x_stats, std::span<const float> style, Matrix y,
           const BlockSum& sum = {}) const;

 private:
  std::array<Layer, 3> layers_;
  std::array<std::array<std::vector<float>, 2>, 3> inv_alpha_;
};

}  // namespace koe::nn

#endif  // KOE_NN_RESIDUAL_BLOCKS_H_
