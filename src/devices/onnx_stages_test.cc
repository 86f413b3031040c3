// SPDX-License-Identifier: Apache-2.0
// Exported models against the engine's own stages, chained, over random weights. Needs an onnxruntime:
// $KOE_ONNXRUNTIME_LIBRARY.
#include "devices/onnx_stages.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "export/emit.h"
#include "export/package.h"
#include "support/machine.h"
#include "support/synthetic_weights.h"

namespace koe::devices {
namespace {

using test_support::SnrDb;

// Nothing but rounding may differ: two float32 computations of one stage agree as the engine does with PyTorch.
constexpr double kMinSnrDb = 85;

class OnnxStages : public testing::Test {
 protected:
  static const bundle::Weights& Weights() {
    static const test_support::SyntheticWeights weights;
    return weights;
  }
  void SetUp() override {
    if (std::getenv("KOE_ONNXRUNTIME_LIBRARY") == nullptr) GTEST_SKIP() << "no $KOE_ONNXRUNTIME_LIBRARY";
    auto runtime = OnnxRuntime::Load("");
    ASSERT_TRUE(runtime.has_value()) << runtime.error().message();
    folder_ = testing::TempDir() + "/koe_onnx_stages_test_" + std::to_string(getpid());  // tests run side by side
    std::filesystem::create_directories(folder_);
    exporter::WeightStore store(Weights());
    for (const auto& [name, spec] : std::map<std::string, exporter::StageSpec>{
             {"kokoro_duration_t16", {.stage = ExportStage::kDuration, .length = 16, .half = false}},
             {"kokoro_f0ntrain_t40", {.stage = ExportStage::kF0Ntrain, .length = 40, .half = false}},
             {"kokoro_decoder_pre_1s", {.stage = ExportStage::kDecoderPre, .length = 40, .half = false}},
             {"kokoro_decoder_har_post_1s", {.stage = ExportStage::kGenerator, .length = 40, .half = false}}}) {
      const auto graph = exporter::BuildStage(spec, &store);
      ASSERT_TRUE(graph.has_value());
      ASSERT_TRUE(exporter::WriteOnnxModel(folder_, name, exporter::EmitOnnx(*graph, name, {})).has_value());
    }
    auto models = OnnxFolder::Open(*runtime, folder_, 2);
    ASSERT_TRUE(models.has_value()) << models.error().message();
    models_ = *models;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  std::string folder_;
  std::shared_ptr<const OnnxFolder> models_;
  test_support::Machine machine_{test_support::BestKernels(), 2};
};

TEST_F(OnnxStages, EqualTheNativeOnes) {
  const auto& kernels = test_support::BestKernels();
  const stages::StageContext context = machine_.context();
  const std::vector<int32_t> ids = {0, 5, 17, 43, 99, 0};
  const std::vector<float> style = test_support::RandomVector(stages::kStyleSize, 0.2f);
  const auto native_duration = stages::MakeDurationCpu(Weights(), kernels);
  ASSERT_TRUE(native_duration.has_value());
  const auto want = (*native_duration)->Run({ids, style, 1}, context);
  const auto got = MakeOnnxDuration(models_)->Run({ids, style, 1}, context);
  ASSERT_TRUE(want.has_value() && got.has_value()) << got.error().message();
  EXPECT_THAT(got->durations, testing::ElementsAreArray(want->durations));
  EXPECT_GE(SnrDb(got->duration_features, want->duration_features), kMinSnrDb);
  EXPECT_GE(SnrDb(got->text_features, want->text_features), kMinSnrDb);

  constexpr size_t kFrames = 23;
  const std::vector<float> en = test_support::RandomVector(kFrames * 640),
                           asr = test_support::RandomVector(kFrames * 512);
  const auto native_prosody = stages::MakeProsodyCpu(Weights(), kernels);
  const stages::Prosody::Input prosody{ConstMatrix(en.data(), kFrames, 640), style};
  const auto curves = (*native_prosody)->Run(prosody, context),
             onnx_curves = MakeOnnxProsody(models_)->Run(prosody, context);
  ASSERT_TRUE(curves.has_value() && onnx_curves.has_value()) << onnx_curves.error().message();
  EXPECT_GE(SnrDb(onnx_curves->f0_hz, curves->f0_hz), kMinSnrDb);
  EXPECT_GE(SnrDb(onnx_curves->energy, curves->energy), kMinSnrDb);

  const stages::Decoder::Input decoder{ConstMatrix(asr.data(), kFrames, 512), curves->f0_hz, curves->energy, style};
  const auto native_decoder = stages::MakeDecoderCpu(Weights(), kernels);
  const auto x = (*native_decoder)->Run(decoder, context), onnx_x = MakeOnnxDecoder(models_)->Run(decoder, context);
  ASSERT_TRUE(x.has_value() && onnx_x.has_value()) << onnx_x.error().message();
  EXPECT_GE(SnrDb(onnx_x->decoder_features, x->decoder_features), kMinSnrDb);

  const std::vector<float> har = test_support::RandomVector((120 * kFrames + 1) * 22, 0.3f);
  const stages::Generator::Input generator{x->decoder_features, ConstMatrix(har.data(), 120 * kFrames + 1, 22), style};
  const auto native_generator = stages::MakeGeneratorCpu(Weights(), kernels);
  const auto y = (*native_generator)->Run(generator, context),
             onnx_y = MakeOnnxGenerator(models_)->Run(generator, context);
  ASSERT_TRUE(y.has_value() && onnx_y.has_value()) << onnx_y.error().message();
  EXPECT_GE(SnrDb(onnx_y->waveform, y->waveform), kMinSnrDb);
}

TEST_F(OnnxStages, WhatFitsNoSizeIsAnError) {
  const auto tokens = models_->SizeFor(OnnxStage::kDuration, 17);
  ASSERT_FALSE(tokens.has_value());
  EXPECT_EQ(tokens.error().code(), ErrorCode::kTooLong);
  EXPECT_EQ(*models_->SizeFor(OnnxStage::kDuration, 16), 16);
  for (const OnnxStage stage : {OnnxStage::kProsody, OnnxStage::kDecoder, OnnxStage::kGenerator}) {
    EXPECT_EQ(*models_->SizeFor(stage, 40), 1);
    const auto seconds = models_->SizeFor(stage, 41);
    ASSERT_FALSE(seconds.has_value());
    EXPECT_EQ(seconds.error().code(), ErrorCode::kTooLong);
    EXPECT_THAT(seconds.error().message(),
                testing::StartsWith("speech: 1.025 s in one part: the largest model has 1 s; say it in shorter parts"));
  }
}

// A run is planned by one that only counts: it must need no more than was counted, and touch nothing.
TEST_F(OnnxStages, CountWhatTheyTake) {
  const std::vector<int32_t> ids = {0, 5, 17, 43, 99, 0};
  const std::vector<float> style = test_support::RandomVector(stages::kStyleSize, 0.2f),
                           values = test_support::RandomVector((120 * 8 + 1) * 22);
  const stages::StageContext context = machine_.context();
  const auto expect_counted = [&](const auto& stage, const auto& input) {
    Arena counter{Arena::CountOnly()}, arena;
    ThreadPool idle(2, ThreadPool::Idle());
    stages::StageContext counting = context, running = context;
    counting.exec.arena = &counter;
    counting.exec.pool = &idle;
    ASSERT_TRUE(stage->Run(input, counting).has_value());
    arena.Reserve(counter);
    running.exec.arena = &arena;
    const size_t planned = arena.CapacityBytes();
    ASSERT_TRUE(stage->Run(input, running).has_value());
    EXPECT_EQ(arena.CapacityBytes(), planned);
  };
  const auto matrix = [&](size_t rows, size_t cols) { return ConstMatrix(values.data(), rows, cols); };
  const std::span<const float> curve(values.data(), 16);
  expect_counted(MakeOnnxDuration(models_), stages::Duration::Input{ids, style, 1});
  expect_counted(MakeOnnxProsody(models_), stages::Prosody::Input{matrix(8, 640), style});
  expect_counted(MakeOnnxDecoder(models_), stages::Decoder::Input{matrix(8, 512), curve, curve, style});
  expect_counted(MakeOnnxGenerator(models_), stages::Generator::Input{matrix(16, 512), matrix(961, 22), style});
}

TEST(OnnxRuntimeLibrary, MissingOnesAreNamed) {
  const auto none = OnnxRuntime::Load("/nowhere/libonnxruntime.so");
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(none.error().message(), testing::HasSubstr("/nowhere/libonnxruntime.so"));
}

}  // namespace
}  // namespace koe::devices
