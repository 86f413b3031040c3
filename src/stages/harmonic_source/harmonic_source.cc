// SPDX-License-Identifier: Apache-2.0
#include "stages/harmonic_source/harmonic_source.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/rng.h"
#include "stages/weight_loader.h"

namespace koe::stages {
namespace {

constexpr double kSampleRateHz = 24000;
constexpr float kVoicedThresholdHz = 10.0f;
constexpr float kSineAmplitude = 0.1f;
constexpr float kVoicedNoise = 0.003f;
constexpr float kUnvoicedNoise = kSineAmplitude / 3;
constexpr size_t kBlockSamples = 4096;
constexpr size_t kFramesPerTask = 1024;

class HarmonicSourceCpu final : public HarmonicSource {
 public:
  explicit HarmonicSourceCpu(WeightLoader& loader)
      : weights_(loader.Floats("decoder.generator.m_source.l_linear.weight", kHarmonics)),
        bias_(loader.Floats("decoder.generator.m_source.l_linear.bias", 1)) {}

  Result<Output> Run(const Input& input, const StageContext& context) const override {
    const nn::Exec& exec = context.exec;
    const size_t num_samples = input.f0_hz.size() * kSamplesPerF0Frame;
    if (input.f0_hz.empty() || (!input.source.empty() && input.source.size() != num_samples)) {
      return Error(ErrorCode::kInvalidArgument, "harmonic source: input: must be [2F] and a source of 600F or none");
    }
    for (const float f0 : exec.CountsOnly() ? std::span<const float>() : input.f0_hz) {
      if (!std::isfinite(f0)) return Error(ErrorCode::kInternal, "harmonic source: pitch: not finite");
    }
    std::span<const float> source = input.source;
    if (source.empty()) {
      const std::span<float> made = exec.arena->Allocate<float>(num_samples);
      MakeSource(exec, input, made);
      source = made;
    }
    context.Observe("har_source", ConstMatrix(source.data(), num_samples, 1));

    const size_t num_frames = kernels::StftFrames(num_samples);
    const Matrix excitation = exec.arena->AllocateMatrix(num_frames, kernels::kStftChannels);
    exec.pool->ParallelFor(CeilDiv(num_frames, kFramesPerTask), [&](size_t i, size_t) {
      const size_t first = i * kFramesPerTask;
      exec.kernels->stft.stft(source.data(), num_samples, first, std::min(kFramesPerTask, num_frames - first),
                              excitation.Row(first), excitation.stride);
    });
    if (exec.IsCancelled()) return CancelledError();
    context.Observe("har", excitation);
    return Output{source, excitation};
  }

 private:
  void MakeSource(const nn::Exec& exec, const Input& input, std::span<float> source) const {
    const Arena::Scope scope(*exec.arena);
    const size_t num_frames = input.f0_hz.size();
    // Phase at the centre of each F0 frame, in cycles: 300 samples of the frame's frequency after the previous one.
    const std::span<double> phase = exec.arena->Allocate<double>(kHarmonics * num_frames);
    for (size_t h = 0; h < kHarmonics && !exec.CountsOnly(); ++h) {
      double sum = 0;
      for (size_t f = 0; f < num_frames; ++f) {
        const double step = static_cast<double>(input.f0_hz[f]) * static_cast<double>(h + 1) / kSampleRateHz;
        sum += step - std::floor(step);
        phase[h * num_frames + f] = sum * static_cast<double>(kSamplesPerF0Frame);
      }
    }
    const std::span<float> noise_of_slots = exec.arena->Allocate<float>(exec.pool->num_threads() * kBlockSamples);
    exec.pool->ParallelFor(CeilDiv(source.size(), kBlockSamples), [&](size_t block, size_t slot) {
      if (exec.IsCancelled()) return;
      const size_t first = block * kBlockSamples;
      const std::span<float> dst = source.subspan(first, std::min(kBlockSamples, source.size() - first));
      const std::span<float> noise = noise_of_slots.subspan(slot * kBlockSamples, dst.size());
      const bool has_noise = input.noise_scale != 0;
      std::fill(dst.begin(), dst.end(), bias_[0]);
      for (size_t h = 0; h < kHarmonics; ++h) {
        if (has_noise) {
          exec.kernels->excitation.normal(input.seed, static_cast<uint32_t>(h), first, noise.size(), noise.data());
        }
        for (size_t at = 0; at < dst.size();) {
          const Piece piece = PieceAt(phase.subspan(h * num_frames, num_frames), first + at);
          const bool voiced = input.f0_hz[piece.frame] > kVoicedThresholdHz;
          const size_t count = std::min(piece.end - (first + at), dst.size() - at);
          exec.kernels->excitation.add_harmonic(
              {.start = piece.start,
               .step = piece.step,
               .sine_scale = voiced ? weights_[h] * kSineAmplitude : 0.0f,
               .noise = has_noise ? noise.data() + at : nullptr,
               .noise_scale = weights_[h] * input.noise_scale * (voiced ? kVoicedNoise : kUnvoicedNoise),
               .count = count,
               .dst = dst.data() + at});
          at += count;
        }
      }
      exec.kernels->math.tanh(dst.data(), dst.size(), dst.data());
    });
  }

  // From a sample to the end of the half frame that it is in: one frame's pitch, and a phase that runs evenly.
  struct Piece {
    size_t frame, end;
    double start, step;  // phase at the sample, in cycles; whole cycles are left out
  };
  // Linear interpolation between frame centres (half-pixel: the centre of frame f is at sample 300 f + 149.5), held
  // before the first and after the last.
  static Piece PieceAt(std::span<const double> phase, size_t sample) {
    constexpr size_t kHalf = kSamplesPerF0Frame / 2;
    Piece piece{sample / kSamplesPerF0Frame, (sample / kHalf + 1) * kHalf, 0, 0};
    const size_t low = sample < kHalf ? 0 : (sample - kHalf) / kSamplesPerF0Frame;
    piece.start = phase[low] - std::floor(phase[low]);
    if (sample >= kHalf && low + 1 < phase.size()) {
      const size_t after = sample - kHalf - low * kSamplesPerF0Frame;  // the centre, which lies between two samples
      piece.step = (phase[low + 1] - phase[low]) / static_cast<double>(kSamplesPerF0Frame);
      piece.start += (static_cast<double>(after) + 0.5) * piece.step;
    }
    return piece;
  }

  std::vector<float> weights_, bias_;
};

}  // namespace

Result<std::unique_ptr<HarmonicSource>> MakeHarmonicSourceCpu(const bundle::Weights& weights,
                                                              const kernels::KernelSet& kernels) {
  WeightLoader loader(weights, kernels);
  return loader.Finish<std::unique_ptr<HarmonicSource>>(std::make_unique<HarmonicSourceCpu>(loader));
}

}  // namespace koe::stages
