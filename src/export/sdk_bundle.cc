// SPDX-License-Identifier: Apache-2.0
#include "export/sdk_bundle.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "bundle/bundle.h"
#include "bundle/quoted.h"
#include "bundle/sdk_bundle.h"
#include "bundle/staged_output.h"
#include "export/export.h"
#include "export/package.h"

namespace koe::exporter {
namespace {

using bundle::FileRecord;

// What a profile consists of: one export of each.
struct Recipe {
  std::vector<std::string> voices;
  std::vector<int> buckets, tokens;
  std::vector<ExportOptions> exports;
};

// The seed's English voices: af_*, am_*, bf_*, bm_*.
bool IsEnglish(const std::string& voice) {
  return voice.size() > 3 && (voice[0] == 'a' || voice[0] == 'b') && (voice[1] == 'f' || voice[1] == 'm') &&
         voice[2] == '_';
}

Result<Recipe> RecipeOf(const SdkBundleOptions& options, const bundle::Bundle& bundle) {
  const auto invalid = [](const std::string& message) { return Error(ErrorCode::kInvalidArgument, message); };
  const bool is_custom = options.profile == "custom";
  if (is_custom != !options.voices.empty() || is_custom != !options.buckets.empty()) {
    return invalid("profile: " + bundle::Quoted(options.profile) +
                   (is_custom ? ": needs voices and buckets" : ": has its own voices and buckets"));
  }
  Recipe recipe;
  ExportOptions separate;
  if (options.profile == "starter" || is_custom) {
    recipe.voices = is_custom ? options.voices : std::vector<std::string>{"af_heart"};
    separate.tokens = {bundle::kSdkTokens};
    separate.buckets = is_custom ? options.buckets : std::vector<int>{15};
    recipe.exports = {separate};
  } else if (options.profile == "full") {
    for (const std::string& voice : bundle.voices()) {
      if (IsEnglish(voice)) recipe.voices.push_back(voice);
    }
    // The seed has a generator of its own for every length; ours are one a bucket.
    ExportOptions shared;
    shared.multifunction = true;
    shared.stages = {ExportStage::kDuration, ExportStage::kF0Ntrain, ExportStage::kDecoderPre};
    separate.stages = {ExportStage::kGenerator};
    recipe.exports = {shared, separate};
  } else {
    return invalid("profile: " + bundle::Quoted(options.profile) + ": not starter, custom or full");
  }
  recipe.tokens = separate.tokens;
  recipe.buckets = separate.buckets;
  for (std::vector<int>* sizes : {&recipe.tokens, &recipe.buckets}) {
    std::sort(sizes->begin(), sizes->end());
    sizes->erase(std::unique(sizes->begin(), sizes->end()), sizes->end());
  }
  std::sort(recipe.voices.begin(), recipe.voices.end());
  recipe.voices.erase(std::unique(recipe.voices.begin(), recipe.voices.end()), recipe.voices.end());
  for (const std::string& voice : recipe.voices) KOE_CHECK_OK(bundle.LoadVoice(voice));
  for (const ExportOptions& part : recipe.exports) KOE_CHECK_OK(PlanPackages(part));
  return recipe;
}

// Packages are written without waiting for the disk.
Result<void> SyncFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int code = errno;
  if (fd >= 0) close(fd);
  if (!synced) return Error(ErrorCode::kIo, "file: " + path + ": " + std::strerror(code));
  return {};
}

FileRecord RecordOf(const ExportedFile& file) { return {file.path, file.bytes, file.sha256}; }

bundle::SdkPackage PackageOf(const ExportedPackage& exported) {
  bundle::SdkPackage package;
  package.path = bundle::kSdkPackageFolder + exported.path;
  for (const ExportedFile& file : exported.files) package.files.push_back(RecordOf(file));
  bundle::SortByPath(&package.files);
  package.tree_sha256 = exported.tree_sha256;
  return package;
}

Result<void> WriteStages(const Recipe& recipe, const SdkBundleOptions& options, const std::string& root,
                         const bundle::Bundle& bundle, bundle::SdkManifest* manifest) {
  KOE_TRY(const auto weights, bundle.OpenWeights());
  ExportReport report;
  double done = 0;
  for (ExportOptions part : recipe.exports) {
    const double share = 0.9 / static_cast<double>(recipe.exports.size()), before = done;
    part.output_dir = root + "/" + bundle::kSdkPackageFolder;
    part.cancel = options.cancel;
    if (options.progress) {
      part.progress = [&, share, before](double fraction, const std::string& what) {
        options.progress(before + share * fraction, what);
      };
    }
    KOE_CHECK_OK(WritePackages(part, bundle, *weights, &report));
    done += share;
  }
  KOE_TRY(const std::vector<ExportedFile> runtime, WriteRuntimeFiles(root, bundle, *weights));
  manifest->vocab = RecordOf(runtime.at(0));
  manifest->harmonics = RecordOf(runtime.at(1));
  for (const ExportedPackage& package : report.packages) manifest->packages.push_back(PackageOf(package));
  std::sort(manifest->packages.begin(), manifest->packages.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return {};
}

}  // namespace

Result<SdkBundleReport> BuildSdkBundle(const SdkBundleOptions& options) {
  KOE_CHECK_OK(bundle::CheckOutputDirectory(options.output_dir, {options.bundle_dir}, bundle::kSdkMarker));
  KOE_TRY(const auto bundle, bundle::Bundle::Open(options.bundle_dir));
  KOE_TRY(const Recipe recipe, RecipeOf(options, *bundle));
  bundle::SdkManifest manifest;
  manifest.provenance = bundle->manifest().provenance;
  if (!options.sdk_commit.empty()) manifest.provenance.sdk_commit = options.sdk_commit;
  if (!bundle::IsSdkCommit(manifest.provenance.sdk_commit)) {
    return Error(ErrorCode::kInvalidArgument, "commit: " + bundle::Quoted(manifest.provenance.sdk_commit) +
                                                  ": not 7 to 40 hexadecimal digits, perhaps with -dirty");
  }
  manifest.generated_at = bundle::ReproducibleTimestamp(bundle->manifest().generated_at);
  manifest.weights_sha256 = bundle->manifest().weights_source.sha256;
  manifest.bundle_profile = options.profile;
  manifest.supported_languages = {"en-US"};  // the seed's, British voices or not
  manifest.buckets = recipe.buckets;
  manifest.duration_token_sizes = recipe.tokens;

  KOE_TRY(bundle::StagingDirectory staging, bundle::StagingDirectory::Create(options.output_dir));
  bundle::StagedOutput output(staging.path());
  KOE_CHECK_OK(WriteStages(recipe, options, staging.path(), *bundle, &manifest));
  for (const std::string& voice : recipe.voices) {
    const std::string path = bundle::kVoicesFolder + voice + ".bin";
    KOE_TRY(const MappedFile file, bundle->OpenFile(path));
    KOE_TRY(FileRecord record, output.Put(path, file.bytes()));
    manifest.voices.push_back(std::move(record));
  }
  const std::string runtime_json = manifest.ToJson();
  KOE_CHECK_OK(bundle::SdkManifest::Parse(runtime_json));  // what is written must be readable
  KOE_TRY(const FileRecord runtime, output.Put(bundle::kSdkManifestName, bundle::AsBytes(runtime_json)));
  std::vector<FileRecord> files = manifest.Files();
  files.push_back(runtime);
  bundle::SortByPath(&files);
  const std::string hosted_json = bundle::SdkHostedJson(bundle::SdkHostedVersion(manifest), files);
  KOE_CHECK_OK(output.Put(bundle::kHostedManifestName, bundle::AsBytes(hosted_json)));
  KOE_CHECK_OK(output.Put(bundle::kSdkMarker.name, bundle::AsBytes(bundle::kSdkMarker.text)));
  if (options.progress) options.progress(0.95, "checking");
  if (options.cancel != nullptr && options.cancel->IsCancelled()) {
    return Error(ErrorCode::kCancelled, "bundle: '" + options.output_dir + "': cancelled");
  }
  for (const FileRecord& file : files) KOE_CHECK_OK(SyncFile(staging.path() + "/" + file.path));
  KOE_CHECK_OK(output.SyncFolders());
  KOE_TRY(SdkBundleReport report, bundle::ValidateSdkBundle(staging.path()));
  KOE_CHECK_OK(staging.Commit());
  report.path = options.output_dir;
  if (options.progress) options.progress(1, "done");
  return report;
}

}  // namespace koe::exporter
