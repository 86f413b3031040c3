// SPDX-License-Identifier: Apache-2.0
// The four graphs over random weights of the model's shapes, and the names and sizes of whole sets. Their numbers are
// tests/export_test.py's business.
#include "export/stages.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "export/emit.h"
#include "export/package.h"
#include "support/synthetic_weights.h"

namespace koe::exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Interface(const Graph& g) {
  const auto text = [&](const std::string& name, Value value) {
    constexpr const char* kTypes[] = {"f16", "f32", "i32"};
    return name + " " + kTypes[static_cast<size_t>(g.type(value))] + ShapeText(g.shape(value));
  };
  std::vector<std::string> lines;
  for (const GraphInput& i : g.inputs()) lines.push_back(text(i.name, i.value) + (i.default_value ? " optional" : ""));
  for (const GraphOutput& o : g.outputs()) lines.push_back("-> " + text(o.name, o.value));
  return lines;
}

class ExportStages : public testing::Test {
 protected:
  static const bundle::Weights& Weights() {
    static const test_support::SyntheticWeights weights;
    return weights;
  }
  static Graph Build(const StageSpec& spec) {
    WeightStore store(Weights());
    auto graph = BuildStage(spec, &store);
    EXPECT_TRUE(graph.has_value()) << graph.error().message();
    return graph ? std::move(*graph) : Graph();
  }
};

TEST_F(ExportStages, HaveThePublishedInterfaces) {
  EXPECT_THAT(Interface(Build({.stage = ExportStage::kDuration, .length = 128})),
              ElementsAre("input_ids i32[1, 128]", "ref_s f32[1, 256]", "speed f32[1]", "attention_mask i32[1, 128]",
                          "-> pred_dur i32[1, 128]", "-> d f32[1, 128, 640]", "-> t_en f32[1, 512, 128]",
                          "-> s f32[1, 128]", "-> ref_s_out f32[1, 256]"));
  EXPECT_THAT(Interface(Build({.stage = ExportStage::kF0Ntrain, .length = 120})),
              ElementsAre("en f32[1, 640, 120]", "s f32[1, 128]", "mask f32[1, 1, 120] optional",
                          "-> F0_pred f32[1, 240]", "-> N_pred f32[1, 240]"));
  EXPECT_THAT(Interface(Build({.stage = ExportStage::kDecoderPre, .length = 120})),
              ElementsAre("asr f32[1, 512, 120]", "f0 f32[1, 1, 240]", "n_input f32[1, 1, 240]", "ref_s f32[1, 256]",
                          "mask f32[1, 1, 120] optional", "-> x_pre f32[1, 512, 240]"));
  EXPECT_THAT(Interface(Build({.stage = ExportStage::kGenerator, .length = 120})),
              ElementsAre("x_pre f32[1, 512, 240]", "ref_s f32[1, 256]", "har f32[1, 22, 14401]",
                          "mask f32[1, 1, 240] optional", "-> waveform f16[1, 1, 72000]"));
  EXPECT_THAT(Interface(Build({.stage = ExportStage::kGenerator, .length = 120, .half = false, .card = true})),
              ElementsAre("x_pre f32[1, 512, 240]", "ref_s f32[1, 256]", "har f32[1, 22, 28801]",
                          "-> waveform f32[1, 1, 72000]"));
}

TEST_F(ExportStages, TheGeneratorHasConvolutionsOnly) {
  const Graph g = Build({.stage = ExportStage::kGenerator, .length = 4});
  EXPECT_EQ(g.Count(Op::kLinear), 0u);
  EXPECT_EQ(g.Count(Op::kConv), 99u);  // 51 and a style for each of 48 norms
  // Upsampling twice, real and imaginary part, the envelope of the windows.
  EXPECT_EQ(g.Count(Op::kConvTranspose), 5u);
  // 48 norms of two means each, of which the first of the three parallel blocks of each level are shared; two masks.
  EXPECT_EQ(g.Count(Op::kReduceMean), 90u);
  EXPECT_EQ(Build({.stage = ExportStage::kDuration, .length = 4}).Count(Op::kLstm), 10u);
  EXPECT_EQ(Build({.stage = ExportStage::kF0Ntrain, .length = 4}).Count(Op::kLstm), 2u);
}

TEST_F(ExportStages, EqualCallsGiveEqualBytes) {
  for (const ExportStage stage : {ExportStage::kDuration, ExportStage::kF0Ntrain}) {
    std::string models[2], onnx[2];
    for (size_t i = 0; i < 2; ++i) {
      const Graph g = Build({.stage = stage, .length = 4});
      BlobFile blobs;
      const NamedFunction function{"main", &g};
      const auto model = EmitCoreMl({&function, 1}, 6, {}, &blobs);
      ASSERT_TRUE(model.has_value());
      models[i] = *model;
      onnx[i] = EmitOnnx(g, "g", {});
    }
    EXPECT_TRUE(models[0] == models[1]);
    EXPECT_TRUE(onnx[0] == onnx[1]);
  }
}

TEST_F(ExportStages, FunctionsShareTheirWeights) {
  WeightStore store(Weights());
  BlobFile one, both;
  auto small = BuildStage({.stage = ExportStage::kDecoderPre, .length = 4}, &store);
  auto large = BuildStage({.stage = ExportStage::kDecoderPre, .length = 8}, &store);
  ASSERT_TRUE(small.has_value() && large.has_value());
  const NamedFunction functions[] = {{"bucket_1s", &*small}, {"bucket_2s", &*large}};
  ASSERT_TRUE(EmitCoreMl({functions, 1}, 6, {}, &one).has_value());
  ASSERT_TRUE(EmitCoreMl(functions, 9, {}, &both).has_value());
  EXPECT_EQ(one.num_blobs(), both.num_blobs());
  EXPECT_FALSE(EmitCoreMl(functions, 6, {}, &both).has_value());
}

TEST_F(ExportStages, WeightsBeyondHalfAreRefused) {
  test_support::SyntheticWeights weights;
  weights.Fill("decoder.F0_conv.weight", 7e4f);
  WeightStore store(weights);
  const auto graph = BuildStage({.stage = ExportStage::kDecoderPre, .length = 4}, &store);
  ASSERT_FALSE(graph.has_value());
  EXPECT_EQ(graph.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(graph.error().message(), HasSubstr("decoder.F0_conv.weight"));
  WeightStore floats(weights);
  EXPECT_TRUE(BuildStage({.stage = ExportStage::kDecoderPre, .length = 4, .half = false}, &floats).has_value());
}

std::vector<std::string> Names(const ExportOptions& options) {
  std::vector<std::string> names;
  const auto plans = PlanPackages(options);
  EXPECT_TRUE(plans.has_value());
  for (const PackagePlan& plan : *plans) names.push_back(plan.name);
  return names;
}

TEST(ExportPackages, ThePublishedSet) {
  EXPECT_EQ(Names({}).size(), 22u);
  EXPECT_EQ(Names({.contract = ExportContract::kCard}).size(), 23u);
  EXPECT_THAT(Names({.buckets = {3}, .tokens = {128}, .contract = ExportContract::kCard}),
              ElementsAre("kokoro_duration_t128", "kokoro_duration", "kokoro_f0ntrain_t120", "kokoro_decoder_pre_3s",
                          "kokoro_decoder_har_post_3s"));
  const auto plans =
      PlanPackages({.stages = {ExportStage::kDecoderPre, ExportStage::kDuration}, .multifunction = true});
  ASSERT_TRUE(plans.has_value());
  ASSERT_EQ(plans->size(), 2u);
  EXPECT_EQ((*plans)[0].name, "kokoro_duration_multifunction");
  EXPECT_EQ((*plans)[0].functions.front().name, "t32");
  EXPECT_EQ((*plans)[1].functions.back().name, "bucket_30s");
  EXPECT_EQ((*plans)[1].functions.back().spec.length, 1200);
  EXPECT_EQ((*plans)[1].spec_version, 9);
}

TEST(ExportPackages, RefusesSizesAndMixtures) {
  const auto fails = [](const ExportOptions& options) {
    const auto plans = PlanPackages(options);
    return !plans.has_value() && plans.error().code() == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(fails({.buckets = {0}}));
  EXPECT_TRUE(fails({.buckets = {121}}));
  EXPECT_TRUE(fails({.tokens = {513}}));
  EXPECT_TRUE(fails({.tokens = {}}));
  EXPECT_TRUE(fails({.format = ExportFormat::kOnnx, .multifunction = true}));
  EXPECT_TRUE(fails({.precision = ExportPrecision::kFp32, .half_tail = true}));
}

TEST(ExportPackages, WritesAndReplacesOnlyItsOwn) {
  const std::string folder = testing::TempDir() + "/koe_export_test";
  std::filesystem::remove_all(folder);
  BlobFile blobs;
  blobs.Add(Type::kF32, std::make_shared<const ByteVector>(64));
  const auto first = WriteMlPackage(folder, "a", "model", blobs);
  ASSERT_TRUE(first.has_value()) << first.error().message();
  EXPECT_EQ(first->files.size(), 3u);
  EXPECT_TRUE(std::filesystem::is_regular_file(folder + "/a.mlpackage/Data/com.apple.CoreML/weights/weight.bin"));
  const auto again = WriteMlPackage(folder, "a", "model", blobs);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->tree_sha256, first->tree_sha256);
  EXPECT_NE(WriteMlPackage(folder, "a", "another", blobs)->tree_sha256, first->tree_sha256);

  std::filesystem::create_directory(folder + "/b.mlpackage");  // no manifest: somebody else's
  const auto refused = WriteMlPackage(folder, "b", "model", blobs);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_THAT(entry.path().filename().string(), testing::Not(HasSubstr("partial")));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace koe::exporter
