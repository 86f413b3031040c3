// SPDX-License-Identifier: Apache-2.0
#include "export/export_manifest.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "bundle/files.h"
#include "bundle/limits.h"

namespace koe::exporter {
namespace {

namespace fs = std::filesystem;
using bundle::Json;

constexpr const char* kName = "ExportManifest.json";
constexpr size_t kMaxValues = 65536;

Json FileJson(const ExportedFile& file) {
  Json json = Json::Object();
  json.Set("path", Json::Text(file.path));
  json.Set("bytes", Json::Int(static_cast<int64_t>(file.bytes)));
  json.Set("sha256", Json::Text(file.sha256));
  return json;
}

Json PackageJson(const ExportedPackage& package) {
  Json files = Json::Array(), sizes = Json::Array(), json = Json::Object();
  for (const ExportedFile& file : package.files) files.items.push_back(FileJson(file));
  for (const int size : package.sizes) sizes.items.push_back(Json::Int(size));
  json.Set("path", Json::Text(package.path));
  json.Set("stage", Json::Text(ExportStageName(package.stage)));
  json.Set("sizes", std::move(sizes));
  json.Set("tree_sha256", Json::Text(package.tree_sha256));
  json.Set("file_count", Json::Int(static_cast<int64_t>(package.files.size())));
  json.Set("bytes", Json::Int(static_cast<int64_t>(package.bytes)));
  json.Set("files", std::move(files));
  return json;
}

// What the folder's manifest says; an empty object where there is none that can be read.
Json ReadManifest(const std::string& output_dir) {
  const auto text = bundle::ReadSmallFile(output_dir + "/" + kName, bundle::kMaxManifestBytes, kName);
  if (!text) return Json::Object();
  auto json = bundle::ParseJson(*text, {bundle::kMaxJsonDepth, kMaxValues}, kName);
  return json ? std::move(*json) : Json::Object();
}

// "" where the record is none.
std::string PathOf(const Json& package) {
  const Json* path = package.Find("path");
  return path != nullptr && path->is(Json::Type::kString) && bundle::IsSafePath(path->text) ? path->text : "";
}

}  // namespace

ExportManifest::ExportManifest(const ExportOptions& options, const std::string& weights_sha256,
                               const std::vector<PackagePlan>& plans)
    : output_dir_(options.output_dir) {
  const bool on_core_ml = options.format == ExportFormat::kCoreMl;
  head_.Set("schema_version", Json::Int(1));
  head_.Set("generated_by", Json::Text(std::string("koe ") + KOE_VERSION));
  head_.Set("format", Json::Text(on_core_ml ? "coreml" : "onnx"));
  head_.Set("precision", Json::Text(options.precision == ExportPrecision::kFp16 ? "fp16" : "fp32"));
  head_.Set("half_tail", Json::Bool(options.half_tail));
  head_.Set("contract", Json::Text(options.contract == ExportContract::kCard ? "card" : "current"));
  head_.Set("weights_sha256", Json::Text(weights_sha256));

  const Json before = ReadManifest(output_dir_);
  const Json* packages = before.Find("packages");
  const bool is_alike = std::all_of(head_.members.begin(), head_.members.end(), [&](const auto& member) {
    const Json* value = before.Find(member.first);
    return value != nullptr && *value == member.second;
  });
  if (!is_alike || packages == nullptr || !packages->is(Json::Type::kArray)) return;
  for (const Json& package : packages->items) {
    const std::string path = PathOf(package);
    const bool is_planned = std::any_of(plans.begin(), plans.end(), [&](const PackagePlan& plan) {
      return path == plan.name + (on_core_ml ? ".mlpackage" : ".onnx");
    });
    std::error_code error;
    if (!path.empty() && !is_planned && fs::exists(fs::path(output_dir_) / path, error)) kept_.push_back(package);
  }
}

Result<void> ExportManifest::Begin() const {
  const fs::path path = fs::path(output_dir_) / kName;
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return {};
  if (kept_.empty() && fs::is_regular_file(status)) {
    fs::remove(path, error);
    if (error) return Error(ErrorCode::kIo, "export: " + path.string() + ": " + error.message());
    return {};
  }
  KOE_CHECK_OK(WriteSmallFile(output_dir_, kName, Text({})));
  return {};
}

Result<void> ExportManifest::Finish(const ExportReport& report) const {
  KOE_CHECK_OK(WriteSmallFile(output_dir_, kName, Text(report)));
  return {};
}

std::string ExportManifest::Text(const ExportReport& report) const {
  Json packages = Json::Array(), runtime = Json::Array(), json = head_;
  for (const ExportedPackage& package : report.packages) packages.items.push_back(PackageJson(package));
  packages.items.insert(packages.items.end(), kept_.begin(), kept_.end());
  for (const ExportedFile& file : report.runtime_files) runtime.items.push_back(FileJson(file));
  json.Set("packages", std::move(packages));
  json.Set("runtime_files", std::move(runtime));
  return bundle::WriteJson(json, 2) + "\n";
}

}  // namespace koe::exporter
