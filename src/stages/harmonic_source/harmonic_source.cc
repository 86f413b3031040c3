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
    for (const float f0 : input.f0_hz) {
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
    for (size_t h = 0; h < kHarmonics; ++h) {
      double sum = 0;
      for (size_t f = 0; f < num_frames; ++f) {
        const double step = static_cast<double>(input.f0_hz[f]) * static_cast<double>(h + 1) / kSampleRateHz;
        sum += step - std::floor(step);
        phase[h * num_frames + f] = sum * static_cast<double>(kSamplesPerF0Frame);
      }
    }
    const size_t slots = exec.pool->num_threads();
    const std::span<double> cycles_of_slots = exec.arena->Allocate<double>(slots * kBlockSamples);
    const std::span<float> scratch_of_slots = exec.arena->Allocate<float>(slots * 2 * kBlockSamples);
    exec.pool->ParallelFor(CeilDiv(source.size(), kBlockSamples), [&](size_t block, size_t slot) {
      if (exec.IsCancelled()) return;
      const size_t first = block * kBlockSamples;
      const std::span<float> dst = source.subspan(first, std::min(kBlockSamples, source.size() - first));
      const std::span<double> cycles = cycles_of_slots.subspan(slot * kBlockSamples, dst.size());
      const std::span<float> sine = scratch_of_slots.subspan(slot * 2 * kBlockSamples, dst.size());
      const std::span<float> noise = scratch_of_slots.subspan((slot * 2 + 1) * kBlockSamples, dst.size());
      std::fill(dst.begin(), dst.end(), bias_[0]);
      std::fill(noise.begin(), noise.end(), 0.0f);
      for (size_t h = 0; h < kHarmonics; ++h) {
        InterpolatePhase(phase.subspan(h * num_frames, num_frames), first, cycles);
        exec.kernels->math.sin_cycles(cycles.data(), cycles.size(), sine.data());
        if (input.noise_scale != 0) FillNormal(input.seed, static_cast<uint32_t>(h), first, noise);
        for (size_t i = 0; i < dst.size(); ++i) {
          const bool voiced = input.f0_hz[(first + i) / kSamplesPerF0Frame] > kVoicedThresholdHz;
          const float amplitude = input.noise_scale * (voiced ? kVoicedNoise : kUnvoicedNoise);
          dst[i] += weights_[h] * ((voiced ? kSineAmplitude * sine[i] : 0.0f) + amplitude * noise[i]);
        }
      }
      exec.kernels->math.tanh(dst.data(), dst.size(), dst.data());
    });
  }

  // Linear interpolation between frame centres (half-pixel: the centre of frame f is at sample 300 f + 149.5), held
  // before the first and after the last.
  static void InterpolatePhase(std::span<const double> phase, size_t first, std::span<double> cycles) {
    const size_t last_frame = phase.size() - 1;
    for (size_t i = 0; i < cycles.size(); ++i) {
      const double position = (static_cast<double>(first + i) + 0.5) / static_cast<double>(kSamplesPerF0Frame) - 0.5;
      const double floor = std::max(0.0, std::floor(position));
      const size_t low = static_cast<size_t>(floor);
      const size_t high = std::min(low + 1, last_frame);
      const double fraction = std::clamp(position - floor, 0.0, 1.0);
      cycles[i] = phase[low] * (1 - fraction) + phase[high] * fraction;
    }
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
