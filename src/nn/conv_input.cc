// SPDX-License-Identifier: Apache-2.0
#include "nn/conv_input.h"

#include <algorithm>

namespace koe::nn {
namespace {

void Activate(const kernels::KernelSet& kernels, const ConvPrologue& prologue, ConstMatrix x, Matrix y) {
  const auto& ops = kernels.activation;
  switch (prologue.kind) {
    case ConvPrologue::Kind::kNone:
      for (size_t t = 0; t < x.rows; ++t) std::copy_n(x.Row(t), x.cols, y.Row(t));
      break;
    case ConvPrologue::Kind::kLeakyRelu:
      for (size_t t = 0; t < x.rows; ++t) ops.leaky_relu(x.Row(t), x.cols, prologue.slope, y.Row(t));
      break;
    case ConvPrologue::Kind::kLeakyReluAffine:
      ops.leaky_relu_affine(x.data, x.stride, x.rows, x.cols, prologue.affine, prologue.slope, y.data, y.stride);
      break;
    case ConvPrologue::Kind::kSnakeAffine:
      ops.snake_affine(x.data, x.stride, x.rows, x.cols, prologue.affine, prologue.alpha, prologue.inv_alpha, y.data,
                       y.stride);
      break;
  }
}

}  // namespace

void FillConvInput(const kernels::KernelSet& kernels, const ConvPrologue& prologue, ConstMatrix x, ptrdiff_t first,
                   Matrix tile) {
  const ptrdiff_t begin = std::clamp<ptrdiff_t>(-first, 0, static_cast<ptrdiff_t>(tile.rows));
  const ptrdiff_t end =
      std::clamp<ptrdiff_t>(static_cast<ptrdiff_t>(x.rows) - first, begin, static_cast<ptrdiff_t>(tile.rows));
  std::fill_n(tile.data, static_cast<size_t>(begin) * tile.stride, 0.0f);
  if (end > begin) {
    Activate(kernels, prologue, x.Rows(static_cast<size_t>(first + begin), static_cast<size_t>(end - begin)),
             tile.Rows(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
  }
  std::fill_n(tile.Row(static_cast<size_t>(end)), (tile.rows - static_cast<size_t>(end)) * tile.stride, 0.0f);
}

}  // namespace koe::nn
