// SPDX-License-Identifier: Apache-2.0
#include "devices/onnx_device.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "bundle/manifests/sdk.h"
#include "devices/coreml/compute_policy.h"
#include "devices/coreml/coreml_runtime.h"
#include "devices/native_pitch.h"
#include "devices/onnx_stages.h"

namespace koe::devices {
namespace {

using pipeline::DeviceResources;
using pipeline::StageId;

constexpr const char* kName = "onnx:cpu";

struct Placeable {
  StageId id;
  OnnxStage stage;
  ComputeUnits ComputePolicy::*units;
};
constexpr std::array<Placeable, 4> kPlaceable = {
    {{StageId::kDuration, OnnxStage::kDuration, &ComputePolicy::duration},
     {StageId::kProsody, OnnxStage::kProsody, &ComputePolicy::prosody},
     {StageId::kDecoder, OnnxStage::kDecoder, &ComputePolicy::decoder},
     {StageId::kGenerator, OnnxStage::kGenerator, &ComputePolicy::generator}}};

class OnnxDevice final : public pipeline::Device {
 public:
  OnnxDevice(std::string name, std::shared_ptr<const OnnxFolder> folder, bool places_pitch)
      : name_(std::move(name)), folder_(std::move(folder)), places_pitch_(places_pitch) {}
  const char* name() const override { return name_.c_str(); }
  pipeline::StaticBuckets buckets() const override { return folder_->buckets(); }
  bool Offers(StageId id, Precision precision) const override {
    return precision == Precision::kExact && std::any_of(kPlaceable.begin(), kPlaceable.end(), [&](const Placeable& p) {
             return p.id == id && !folder_->sizes(p.stage).empty();
           });
  }

  Result<void> Make(StageId stage, Precision precision, const DeviceResources& resources,
                    pipeline::Model* model) const override {
    if (!Offers(stage, precision)) {
      return Error(ErrorCode::kUnsupported, std::string("stage: ") + pipeline::StageName(stage) + ": not on " + name_);
    }
    // What gives the pitch is made first, in the same place, where it stays native.
    if (!places_pitch_ && (stage == StageId::kDuration || stage == StageId::kProsody)) {
      KOE_CHECK_OK(pipeline::CpuDevice().Make(stage, precision, resources, model));
    }
    const auto put = [&](auto placed, auto* place) {
      *place = *place == nullptr ? std::move(placed) : WithNativePitch(std::move(placed), std::move(*place));
    };
    if (stage == StageId::kDuration) put(MakeOnnxDuration(folder_), &model->duration);
    if (stage == StageId::kProsody) put(MakeOnnxProsody(folder_), &model->prosody);
    if (stage == StageId::kDecoder) model->decoder = MakeOnnxDecoder(folder_);
    if (stage == StageId::kGenerator) model->generator = MakeOnnxGenerator(folder_);
    return {};
  }

 private:
  const std::string name_;
  std::shared_ptr<const OnnxFolder> folder_;
  const bool places_pitch_;
};

Error BadPlace(const std::string& place, const std::string& why) {
  return Error(ErrorCode::kInvalidArgument, "place: '" + place + "': " + why);
}

std::string DeviceOf(const std::string& place) {
  const size_t equals = place.find('=');
  return equals == std::string::npos ? "" : place.substr(equals + 1);
}
bool IsCoreMl(const std::string& device) { return device.starts_with("coreml"); }

// For each of kPlaceable, and for the pitch behind them, what placed it; empty: it is native.
using Chosen = std::array<std::string, kPlaceable.size() + 1>;

Result<Chosen> Choose(const std::vector<std::string>& places) {
  Chosen chosen;
  for (const std::string& place : places) {
    const size_t equals = place.find('=');
    const std::string stage = place.substr(0, equals);
    const std::string where = DeviceOf(place);
    if (where != kName && where != "cpu" && !(IsCoreMl(where) && ParseComputePolicy(where))) {
      return BadPlace(place, "must be STAGE=onnx:cpu, STAGE=coreml[:cpu|gpu|ane|all] or STAGE=cpu");
    }
    bool found = false;
    for (size_t i = 0; i < chosen.size(); ++i) {
      const bool is_pitch = i == kPlaceable.size();
      if (stage != (is_pitch ? "pitch" : pipeline::StageName(kPlaceable[i].id)) && (stage != "all" || is_pitch)) {
        continue;
      }
      chosen[i] = where != "cpu" ? place : "";
      found = true;
    }
    if (!found) {
      return BadPlace(place,
                      "must name all, duration, prosody, decoder, generator or pitch; the rest is always native");
    }
  }
  return chosen;
}

// The models, opened one by one when they are needed.
Result<std::shared_ptr<const OnnxFolder>> OpenFolder(const Chosen& chosen, bool on_core_ml,
                                                     const std::string& models_dir, int num_threads) {
  if (!on_core_ml) {
    KOE_TRY(auto runtime, OnnxRuntime::Load(""));
    return OnnxFolder::Open(std::move(runtime), models_dir, num_threads);
  }
  ComputePolicy policy = kDefaultPolicy;
  for (size_t i = 0; i < kPlaceable.size(); ++i) {
    if (chosen[i].empty()) continue;
    KOE_TRY(const ComputePolicy named, ParseComputePolicy(DeviceOf(chosen[i])));
    policy.*kPlaceable[i].units = named.*kPlaceable[i].units;
  }
  KOE_TRY(auto runtime, MakeCoreMlRuntime(models_dir, "", policy));
  return OnnxFolder::Open(std::move(runtime), models_dir + "/" + bundle::kSdkPackageFolder, num_threads,
                          bundle::kSdkPackageEnd);
}

}  // namespace

Result<PlacedStages> PlaceStages(const std::vector<std::string>& places, const std::string& models_dir, int num_threads,
                                 pipeline::Plan* plan) {
  KOE_TRY(const Chosen chosen, Choose(places));
  const std::string& pitch = chosen.back();
  const auto first =
      std::find_if(chosen.begin(), chosen.end(), [](const std::string& place) { return !place.empty(); });
  if (first == chosen.end()) return PlacedStages();
  if (!pitch.empty() && chosen[0].empty() && chosen[1].empty()) {
    return BadPlace(pitch, "comes from duration and prosody, and neither is placed");
  }
  const bool on_core_ml = IsCoreMl(DeviceOf(*first));
  for (const std::string& place : chosen) {
    if (!place.empty() && IsCoreMl(DeviceOf(place)) != on_core_ml) {
      return BadPlace(place, "beside " + DeviceOf(*first) + ": one runtime at a time");
    }
  }
  if (!pitch.empty() && DeviceOf(pitch) != DeviceOf(chosen[0]) && DeviceOf(pitch) != DeviceOf(chosen[1])) {
    return BadPlace(pitch, "comes from duration and prosody: name the device of one of them");
  }
  if (models_dir.empty()) {
    const char* maker = on_core_ml ? "koe bundle build --kind coreml" : "koe export --format onnx";
    return BadPlace(*first, std::string("needs a folder of models (see '") + maker + "')");
  }
  KOE_TRY(auto folder, OpenFolder(chosen, on_core_ml, models_dir, num_threads));
  PlacedStages placed;
  const auto device_named = [&](const std::string& name) -> const pipeline::Device* {
    for (const auto& device : placed.devices) {
      if (device->name() == name) return device.get();
    }
    placed.devices.push_back(std::make_shared<OnnxDevice>(name, folder, !pitch.empty()));
    return placed.devices.back().get();
  };
  for (size_t i = 0; i < kPlaceable.size(); ++i) {
    if (chosen[i].empty()) continue;
    const auto& [id, stage, units] = kPlaceable[i];
    pipeline::Placement& placement = (*plan)[static_cast<size_t>(id)];
    placement.device = device_named(DeviceOf(chosen[i]));
    placement.precision = Precision::kExact;
    const std::vector<int>& sizes = folder->sizes(stage);
    if (sizes.empty()) {
      return Error(ErrorCode::kNotFound, "place: '" + chosen[i] + "': no model of that stage in '" + models_dir + "'");
    }
    if (stage == OnnxStage::kDuration) continue;
    placed.largest_seconds =
        placed.largest_seconds == 0 ? sizes.back() : std::min(placed.largest_seconds, sizes.back());
  }
  return placed;
}

}  // namespace koe::devices
