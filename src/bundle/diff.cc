// SPDX-License-Identifier: Apache-2.0
// In what two bundles differ, from their manifests.
#include <map>
#include <set>

#include "bundle/files.h"
#include "bundle/limits.h"
#include "bundle/manifests/hosted.h"
#include "bundle/manifests/runtime.h"
#include "bundle/publish.h"

namespace koe::bundle {
namespace {

struct Manifests {
  RuntimeManifest runtime;
  HostedManifest hosted;
};

Result<Manifests> ReadManifests(const std::string& dir) {
  Manifests m;
  KOE_TRY(const std::string runtime,
          ReadSmallFile(dir + "/" + kRuntimeManifestName, kMaxManifestBytes, kRuntimeManifestName));
  KOE_TRY(m.runtime, RuntimeManifest::Parse(runtime));
  KOE_TRY(const std::string hosted,
          ReadSmallFile(dir + "/" + kHostedManifestName, kMaxManifestBytes, kHostedManifestName));
  KOE_TRY(m.hosted, HostedManifest::Parse(hosted));
  return m;
}

// What a manifest says besides its files, each as one line.
std::vector<std::pair<std::string, std::string>> FieldsOf(const Manifests& m) {
  const RuntimeManifest& r = m.runtime;
  std::string languages;
  for (const std::string& language : r.supported_languages) languages += (languages.empty() ? "" : ", ") + language;
  const auto told = [](const std::string& text) { return text.empty() ? std::string("not told") : text; };
  return {{"version", m.hosted.version},
          {"serial", std::to_string(m.hosted.serial)},
          {"generated_at", r.generated_at},
          {"generated_by", r.generated_by},
          {"sdk_commit", told(r.provenance.sdk_commit)},
          {"hf_repo_id", told(r.provenance.hf_repo_id)},
          {"hf_artifact_revision", told(r.provenance.hf_artifact_revision)},
          {"hf_provenance_verified", r.provenance.hf_provenance_verified ? "true" : "false"},
          {"hf_download_manifest_sha256", told(r.provenance.hf_download_manifest_sha256)},
          {"model", r.model},
          {"bundle_profile", r.bundle_profile},
          {"supported_languages", languages.empty() ? "none" : languages},
          {"tensor_precision", r.tensor_precision},
          {"weights_source.file_name", r.weights_source.file_name},
          {"weights_source.format", r.weights_source.format},
          {"weights_source.bytes", std::to_string(r.weights_source.bytes)},
          {"weights_source.sha256", r.weights_source.sha256},
          {"weights.num_tensors", std::to_string(r.num_tensors)},
          {"model_config", WriteJson(r.model_config, 0)}};
}

std::string Describe(const FileRecord& file) { return std::to_string(file.bytes) + " bytes, " + file.sha256; }

}  // namespace

Result<std::vector<BundleChange>> DiffBundles(const std::string& before_dir, const std::string& after_dir) {
  KOE_TRY(const Manifests before, ReadManifests(before_dir));
  KOE_TRY(const Manifests after, ReadManifests(after_dir));
  std::vector<BundleChange> changes;
  const auto old_fields = FieldsOf(before), new_fields = FieldsOf(after);
  for (size_t i = 0; i < old_fields.size(); ++i) {
    if (old_fields[i].second == new_fields[i].second) continue;
    changes.push_back({BundleChange::Kind::kField, old_fields[i].first, old_fields[i].second, new_fields[i].second});
  }
  std::map<std::string, FileRecord> old_files, new_files;
  std::set<std::string> paths;
  for (const FileRecord& file : before.runtime.Files()) old_files[file.path] = file, paths.insert(file.path);
  for (const FileRecord& file : after.runtime.Files()) new_files[file.path] = file, paths.insert(file.path);
  for (const std::string& path : paths) {
    const auto was = old_files.find(path), is = new_files.find(path);
    if (was == old_files.end()) {
      changes.push_back({BundleChange::Kind::kAdded, path, "", Describe(is->second)});
    } else if (is == new_files.end()) {
      changes.push_back({BundleChange::Kind::kRemoved, path, Describe(was->second), ""});
    } else if (!(was->second == is->second)) {
      changes.push_back({BundleChange::Kind::kChanged, path, Describe(was->second), Describe(is->second)});
    }
  }
  return changes;
}

}  // namespace koe::bundle
