// SPDX-License-Identifier: Apache-2.0
#include "export/export_manifest.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "bundle/testing/temp_dir.h"

namespace koe::exporter {
namespace {

using bundle::testing::ReadFile;
using bundle::testing::WriteFile;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kWeights(64, 'a');

class ExportManifestTest : public testing::Test {
 protected:
  ExportOptions Options(std::vector<int> buckets) const {
    return {.output_dir = folder_,
            .format = ExportFormat::kOnnx,
            .stages = {ExportStage::kDecoderPre},
            .buckets = std::move(buckets)};
  }
  // As Export: Begin, the packages unless it is interrupted, Finish.
  void Export(const ExportOptions& options, const std::string& weights = kWeights, bool is_interrupted = false) {
    const auto plans = PlanPackages(options);
    ASSERT_TRUE(plans.has_value());
    const ExportManifest manifest(options, weights, *plans);
    ASSERT_TRUE(manifest.Begin().has_value());
    if (is_interrupted) return;
    ExportReport report;
    for (const PackagePlan& plan : *plans) {
      auto package = WriteOnnxModel(folder_, plan.name, plan.name);
      ASSERT_TRUE(package.has_value()) << package.error().message();
      report.packages.push_back(std::move(*package));
    }
    ASSERT_TRUE(manifest.Finish(report).has_value());
  }
  // Paths in the manifest; "none" without one.
  std::vector<std::string> Listed() const {
    const std::string path = folder_ + "/ExportManifest.json";
    if (!std::filesystem::exists(path)) return {"none"};
    const auto json = bundle::ParseJson(ReadFile(path), {16, 65536}, "manifest");
    EXPECT_TRUE(json.has_value());
    std::vector<std::string> paths;
    for (const bundle::Json& package : json->Find("packages")->items) paths.push_back(package.Find("path")->text);
    return paths;
  }
  bundle::testing::TempDir temp_;
  const std::string folder_ = temp_ / "models";
};

constexpr const char* k3s = "kokoro_decoder_pre_3s.onnx";
constexpr const char* k7s = "kokoro_decoder_pre_7s.onnx";

TEST_F(ExportManifestTest, WhatIsAlikeStaysListed) {
  Export(Options({3}));
  EXPECT_THAT(Listed(), ElementsAre(k3s));
  const std::string first = ReadFile(folder_ + "/ExportManifest.json");
  Export(Options({3}));
  EXPECT_EQ(ReadFile(folder_ + "/ExportManifest.json"), first);
  Export(Options({7}));
  EXPECT_THAT(Listed(), ElementsAre(k7s, k3s));
  std::filesystem::remove(folder_ + "/" + k3s);
  Export(Options({7}));
  EXPECT_THAT(Listed(), ElementsAre(k7s));
}

TEST_F(ExportManifestTest, WhatIsOfOtherWeightsOrOptionsDoesNot) {
  ExportOptions other[3] = {Options({7}), Options({7}), Options({7})};
  other[0].precision = ExportPrecision::kFp32;
  other[1].contract = ExportContract::kCard;
  other[2].half_tail = true;
  for (const ExportOptions& options : other) {
    Export(Options({3}));
    Export(options);
    EXPECT_THAT(Listed(), ElementsAre(k7s));
  }
  Export(Options({3}));
  Export(Options({7}), std::string(64, 'b'));
  EXPECT_THAT(Listed(), ElementsAre(k7s));
}

TEST_F(ExportManifestTest, AnInterruptedExportListsWhatItDidNotTouch) {
  Export(Options({3, 7}));
  Export(Options({7, 10}), kWeights, true);
  EXPECT_THAT(Listed(), ElementsAre(k3s));
  Export(Options({3}), kWeights, true);
  EXPECT_THAT(Listed(), ElementsAre("none"));
}

TEST_F(ExportManifestTest, DamagedManifestsListNothing) {
  Export(Options({3}));
  const std::string sound = ReadFile(folder_ + "/ExportManifest.json");
  const size_t at = sound.find(k3s);
  for (const std::string& text :
       {std::string(), std::string("[]"), sound.substr(0, at), std::string(sound).replace(at, 6, "../kok"),
        std::string(sound).replace(sound.find("\"packages\""), 10, "\"Packages\"")}) {
    WriteFile(folder_ + "/ExportManifest.json", text);
    Export(Options({7}));
    EXPECT_THAT(Listed(), ElementsAre(k7s)) << text;
  }
}

}  // namespace
}  // namespace koe::exporter
