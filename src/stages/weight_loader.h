// SPDX-License-Identifier: Apache-2.0
// From the bundle's stored tensors to nn blocks. Used only while a stage is made.
#ifndef KOE_STAGES_WEIGHT_LOADER_H_
#define KOE_STAGES_WEIGHT_LOADER_H_

#include <list>
#include <span>
#include <string>
#include <vector>

#include "bundle/weights.h"
#include "nn/adain.h"
#include "nn/conv1d.h"
#include "nn/linear.h"
#include "nn/lstm.h"
#include "nn/packed_weights.h"
#include "nn/residual_blocks.h"
#include "stages/stage.h"

namespace koe::stages {

// Names are the official checkpoint's without ".weight". A name that is not in the table, or has another size than
// asked for, is a bug here (the bundle has been checked against the table): the first is remembered, and Finish
// returns it instead of the stage.
class WeightLoader {
 public:
  WeightLoader(const bundle::Weights& weights, const kernels::KernelSet& kernels, const LoadOptions& options = {})
      : weights_(weights), kernels_(kernels), options_(options) {}

  // The tensor as it is stored, row-major; `size` elements.
  nn::WeightView View(const std::string& name, size_t size);
  // The same as float32.
  std::vector<float> Floats(const std::string& name, size_t size);
  nn::Linear Linear(const std::string& name, size_t in, size_t out);
  nn::Conv1d Conv1d(const std::string& name, const nn::ConvShape& shape, bool has_bias = true);
  nn::ConvTranspose1d ConvTranspose1d(const std::string& name, size_t in, size_t out, size_t stride);
  nn::BiLstm BiLstm(const std::string& name, size_t in, size_t hidden);
  nn::AdaIn AdaIn(const std::string& name, size_t channels);
  nn::AdainResidualBlock AdainResidualBlock(const std::string& name, size_t in, size_t out, bool upsample);
  nn::SnakeResidualBlock SnakeResidualBlock(const std::string& name, size_t channels, size_t taps);

  const kernels::KernelSet& kernels() const { return kernels_; }
  // The stage, or the first error met while its parts were loaded.
  template <typename T, typename U>
  Result<T> Finish(U stage) {
    if (!error_.empty()) return Error(ErrorCode::kInternal, "weights: " + error_);
    if (IsCancelled()) return CancelledError();
    if (options_.weight_bytes != nullptr) *options_.weight_bytes += weight_bytes_;
    return T(std::move(stage));
  }

 private:
  // Then blocks are left empty.
  bool IsCancelled() const {
    return options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed);
  }
  // Of what is not a convolution's.
  nn::WeightStorage Storage() const {
    return options_.convolutions == kernels::ConvPreset::kLowMemory ? nn::WeightStorage::kAsStored
                                                                    : nn::WeightStorage::kFloat;
  }

  const bundle::Weights& weights_;
  const kernels::KernelSet& kernels_;
  const LoadOptions options_;
  std::list<std::vector<float>> zeros_;  // what stands for tensors that are not there
  // A block that was made, counted.
  template <typename Block>
  Block Counted(Block block) {
    weight_bytes_ += block.WeightBytes();
    return block;
  }

  size_t weight_bytes_ = 0;  // of the blocks; single vectors are left out
  std::string error_;
};

}  // namespace koe::stages

#endif  // KOE_STAGES_WEIGHT_LOADER_H_
