// SPDX-License-Identifier: Apache-2.0
#include "devices/onnx_device.h"

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include "devices/native_pitch.h"
#include "support/machine.h"

namespace koe::devices {
namespace {

using testing::HasSubstr;

Result<PlacedStages> Place(const std::vector<std::string>& places, const std::string& models, pipeline::Plan* plan) {
  return PlaceStages(places, models, 1, plan);
}

pipeline::Plan NativePlan() { return *pipeline::MakePlan(Precision::kFast, 1); }

TEST(PlaceStages, NothingIsLoadedForNativeStages) {
  for (const std::vector<std::string>& places :
       std::vector<std::vector<std::string>>{{}, {"all=cpu"}, {"generator=onnx:cpu", "all=cpu"}}) {
    pipeline::Plan plan = NativePlan();
    const auto placed = Place(places, "", &plan);
    ASSERT_TRUE(placed.has_value()) << placed.error().message();
    EXPECT_TRUE(placed->devices.empty());
    for (const pipeline::Placement& placement : plan) EXPECT_EQ(placement.device, &pipeline::CpuDevice());
  }
}

TEST(PlaceStages, WhatNamesNothingIsRefused) {
  for (const auto& [place, why] :
       std::vector<std::pair<std::string, std::string>>{{"", "STAGE=onnx:cpu"},
                                                        {"generator", "STAGE=onnx:cpu"},
                                                        {"generator=", "STAGE=onnx:cpu"},
                                                        {"generator=onnx:gpu", "STAGE=onnx:cpu"},
                                                        {"generator=coreml:fast", "STAGE=coreml[:cpu|gpu|ane|all]"},
                                                        {"generator=coreml", "koe bundle build --kind coreml"},
                                                        {"=onnx:cpu", "must name all"},
                                                        {"harmonic_source=onnx:cpu", "the rest is always native"},
                                                        {"pitch=onnx:cpu", "neither is placed"},
                                                        {"generator=onnx:cpu", "needs a folder of models"}}) {
    pipeline::Plan plan = NativePlan();
    const auto placed = Place({place}, "", &plan);
    ASSERT_FALSE(placed.has_value()) << place;
    EXPECT_EQ(placed.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(placed.error().message(), HasSubstr(why));
    EXPECT_THAT(placed.error().message(), testing::StartsWith("place: '" + place + "': "));
  }
}

// With an onnxruntime at hand, what is wrong with the folder is told.
TEST(PlaceStages, FoldersWithoutModelsAreNamed) {
  if (std::getenv("KOE_ONNXRUNTIME_LIBRARY") == nullptr) GTEST_SKIP() << "no $KOE_ONNXRUNTIME_LIBRARY";
  const std::string folder = testing::TempDir() + "/koe_onnx_device_test";
  std::filesystem::create_directories(folder);
  pipeline::Plan plan = NativePlan();
  const auto none = Place({"all=onnx:cpu"}, folder, &plan);
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), ErrorCode::kNotFound);
  // Only names count here; 30 and 7 seconds, and what looks like models and is none.
  for (const char* name :
       {"kokoro_decoder_pre_7s.onnx", "kokoro_decoder_har_post_30s.onnx", "kokoro_duration_t0.onnx",
        "kokoro_f0ntrain_t130.onnx", "kokoro_decoder_pre_99999s.onnx", "kokoro_decoder_pre_s.onnx"}) {
    std::ofstream(folder + "/" + name) << "none";
  }
  const auto without_prosody = Place({"all=onnx:cpu"}, folder, &plan);
  ASSERT_FALSE(without_prosody.has_value());
  EXPECT_THAT(without_prosody.error().message(), HasSubstr("'all=onnx:cpu': no model of that stage"));
  pipeline::Plan placed_plan = NativePlan();
  const auto placed = Place({"decoder=onnx:cpu", "generator=onnx:cpu"}, folder, &placed_plan);
  ASSERT_TRUE(placed.has_value()) << placed.error().message();
  EXPECT_EQ(placed->largest_seconds, 7);
  EXPECT_THAT(placed->devices.at(0)->buckets().seconds, testing::ElementsAre(7, 30));
  for (const pipeline::Placement& placement : placed_plan) {
    const bool is_placed =
        placement.stage == pipeline::StageId::kDecoder || placement.stage == pipeline::StageId::kGenerator;
    EXPECT_STREQ(placement.device->name(), is_placed ? "onnx:cpu" : "cpu");
    EXPECT_EQ(placement.precision, is_placed ? Precision::kExact : Precision::kFast);
  }
  std::filesystem::remove_all(folder);
}

// Stages that answer with one number.
class ConstantDuration final : public stages::Duration {
 public:
  explicit ConstantDuration(float value) : value_(value) {}
  Result<Output> Run(const Input& input, const stages::StageContext& context) const override {
    Arena& arena = *context.exec.arena;
    const std::span<int32_t> durations = arena.Allocate<int32_t>(input.token_ids.size());
    const Matrix d = arena.AllocateMatrix(1, 1), t_en = arena.AllocateMatrix(1, 1);
    if (context.exec.CountsOnly()) return Output{durations, d, t_en};
    std::fill(durations.begin(), durations.end(), static_cast<int32_t>(value_));
    *d.data = *t_en.data = value_;
    context.Observe("d", d);
    return Output{durations, d, t_en};
  }

 private:
  const float value_;
};
class ConstantProsody final : public stages::Prosody {
 public:
  explicit ConstantProsody(std::array<float, 1> value) : value_(value) {}
  Result<Output> Run(const Input&, const stages::StageContext&) const override {
    if (value_[0] < 0) return Error(ErrorCode::kTooLong, "speech: too long");
    return Output{value_, value_};
  }

 private:
  const std::array<float, 1> value_;
};

class LastD final : public stages::TensorObserver {
 public:
  void OnTensor(const char* name, ConstMatrix x) override {
    if (std::string(name) == "d") value = *x.data;
  }
  float value = 0;
};

TEST(WithNativePitch, TakesThePitchFromTheNativeStage) {
  test_support::Machine machine(test_support::BestKernels(), 2);
  stages::StageContext context = machine.context();
  LastD last_d;
  context.observer = &last_d;
  const std::vector<int32_t> ids = {0, 5, 0};
  const auto duration =
      WithNativePitch(std::make_unique<ConstantDuration>(3.0f), std::make_unique<ConstantDuration>(4.0f));
  const auto tokens = duration->Run({ids, {}, 1}, context);
  ASSERT_TRUE(tokens.has_value());
  EXPECT_THAT(tokens->durations, testing::Each(3));
  EXPECT_EQ(*tokens->text_features.data, 3);
  EXPECT_EQ(*tokens->duration_features.data, 4);
  EXPECT_EQ(last_d.value, 4);
  const auto make = [](float value) { return std::make_unique<ConstantProsody>(std::array<float, 1>{value}); };
  const auto prosody = WithNativePitch(make(5), make(6));  // its curves live in it
  const auto curves = prosody->Run({}, context);
  ASSERT_TRUE(curves.has_value());
  EXPECT_EQ(curves->energy[0], 5);
  EXPECT_EQ(curves->f0_hz[0], 6);
  for (const auto& [placed, native] : {std::pair(-1.0f, 6.0f), std::pair(5.0f, -1.0f)}) {
    const auto failed = WithNativePitch(make(placed), make(native))->Run({}, context);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code(), ErrorCode::kTooLong);
  }
}

}  // namespace
}  // namespace koe::devices
