// SPDX-License-Identifier: Apache-2.0
// The runtime and the device over a Core ML that answers with zeros: verification, compiled models, processors, places.
#include "devices/coreml/coreml_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "bundle/digest.h"
#include "bundle/manifests/sdk.h"
#include "bundle/testing/temp_dir.h"
#include "devices/coreml/coreml_model.h"
#include "devices/onnx_device.h"
#include "devices/onnx_stages.h"
#include "support/machine.h"

namespace koe::devices {

// What coreml_model.mm has on Apple's systems.
namespace {
struct FakeCoreMl {
  std::string scratch, caches;
  std::vector<std::string> compiled;                                            // packages
  std::vector<std::pair<std::string, ComputeUnits>> opened;                     // file names of compiled models
  std::vector<std::vector<std::pair<std::string, std::vector<int64_t>>>> runs;  // names and shapes of inputs
};
FakeCoreMl* fake = nullptr;

class FakeSession final : public OnnxRuntime::Session {
  Result<void> Run(const std::vector<InputTensor>& inputs, const std::vector<OutputTensor>& outputs) const override {
    std::vector<std::pair<std::string, std::vector<int64_t>>> run;
    for (const InputTensor& input : inputs) run.emplace_back(input.name, input.shape);
    fake->runs.push_back(run);
    for (const OutputTensor& output : outputs) std::fill(output.floats.begin(), output.floats.end(), 0.25f);
    return {};
  }
};
}  // namespace

Result<std::string> CompileCoreMlModel(const std::string& package_path) {
  fake->compiled.push_back(std::filesystem::path(package_path).filename().string());
  const std::string path = fake->scratch + "/" + std::to_string(fake->compiled.size());
  bundle::testing::WriteFile(path + "/model", "compiled");
  return path;
}
Result<std::unique_ptr<OnnxRuntime::Session>> OpenCoreMlModel(const std::string& compiled_path, ComputeUnits units) {
  if (bundle::testing::ReadFile(compiled_path + "/model") != "compiled") {
    return Error(ErrorCode::kInternal, "coreml: opening: broken");
  }
  fake->opened.emplace_back(std::filesystem::path(compiled_path).filename().string(), units);
  return std::unique_ptr<OnnxRuntime::Session>(new FakeSession);
}
std::string CachesDirectory() { return fake->caches; }
std::string OperatingSystemVersion() { return "macOS 15.0 (test)"; }

namespace {

namespace fs = std::filesystem;
using bundle::testing::WriteFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class CoreMlRuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fake_ = {temp_ / "scratch", temp_ / "caches", {}, {}, {}};
    fake = &fake_;
    bundle::SdkManifest manifest;
    manifest.generated_at = "2026-11-23T00:00:00Z";
    manifest.provenance.sdk_commit = "0123456789ab";
    manifest.bundle_profile = "custom";
    manifest.buckets = {3};
    manifest.duration_token_sizes = {128};
    for (const char* name :
         {"kokoro_decoder_har_post_3s", "kokoro_decoder_pre_3s", "kokoro_duration_t128", "kokoro_f0ntrain_t120"}) {
      bundle::SdkPackage package;
      package.path = std::string("coreml/") + name + ".mlpackage";
      package.files = {Put(package.path, "Manifest.json", name), Put(package.path, "Data/model.mlmodel", name)};
      package.tree_sha256 = bundle::TreeDigest(package.files);
      manifest.packages.push_back(package);
    }
    manifest.vocab = {bundle::kSdkVocabName, 1, std::string(64, '1')};
    manifest.harmonics = {bundle::kSdkHarmonicsName, 1, std::string(64, '2')};
    WriteFile(bundle_ + "/" + bundle::kSdkManifestName, manifest.ToJson());
  }
  bundle::FileRecord Put(const std::string& package, const std::string& path, const std::string& bytes) {
    WriteFile(bundle_ + "/" + package + "/" + path, bytes);
    return {path, bytes.size(), bundle::Sha256Hex(bundle::AsBytes(bytes))};
  }
  Result<std::unique_ptr<OnnxRuntime::Session>> Open(const std::string& name) {
    KOE_TRY(const auto runtime, MakeCoreMlRuntime(bundle_, "", kDefaultPolicy));
    return runtime->Open(bundle_ + "/coreml/" + name + ".mlpackage", 0);
  }
  bundle::testing::TempDir temp_;
  const std::string bundle_ = temp_ / "sdk";
  FakeCoreMl fake_;
};

TEST_F(CoreMlRuntimeTest, CompilesOnceAndOpensOnTheProcessorsOfThePolicy) {
  for (int process = 0; process < 2; ++process) {
    for (const char* name :
         {"kokoro_duration_t128", "kokoro_f0ntrain_t120", "kokoro_decoder_pre_3s", "kokoro_decoder_har_post_3s"}) {
      const auto session = Open(name);
      ASSERT_TRUE(session) << session.error().message();
    }
  }
  EXPECT_EQ(fake_.compiled.size(), 4u);
  EXPECT_THAT(std::vector(fake_.opened.begin() + 4, fake_.opened.end()),
              ElementsAre(Pair("kokoro_duration_t128.mlmodelc", ComputeUnits::kCpuOnly),
                          Pair("kokoro_f0ntrain_t120.mlmodelc", ComputeUnits::kCpuAndGpu),
                          Pair("kokoro_decoder_pre_3s.mlmodelc", ComputeUnits::kCpuAndNeuralEngine),
                          Pair("kokoro_decoder_har_post_3s.mlmodelc", ComputeUnits::kCpuAndGpu)));
  const fs::path kept = fs::directory_iterator(temp_ / "caches/KokoroTTS")->path();
  EXPECT_THAT(kept.filename().string(), ::testing::MatchesRegex("compiled-[0-9a-f]{16}"));
  // A broken compiled model is made anew.
  WriteFile((kept / "kokoro_duration_t128.mlmodelc/model").string(), "damaged");
  EXPECT_TRUE(Open("kokoro_duration_t128"));
  EXPECT_EQ(fake_.compiled.size(), 5u);
}

TEST_F(CoreMlRuntimeTest, OpensNothingThatTheManifestDoesNotVouchFor) {
  EXPECT_EQ(Open("kokoro_decoder_pre_7s").error().code(), ErrorCode::kNotFound);
  const std::string model = bundle_ + "/coreml/kokoro_decoder_pre_3s.mlpackage/Data/model.mlmodel";
  WriteFile(model, "kokoro_decoder_PRE_3s");
  fs::last_write_time(model, fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(Open("kokoro_decoder_pre_3s").error().code(), ErrorCode::kCorruptBundle);
  EXPECT_TRUE(fake_.compiled.empty());
  fs::remove(bundle_ + "/" + bundle::kSdkManifestName);
  EXPECT_EQ(Open("kokoro_duration_t128").error().code(), ErrorCode::kNotFound);
}

TEST_F(CoreMlRuntimeTest, StagesArePlacedThere) {
  pipeline::Plan plan = *pipeline::MakePlan(Precision::kExact, 1);
  const auto placed = PlaceStages({"all=coreml:gpu"}, bundle_, 1, &plan);
  ASSERT_TRUE(placed) << placed.error().message();
  ASSERT_EQ(placed->devices.size(), 1u);
  EXPECT_STREQ(placed->devices[0]->name(), "coreml:gpu");
  EXPECT_EQ(placed->largest_seconds, 3);
  EXPECT_THAT(placed->devices[0]->buckets().token_counts, ElementsAre(128));
  EXPECT_TRUE(fake_.compiled.empty());  // when they are first needed
}

TEST_F(CoreMlRuntimeTest, StagesHaveProcessorsOfTheirOwn) {
  pipeline::Plan plan = *pipeline::MakePlan(Precision::kExact, 1);
  const auto placed = PlaceStages({"all=coreml", "decoder=coreml:cpu", "generator=coreml:all"}, bundle_, 1, &plan);
  ASSERT_TRUE(placed) << placed.error().message();
  EXPECT_EQ(placed->devices.size(), 3u);
  const auto name_of = [&](pipeline::StageId id) { return std::string(plan[static_cast<size_t>(id)].device->name()); };
  EXPECT_EQ(name_of(pipeline::StageId::kDuration), "coreml");
  EXPECT_EQ(name_of(pipeline::StageId::kProsody), "coreml");
  EXPECT_EQ(name_of(pipeline::StageId::kDecoder), "coreml:cpu");
  EXPECT_EQ(name_of(pipeline::StageId::kGenerator), "coreml:all");
  test_support::Machine machine(test_support::BestKernels(), 1);
  pipeline::Model model;
  const auto& decoder = plan[static_cast<size_t>(pipeline::StageId::kDecoder)];
  ASSERT_TRUE(decoder.device->Make(pipeline::StageId::kDecoder, Precision::kExact, {}, &model));
  const std::vector<float> values(50 * 512, 0.5f), style(stages::kStyleSize, 0.1f), curve(100, 1.0f);
  ASSERT_TRUE(model.decoder->Run({ConstMatrix(values.data(), 50, 512), curve, curve, style}, machine.context()));
  EXPECT_THAT(fake_.opened, ElementsAre(Pair("kokoro_decoder_pre_3s.mlmodelc", ComputeUnits::kCpuOnly)));

  for (const auto& [places, why] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"decoder=coreml", "generator=onnx:cpu"}, "one runtime at a time"},
           {{"all=coreml:cpu", "pitch=coreml:gpu"}, "name the device of one of them"}}) {
    pipeline::Plan mixed = *pipeline::MakePlan(Precision::kExact, 1);
    const auto refused = PlaceStages(places, bundle_, 1, &mixed);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr(why));
  }
}

TEST_F(CoreMlRuntimeTest, AStageRunsInTheSmallestSize) {
  auto runtime = MakeCoreMlRuntime(bundle_, "", kDefaultPolicy);
  ASSERT_TRUE(runtime);
  auto folder = OnnxFolder::Open(*runtime, bundle_ + "/coreml", 1, ".mlpackage");
  ASSERT_TRUE(folder) << folder.error().message();
  test_support::Machine machine(test_support::BestKernels(), 1);
  const std::vector<float> values(200 * 640, 0.5f), style(stages::kStyleSize, 0.1f);
  const auto stage = MakeOnnxProsody(*folder);
  const auto output = stage->Run({ConstMatrix(values.data(), 50, 640), style}, machine.context());
  ASSERT_TRUE(output) << output.error().message();
  EXPECT_EQ(output->f0_hz.size(), 100u);
  EXPECT_EQ(output->f0_hz[99], 0.25f);
  using Shape = std::vector<int64_t>;
  EXPECT_THAT(fake_.runs.at(0),
              ElementsAre(Pair("en", Shape{1, 640, 120}), Pair("s", Shape{1, 128}), Pair("mask", Shape{1, 1, 120})));
  const auto too_long = stage->Run({ConstMatrix(values.data(), 121, 640), style}, machine.context());
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code(), ErrorCode::kTooLong);
}

}  // namespace
}  // namespace koe::devices
