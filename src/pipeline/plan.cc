// SPDX-License-Identifier: Apache-2.0
#include "pipeline/plan.h"

#include <algorithm>
#include <string>
#include <utility>

namespace koe::pipeline {
namespace {

template <typename T>
Result<void> Place(Result<std::unique_ptr<T>> made, std::unique_ptr<T>* place) {
  KOE_TRY(*place, std::move(made));
  return {};
}

// kFast is for the generator, three quarters of the time. What is before it decides durations and pitch, whose smallest
// errors add up over the utterance in the phase of the harmonic source.
kernels::ConvPreset ConvolutionsOf(Precision precision, StageId stage) {
  switch (precision) {
    case Precision::kExact:
      break;
    case Precision::kFast:
      return stage == StageId::kGenerator ? kernels::ConvPreset::kFast : kernels::ConvPreset::kExact;
    case Precision::kLowMemory:
      return kernels::ConvPreset::kLowMemory;
  }
  return kernels::ConvPreset::kExact;
}

// Runs every stage at its native length.
class Cpu final : public Device {
 public:
  const char* name() const override { return "cpu"; }
  StaticBuckets buckets() const override { return {}; }
  bool Offers(StageId, Precision precision) const override {
    return precision == Precision::kExact || precision == Precision::kFast || precision == Precision::kLowMemory;
  }

  Result<void> Make(StageId stage, Precision precision, const DeviceResources& r, Model* model) const override {
    if (!Offers(stage, precision)) {
      return Error(ErrorCode::kUnsupported, std::string("stage: ") + StageName(stage) + ": not at this precision");
    }
    const stages::LoadOptions options{.convolutions = ConvolutionsOf(precision, stage),
                                      .pool = r.pool,
                                      .weight_bytes = r.weight_bytes,
                                      .cancelled = r.cancelled};
    switch (stage) {
      case StageId::kTokens:
        model->tokens = stages::MakeTokensCpu(r.vocabulary);
        return {};
      case StageId::kDuration:
        return Place(stages::MakeDurationCpu(*r.weights, *r.kernels, options), &model->duration);
      case StageId::kAlignment:
        model->alignment = stages::MakeAlignmentCpu();
        return {};
      case StageId::kProsody:
        return Place(stages::MakeProsodyCpu(*r.weights, *r.kernels, options), &model->prosody);
      case StageId::kDecoder:
        return Place(stages::MakeDecoderCpu(*r.weights, *r.kernels, options), &model->decoder);
      case StageId::kHarmonicSource:
        return Place(stages::MakeHarmonicSourceCpu(*r.weights, *r.kernels), &model->harmonic_source);
      case StageId::kGenerator:
        return Place(stages::MakeGeneratorCpu(*r.weights, *r.kernels, options), &model->generator);
    }
    return Error(ErrorCode::kInternal, "stage: unknown");
  }
};

}  // namespace

const char* StageName(StageId stage) {
  switch (stage) {
    case StageId::kTokens:
      return "tokens";
    case StageId::kDuration:
      return "duration";
    case StageId::kAlignment:
      return "alignment";
    case StageId::kProsody:
      return "prosody";
    case StageId::kDecoder:
      return "decoder";
    case StageId::kHarmonicSource:
      return "harmonic_source";
    case StageId::kGenerator:
      return "generator";
  }
  return "unknown";
}

const Device& CpuDevice() {
  static const Cpu cpu;
  return cpu;
}

std::span<const Device* const> Devices() {
  static const Device* const devices[] = {&CpuDevice()};
  return devices;
}

const char* PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kExact:
      return "exact";
    case Precision::kFast:
      return "fast";
    case Precision::kLowMemory:
      return "low-memory";
  }
  return "unknown";
}

Result<Plan> MakePlan(Precision precision, int num_threads) {
  Plan plan{};
  for (size_t i = 0; i < kStages.size(); ++i) {
    const auto devices = Devices();
    const auto device =
        std::find_if(devices.begin(), devices.end(), [&](const Device* d) { return d->Offers(kStages[i], precision); });
    if (device == devices.end()) {
      return Error(ErrorCode::kUnsupported, std::string("precision: ") + PrecisionName(precision) +
                                                ": no device offers the stage " + StageName(kStages[i]));
    }
    plan[i] = {kStages[i], *device, precision, num_threads};
  }
  return plan;
}

Result<Model> LoadModel(const Plan& plan, const DeviceResources& resources, ThreadPool& pool) {
  Model model;
  DeviceResources shared = resources;
  shared.pool = &pool;
  std::atomic<size_t> weight_bytes{0};
  shared.weight_bytes = &weight_bytes;
  std::array<Result<void>, kStages.size()> results;
  // The largest first: with two threads they end at about the same time.
  constexpr std::array<size_t, kStages.size()> kLargestFirst = {4, 6, 1, 3, 5, 0, 2};
  pool.ParallelFor(plan.size(), [&](size_t i, size_t) {
    const Placement& placement = plan[kLargestFirst[i]];
    results[kLargestFirst[i]] = placement.device->Make(placement.stage, placement.precision, shared, &model);
  });
  for (const auto& result : results) KOE_CHECK_OK(result);
  model.weight_bytes = weight_bytes;
  model.saves_memory = std::any_of(plan.begin(), plan.end(), [](const Placement& placement) {
    return placement.precision == Precision::kLowMemory;
  });
  return model;
}

}  // namespace koe::pipeline
