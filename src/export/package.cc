// SPDX-License-Identifier: Apache-2.0
#include "export/package.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>

#include "bundle/digest.h"
#include "bundle/manifests/sdk.h"

namespace koe::exporter {
namespace {

namespace fs = std::filesystem;

constexpr int kFramesPerSecond = 40;
constexpr char kModelPath[] = "Data/com.apple.CoreML/model.mlmodel";
constexpr char kWeightsPath[] = "Data/com.apple.CoreML/weights/weight.bin";

// Identifiers are fixed, so that equal packages are equal bytes.
constexpr char kManifest[] = R"({
    "fileFormatVersion": "1.0.0",
    "itemInfoEntries": {
        "00000000-0000-4000-8000-000000000001": {
            "author": "com.apple.CoreML",
            "description": "CoreML Model Specification",
            "name": "model.mlmodel",
            "path": "com.apple.CoreML/model.mlmodel"
        },
        "00000000-0000-4000-8000-000000000002": {
            "author": "com.apple.CoreML",
            "description": "CoreML Model Weights",
            "name": "weights",
            "path": "com.apple.CoreML/weights"
        }
    },
    "rootModelIdentifier": "00000000-0000-4000-8000-000000000001"
}
)";

Error IoError(const fs::path& path, const std::string& why) {
  return Error(ErrorCode::kIo, "export: " + path.string() + ": " + why);
}

// A new file that is hashed while it is written.
class HashedFile {
 public:
  static Result<HashedFile> Create(const fs::path& path) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    std::FILE* file = std::fopen(path.c_str(), "wbx");
    if (file == nullptr) return IoError(path, std::strerror(errno));
    return HashedFile(file, path);
  }
  Result<void> Write(std::span<const std::byte> bytes) {
    sha_->Update(bytes);
    size_ += bytes.size();
    if (std::fwrite(bytes.data(), 1, bytes.size(), file_.get()) != bytes.size()) {
      return IoError(path_, std::strerror(errno));
    }
    return {};
  }
  Result<ExportedFile> Finish(const std::string& name) {
    if (std::fclose(file_.release()) != 0) return IoError(path_, std::strerror(errno));
    return ExportedFile{name, size_, sha_->FinishHex()};
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  HashedFile(std::FILE* file, fs::path path)
      : file_(file), path_(std::move(path)), sha_(std::make_unique<bundle::Sha256>()) {}
  std::unique_ptr<std::FILE, Close> file_;
  fs::path path_;
  std::unique_ptr<bundle::Sha256> sha_;
  uint64_t size_ = 0;
};

Result<ExportedFile> WriteBytes(const fs::path& path, const std::string& name, const std::string& bytes) {
  KOE_TRY(auto file, HashedFile::Create(path));
  KOE_CHECK_OK(file.Write(std::as_bytes(std::span(bytes))));
  return file.Finish(name);
}

// A name beside the final one, removed unless it has been renamed.
class Draft {
 public:
  static Result<Draft> Begin(const std::string& output_dir, const std::string& name) {
    const fs::path target = fs::path(output_dir) / name, draft = fs::path(output_dir) / ("." + name + ".partial");
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (error) return IoError(target.parent_path(), error.message());
    const fs::file_status status = fs::symlink_status(target, error);
    const bool is_package = fs::is_directory(status) && fs::is_regular_file(target / "Manifest.json", error);
    if (fs::exists(status) && !(name.ends_with(".mlpackage") ? is_package : fs::is_regular_file(status))) {
      return Error(ErrorCode::kInvalidArgument, "output: '" + target.string() + "': is in the way and not an export's");
    }
    fs::remove_all(draft, error);
    if (error) return IoError(draft, error.message());
    return Draft(target, draft);
  }
  Draft(Draft&& other) noexcept : target_(std::move(other.target_)), draft_(std::exchange(other.draft_, {})) {}
  Draft& operator=(Draft&&) = delete;
  ~Draft() {
    std::error_code ignored;
    if (!draft_.empty()) fs::remove_all(draft_, ignored);
  }
  const fs::path& path() const { return draft_; }
  Result<void> Commit() {
    std::error_code error;
    if (fs::is_directory(fs::symlink_status(target_, error))) fs::remove_all(target_, error);
    fs::rename(draft_, target_, error);
    if (error) return IoError(target_, error.message());
    draft_.clear();
    return {};
  }

 private:
  Draft(fs::path target, fs::path draft) : target_(std::move(target)), draft_(std::move(draft)) {}
  fs::path target_, draft_;
};

Result<std::vector<int>> Sizes(const std::vector<int>& given, int max, const char* what) {
  const std::set<int> sizes(given.begin(), given.end());
  if (sizes.empty()) return Error(ErrorCode::kInvalidArgument, std::string(what) + ": none: at least one is needed");
  for (const int size : sizes) {
    if (size >= 1 && size <= max) continue;
    return Error(ErrorCode::kInvalidArgument,
                 std::string(what) + ": " + std::to_string(size) + ": must be 1 to " + std::to_string(max));
  }
  return std::vector<int>(sizes.begin(), sizes.end());
}

std::string SizeName(ExportStage stage, int size) {
  switch (stage) {
    case ExportStage::kDuration:
      return "t" + std::to_string(size);
    case ExportStage::kF0Ntrain:
      return "t" + std::to_string(size * kFramesPerSecond);
    case ExportStage::kDecoderPre:
    case ExportStage::kGenerator:
      return std::to_string(size) + "s";
  }
  return "";
}

std::string FunctionName(ExportStage stage, int size) {
  const bool counts = stage == ExportStage::kDuration || stage == ExportStage::kF0Ntrain;
  return (counts ? "" : "bucket_") + SizeName(stage, size);
}

ExportedPackage Describe(std::string path, std::vector<ExportedFile> files) {
  ExportedPackage package;
  package.path = std::move(path);
  for (const ExportedFile& file : files) package.bytes += file.bytes;
  package.tree_sha256 = TreeDigest(files);
  package.files = std::move(files);
  return package;
}

}  // namespace

StageSpec SpecOf(const ExportOptions& options, ExportStage stage, int size) {
  StageSpec spec;
  spec.stage = stage;
  spec.length = stage == ExportStage::kDuration ? size : size * kFramesPerSecond;
  spec.half = options.precision == ExportPrecision::kFp16;
  spec.card = options.contract == ExportContract::kCard;
  spec.float_tail = !options.half_tail;
  return spec;
}

Result<std::vector<PackagePlan>> PlanPackages(const ExportOptions& options) {
  constexpr ExportStage kAll[] = {ExportStage::kDuration, ExportStage::kF0Ntrain, ExportStage::kDecoderPre,
                                  ExportStage::kGenerator};
  if (options.multifunction && options.format != ExportFormat::kCoreMl) {
    return Error(ErrorCode::kInvalidArgument, "multifunction: only Core ML has such packages");
  }
  if (options.half_tail && options.precision != ExportPrecision::kFp16) {
    return Error(ErrorCode::kInvalidArgument, "half tail: only fp16 has one");
  }
  KOE_TRY(const std::vector<int> tokens, Sizes(options.tokens, kMaxExportTokens, "tokens"));
  KOE_TRY(const std::vector<int> buckets, Sizes(options.buckets, kMaxExportSeconds, "buckets"));
  std::vector<PackagePlan> plans;
  for (const ExportStage stage : kAll) {
    if (!options.stages.empty() &&
        std::find(options.stages.begin(), options.stages.end(), stage) == options.stages.end()) {
      continue;
    }
    const std::string base = std::string("kokoro_") + ExportStageName(stage);
    const int spec_version = options.multifunction ? 9 : stage == ExportStage::kGenerator ? 7 : 6;
    const std::vector<int>& sizes = stage == ExportStage::kDuration ? tokens : buckets;
    if (options.multifunction) {
      PackagePlan plan{base + "_multifunction", stage, spec_version, {}};
      for (const int size : sizes) {
        plan.functions.push_back({FunctionName(stage, size), SpecOf(options, stage, size), size});
      }
      // One function is an ordinary package.
      if (plan.functions.size() == 1) plan.functions.front().name = "main";
      plans.push_back(std::move(plan));
      continue;
    }
    for (const int size : sizes) {
      const FunctionPlan function{"main", SpecOf(options, stage, size), size};
      plans.push_back({base + "_" + SizeName(stage, size), stage, spec_version, {function}});
      // The card lists the package of 128 tokens under its old name too.
      if (stage == ExportStage::kDuration && size == 128 && options.contract == ExportContract::kCard) {
        plans.push_back({base, stage, spec_version, {function}});
      }
    }
  }
  return plans;
}

std::string TreeDigest(const std::vector<ExportedFile>& files) {
  std::vector<bundle::FileRecord> records;
  for (const ExportedFile& file : files) records.push_back({file.path, file.bytes, file.sha256});
  return bundle::TreeDigest(std::move(records));
}

Result<ExportedPackage> WriteMlPackage(const std::string& output_dir, const std::string& name, const std::string& model,
                                       const BlobFile& blobs) {
  const std::string path = name + ".mlpackage";
  KOE_TRY(Draft draft, Draft::Begin(output_dir, path));
  std::vector<ExportedFile> files(3);
  KOE_TRY(files[0], WriteBytes(draft.path() / kModelPath, kModelPath, model));
  KOE_TRY(auto weights, HashedFile::Create(draft.path() / kWeightsPath));
  KOE_CHECK_OK(blobs.Write([&](std::span<const std::byte> bytes) { return weights.Write(bytes); }));
  KOE_TRY(files[1], weights.Finish(kWeightsPath));
  KOE_TRY(files[2], WriteBytes(draft.path() / "Manifest.json", "Manifest.json", kManifest));
  KOE_CHECK_OK(draft.Commit());
  return Describe(path, std::move(files));
}

Result<ExportedPackage> WriteOnnxModel(const std::string& output_dir, const std::string& name,
                                       const std::string& model) {
  const std::string path = name + ".onnx";
  KOE_TRY(const ExportedFile file, WriteSmallFile(output_dir, path, model));
  return Describe(path, {file});
}

Result<ExportedFile> WriteSmallFile(const std::string& output_dir, const std::string& path, const std::string& text) {
  const fs::path relative(path);
  const std::string folder = (fs::path(output_dir) / relative.parent_path()).string();
  KOE_TRY(Draft draft, Draft::Begin(folder, relative.filename().string()));
  KOE_TRY(ExportedFile file, WriteBytes(draft.path(), path, text));
  KOE_CHECK_OK(draft.Commit());
  return file;
}

}  // namespace koe::exporter
