// SPDX-License-Identifier: Apache-2.0
// Convolutions over time with everything around them in one pass over memory: the activation while the input tile is
// packed, bias, residual, scale and the next norm's statistics while the output tile is in cache.
#ifndef KOE_NN_CONV1D_H_
#define KOE_NN_CONV1D_H_

#include <cstddef>
#include <span>
#include <vector>

#include "base/array.h"
#include "kernels/conv_plan.h"
#include "nn/channel_stats.h"
#include "nn/exec.h"
#include "nn/packed_weights.h"

namespace koe::nn {

// Applied to the input before the zero padding, as PyTorch pads the activated signal.
struct ConvPrologue {
  enum class Kind { kNone, kLeakyRelu, kLeakyReluAffine, kSnakeAffine };
  Kind kind = Kind::kNone;
  float slope = 0;                     // leaky ReLU
  kernels::ChannelAffine affine = {};  // the ...Affine kinds
  const float* alpha = nullptr;        // Snake
  const float* inv_alpha = nullptr;
};

// y = (conv(prologue(x)) + bias + residual + addend) * scale
struct ConvEpilogue {
  ConstMatrix residual = {};      // empty, or the output's shape; may be the output itself
  ConstMatrix addend = {};        // the same again; only with a residual
  float scale = 1;                // only with a residual
  ChannelStats* stats = nullptr;  // gathers the statistics of y where given
};

struct ConvShape {
  size_t in = 0, out = 0, taps = 1, dilation = 1, stride = 1, padding = 0;
  size_t OutputRows(size_t rows) const { return (rows + 2 * padding - dilation * (taps - 1) - 1) / stride + 1; }
};

// torch.nn.Conv1d with groups = 1. Immutable after construction; holds the packed weights.
class Conv1d {
 public:
  Conv1d() = default;
  // weight [out][in][taps] as PyTorch stores it; bias [out] or empty. A plan that is not direct needs a stride of 1.
  // The pool, where given, shares the packing. Weights that the plan does not transform here stay in their own type.
  Conv1d(const kernels::KernelSet& kernels, const WeightView& weight, std::span<const float> bias,
         const ConvShape& shape, const kernels::ConvPlan& plan = {}, ThreadPool* pool = nullptr);

  // x [T][in] -> y [shape.OutputRows(T)][out]; y must not overlap x. epilogue.stats has blocks of stats_rows() rows.
  void Run(const Exec& exec, ConstMatrix x, const ConvPrologue& prologue, Matrix y, const ConvEpilogue& epilogue) const;

  const ConvShape& shape() const { return shape_; }
  // Memory that the packed weights hold.
  size_t WeightBytes() const { return stored_.bytes() + (transformed_.size() + bias_.size()) * sizeof(float); }
  // Rows of a block of statistics that is complete where a task of this convolution ends.
  size_t stats_rows() const;

 private:
  struct TileRun;
  void RunDirect(const Exec& exec, ConstMatrix x, const ConvPrologue& prologue, Matrix y,
                 const ConvEpilogue& epilogue) const;
  void RunTiles(const Exec& exec, ConstMatrix x, const ConvPrologue& prologue, Matrix y,
                const ConvEpilogue& epilogue) const;

  // One panel of the transformed weights, in whole numbers.
  void PackFixed(const kernels::KernelSet& kernels, const float* weight, size_t panel);

  kernels::ConvPlan plan_;
  ConvShape shape_;
  // The one that a direct convolution takes, in the exec's arena where it has to be made.
  const float* DirectWeights(const Exec& exec) const;
  // The transformed ones, in the exec's arena where every run makes them.
  const float* TileWeights(const Exec& exec) const;
  // One stored panel in float32 for every thread, and a panel in its thread's place.
  std::span<float> AllocatePanels(const Exec& exec) const;
  const float* StoredPanel(const Exec& exec, size_t panel, size_t slot, std::span<float> panels) const;

  PackedWeights stored_;              // of plans that do not transform at load
  AlignedBuffer<float> transformed_;  // of the others
  std::vector<float> filter_;         // for transforming panel by panel
  std::vector<double> exact_filter_;  // for transforming all of them, as at load
  AlignedBuffer<float> bias_;
};

// torch.nn.ConvTranspose1d with groups = 1, taps = 2 * stride and padding = stride / 2: T rows become stride * T.
// Computed as one two-tap convolution whose output channels are (phase, channel) pairs, so that a row of the product is
// `stride` consecutive output rows.
class ConvTranspose1d {
 public:
  ConvTranspose1d() = default;
  // weight [in][out][2*stride] as PyTorch stores it; bias [out].
  // plan: for two taps.
  ConvTranspose1d(const kernels::KernelSet& kernels, std::span<const float> weight, std::span<const float> bias,
                  size_t in, size_t out, size_t stride, const kernels::ConvPlan& plan = {});
  size_t WeightBytes() const { return phases_.WeightBytes(); }

  // Where Run puts its result for `rows` rows of input, in the exec's arena.
  Matrix AllocateProduct(const Exec& exec, size_t rows) const {
    return exec.arena->AllocateMatrix(rows + 1, stride_ * out_);
  }
  // Returns [stride*T][out] within `product`; at least stride/2 writable rows of it stand before and after.
  Matrix Run(const Exec& exec, ConstMatrix x, const ConvPrologue& prologue, Matrix product) const;

 private:
  Conv1d phases_;
  size_t out_ = 0, stride_ = 1;
};

}  // namespace koe::nn

#endif  // KOE_NN_CONV1D_H_
