// SPDX-License-Identifier: Apache-2.0
#include "stages/decoder/decoder.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "stages/weight_loader.h"

namespace koe::stages {
namespace {

constexpr size_t kText = 512, kWide = 1024, kResidual = 64, kOut = 512;
constexpr size_t kEncodeIn = kText + 2;              // + pitch and energy
constexpr size_t kDecodeIn = kWide + kResidual + 2;  // + text residual, pitch and energy
// Rows of the concatenated inputs start on cache lines.
constexpr size_t kEncodeStride = RoundUp(kEncodeIn, 16), kDecodeStride = RoundUp(kDecodeIn, 16);

template <typename F>
void ForRows(const nn::Exec& exec, size_t rows, F f) {
  constexpr size_t kRowsPerTask = 128;
  exec.pool->ParallelFor(CeilDiv(rows, kRowsPerTask), [&](size_t i, size_t) {
    for (size_t row = i * kRowsPerTask; row < std::min(rows, (i + 1) * kRowsPerTask); ++row) f(row);
  });
}

class DecoderCpu final : public Decoder {
 public:
  explicit DecoderCpu(WeightLoader& loader)
      : f0_conv_(loader.Conv1d("decoder.F0_conv", kHalvingConv)),
        energy_conv_(loader.Conv1d("decoder.N_conv", kHalvingConv)),
        text_residual_(loader.Conv1d("decoder.asr_res.0", {.in = kText, .out = kResidual})),
        encode_(loader.AdainResidualBlock("decoder.encode", kEncodeIn, kWide, false)),
        decode_{loader.AdainResidualBlock("decoder.decode.0", kDecodeIn, kWide, false),
                loader.AdainResidualBlock("decoder.decode.1", kDecodeIn, kWide, false),
                loader.AdainResidualBlock("decoder.decode.2", kDecodeIn, kWide, false),
                loader.AdainResidualBlock("decoder.decode.3", kDecodeIn, kOut, true)} {}

  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const nn::Exec& exec = context.exec;
    const ConstMatrix text = input.aligned_text_features;
    const size_t num_frames = text.rows;
    const size_t num_f0_frames = kF0FramesPerFrame * num_frames;
    if (num_frames == 0 || text.cols != kText || input.f0_hz.size() != num_f0_frames ||
        input.energy.size() != num_f0_frames || input.acoustic_style.size() != kStyleSize) {
      return Error(ErrorCode::kInvalidArgument,
                   "decoder: input: must be [F][512], two curves of 2F and a style of 128");
    }
    const Matrix output = exec.arena->AllocateMatrix(num_f0_frames, kOut);
    const Arena::Scope scope(*exec.arena);
    const auto rows_of = [&](size_t cols, size_t stride) {
      return Matrix(exec.arena->AllocateMatrix(num_frames, stride).data, num_frames, cols, stride);
    };
    const Matrix encode_input = rows_of(kEncodeIn, kEncodeStride);
    ForRows(exec, num_frames, [&](size_t f) { std::copy_n(text.Row(f), kText, encode_input.Row(f)); });
    f0_conv_.Run(exec, ConstMatrix(input.f0_hz.data(), num_f0_frames, 1), {}, encode_input.Cols(kText, 1), {});
    energy_conv_.Run(exec, ConstMatrix(input.energy.data(), num_f0_frames, 1), {}, encode_input.Cols(kText + 1, 1), {});

    // Each block writes the first columns of the next block's input; the rest is the same in all of them.
    std::array<Matrix, 2> inputs = {rows_of(kDecodeIn, kDecodeStride), rows_of(kDecodeIn, kDecodeStride)};
    text_residual_.Run(exec, text, {}, inputs[0].Cols(kWide, kResidual), {});
    ForRows(exec, num_frames, [&](size_t f) {
      std::copy_n(encode_input.Row(f) + kText, 2, inputs[0].Row(f) + kWide + kResidual);
      std::copy_n(inputs[0].Row(f) + kWide, kResidual + 2, inputs[1].Row(f) + kWide);
    });
    encode_.Run(exec, encode_input, input.acoustic_style, inputs[0].Cols(0, kWide));
    for (size_t i = 0; i < decode_.size() && !exec.IsCancelled(); ++i) {
      decode_[i].Run(exec, inputs[i % 2], input.acoustic_style,
                     decode_[i].upsamples() ? output : inputs[(i + 1) % 2].Cols(0, kWide));
    }
    if (exec.IsCancelled()) return CancelledError();
    context.Observe("x_pre", output);
    return Output{output};
  }

 private:
  static constexpr nn::ConvShape kHalvingConv = {.in = 1, .out = 1, .taps = 3, .stride = 2, .padding = 1};
  nn::Conv1d f0_conv_, energy_conv_, text_residual_;
  nn::AdainResidualBlock encode_;
  std::array<nn::AdainResidualBlock, 4> decode_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> MakeDecoderCpu(const bundle::Weights& weights, const kernels::KernelSet& kernels,
                                                const LoadOptions& options) {
  WeightLoader loader(weights, kernels, options);
  return loader.Finish<std::unique_ptr<Decoder>>(std::make_unique<DecoderCpu>(loader));
}

}  // namespace koe::stages
