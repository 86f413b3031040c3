// SPDX-License-Identifier: Apache-2.0
#include "export/export.h"

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/json.h"
#include "export/emit.h"
#include "export/export_manifest.h"
#include "export/package.h"
#include "export/stages.h"

namespace koe {

const char* ExportStageName(ExportStage stage) {
  switch (stage) {
    case ExportStage::kDuration:
      return "duration";
    case ExportStage::kF0Ntrain:
      return "f0ntrain";
    case ExportStage::kDecoderPre:
      return "decoder_pre";
    case ExportStage::kGenerator:
      return "decoder_har_post";
  }
  return "unknown";
}

}  // namespace koe

namespace koe::exporter {
namespace {

using bundle::Json;

Json Number(double value) {
  Json json;
  json.type = Json::Type::kDouble;
  json.number = value;
  return json;
}

// What every program says about itself.
ModelText TextOf(const PackagePlan& plan, const ExportOptions& options, const bundle::RuntimeManifest& manifest) {
  ModelText text;
  const std::string stage = ExportStageName(plan.stage);
  text.version = KOE_VERSION;
  text.description = "Kokoro-82M, stage " + stage + ", exported by Koe";
  std::string sizes;
  for (const FunctionPlan& function : plan.functions) {
    sizes += (sizes.empty() ? "" : ",") + std::to_string(function.size);
  }
  text.properties = {
      {"koe.contract", options.contract == ExportContract::kCard ? "card" : "current"},
      {"koe.precision", options.precision == ExportPrecision::kFp16 ? "fp16" : "fp32"},
      {"koe.sizes", sizes},
      {"koe.stage", stage},
      {"koe.version", KOE_VERSION},
      {"koe.weights_sha256", manifest.weights_source.sha256},
  };
  return text;
}

Result<ExportedPackage> WritePackage(const PackagePlan& plan, const ExportOptions& options, const ModelText& text,
                                     WeightStore* store) {
  std::vector<Graph> graphs;
  for (const FunctionPlan& function : plan.functions) {
    KOE_TRY(Graph graph, BuildStage(function.spec, store));
    graphs.push_back(std::move(graph));
  }
  if (options.format == ExportFormat::kOnnx) {
    return WriteOnnxModel(options.output_dir, plan.name, EmitOnnx(graphs.front(), plan.name, text));
  }
  std::vector<NamedFunction> functions;
  for (size_t i = 0; i < graphs.size(); ++i) functions.push_back({plan.functions[i].name, &graphs[i]});
  BlobFile blobs;
  KOE_TRY(const std::string model, EmitCoreMl(functions, plan.spec_version, text, &blobs));
  return WriteMlPackage(options.output_dir, plan.name, model, blobs);
}

}  // namespace

Result<std::vector<ExportedFile>> WriteRuntimeFiles(const std::string& output_dir, const bundle::Bundle& bundle,
                                                    const bundle::Weights& weights) {
  constexpr size_t kHarmonics = 9;
  WeightStore store(weights);
  const std::string name = "decoder.generator.m_source.l_linear.";
  Json linear = Json::Array(), json = Json::Object();
  for (const float w : store.Floats(name + "weight", kHarmonics)) {
    linear.items.push_back(Number(static_cast<double>(w)));
  }
  json.Set("linear_bias", Number(static_cast<double>(store.Floats(name + "bias", 1)[0])));
  json.Set("linear_weights", std::move(linear));
  KOE_CHECK_OK(store.Check());
  std::vector<ExportedFile> files(2);
  KOE_TRY(files[0], WriteSmallFile(output_dir, "runtime/kokoro-vocab.json", bundle.vocab().ToJson()));
  KOE_TRY(files[1], WriteSmallFile(output_dir, "runtime/hnsf_weights.json", bundle::WriteJson(json, 2) + "\n"));
  return files;
}

Result<void> WritePackages(const ExportOptions& options, const bundle::Bundle& bundle, const bundle::Weights& weights,
                           ExportReport* report) {
  KOE_TRY(const std::vector<PackagePlan> plans, PlanPackages(options));
  // A stage's tensors are unpacked once for all its sizes, and dropped before the next stage's.
  std::unique_ptr<WeightStore> store;
  for (size_t i = 0; i < plans.size(); ++i) {
    const PackagePlan& plan = plans[i];
    if (options.cancel != nullptr && options.cancel->IsCancelled()) {
      return Error(ErrorCode::kCancelled, "export: cancelled: on request");
    }
    if (options.progress) options.progress(static_cast<double>(i) / static_cast<double>(plans.size()), plan.name);
    if (i == 0 || plans[i - 1].stage != plan.stage) store = std::make_unique<WeightStore>(weights);
    KOE_TRY(ExportedPackage package,
            WritePackage(plan, options, TextOf(plan, options, bundle.manifest()), store.get()));
    package.stage = plan.stage;
    for (const FunctionPlan& function : plan.functions) package.sizes.push_back(function.size);
    report->bytes += package.bytes;
    report->packages.push_back(std::move(package));
  }
  return {};
}

Result<ExportReport> Export(const ExportOptions& options) {
  if (options.output_dir.empty()) return Error(ErrorCode::kInvalidArgument, "output: none: a folder is needed");
  KOE_TRY(const std::vector<PackagePlan> plans, PlanPackages(options));
  KOE_TRY(const auto bundle, bundle::Bundle::Open(options.bundle_dir));
  KOE_TRY(const auto weights, bundle->OpenWeights());
  std::error_code error;
  std::filesystem::create_directories(options.output_dir, error);
  if (error) return Error(ErrorCode::kIo, "output: '" + options.output_dir + "': " + error.message());

  ExportReport report;
  report.output_dir = options.output_dir;
  const ExportManifest manifest(options, bundle->manifest().weights_source.sha256, plans);
  KOE_CHECK_OK(manifest.Begin());
  KOE_TRY(report.runtime_files, WriteRuntimeFiles(options.output_dir, *bundle, *weights));
  KOE_CHECK_OK(WritePackages(options, *bundle, *weights, &report));
  KOE_CHECK_OK(manifest.Finish(report));
  return report;
}

}  // namespace koe::exporter
