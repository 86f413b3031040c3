// SPDX-License-Identifier: Apache-2.0
#include "bundle/manifests/runtime.h"

#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/manifests/fields.h"
#include "bundle/manifests/provenance.h"
#include "bundle/quoted.h"

namespace koe::bundle {
namespace {

// voices/<id>.bin
bool IsVoicePath(const std::string& path) {
  constexpr std::string_view kEnd = ".bin";
  const size_t folder = std::string_view(kVoicesFolder).size();
  return path.starts_with(kVoicesFolder) && path.size() > folder + kEnd.size() && path.ends_with(kEnd) &&
         IsVoiceId(path.substr(folder, path.size() - folder - kEnd.size()));
}

Result<RuntimeManifest> ParseWithin(std::string_view json, const ManifestLimits& limits) {
  KOE_TRY(const Json root, ParseManifest(json, limits, kRuntimeManifestName));
  const Fields fields(root, kRuntimeManifestName);
  KOE_CHECK_OK(fields.SchemaVersion());
  RuntimeManifest m;
  KOE_TRY(m.generated_at, fields.Timestamp("generated_at"));
  KOE_TRY(m.generated_by, fields.Text("generated_by", 80));
  KOE_TRY(m.provenance, ReadProvenance(fields));
  KOE_TRY(m.model, fields.Text("model", 80));
  KOE_TRY(m.bundle_profile, fields.OneOf("bundle_profile", {"starter", "full", "custom"}));
  KOE_TRY(m.tensor_precision, fields.OneOf("tensor_precision", {"int8", "fp16", "fp32"}));
  KOE_TRY(m.supported_languages, fields.Texts("supported_languages", 2, 16));
  for (const std::string& language : m.supported_languages) {
    if (language != "en-us" && language != "en-gb") {
      return fields.Corrupt("supported_languages", "a language other than en-us and en-gb");
    }
  }
  KOE_TRY(const Fields source, fields.Object("weights_source"));
  KOE_TRY(m.weights_source.file_name, source.Text("file_name", 255));
  KOE_TRY(m.weights_source.format, source.Text("format", 16));
  KOE_TRY(m.weights_source.bytes, source.Count("bytes", kMaxModelFileBytes));
  KOE_TRY(m.weights_source.sha256, source.Digest("sha256"));

  KOE_TRY(const Fields weights, fields.Object("weights"));
  KOE_TRY(m.weights, weights.Record());
  if (m.weights.path != kWeightsName) return weights.Corrupt("path", "not " + std::string(kWeightsName));
  KOE_TRY(m.num_tensors, weights.Count("num_tensors", kMaxTensors));

  KOE_TRY(const Fields assets, fields.Object("runtime_assets"));
  KOE_TRY(m.vocab, assets.RecordOf("vocab"));
  if (m.vocab.path != kVocabName) return assets.Corrupt("vocab", "not " + std::string(kVocabName));

  KOE_TRY(m.voices, fields.Records("voices", limits.max_files));
  for (const FileRecord& voice : m.voices) {
    if (!IsVoicePath(voice.path)) return fields.Corrupt("voices", Quoted(voice.path) + " is not voices/<id>.bin");
  }
  KOE_TRY(m.g2p_assets, fields.Records("g2p_assets", limits.max_files));
  for (const FileRecord& asset : m.g2p_assets) {
    if (!asset.path.starts_with(kLexiconFolder)) {
      return fields.Corrupt("g2p_assets", Quoted(asset.path) + " is not below lexicon/");
    }
  }
  KOE_TRY(const Json* config, fields.Get("model_config", Json::Type::kObject));
  m.model_config = *config;
  KOE_CHECK_OK(CheckFiles(m.Files(), limits, kRuntimeManifestName));
  return m;
}

}  // namespace

void WriteProvenance(const Provenance& provenance, Json* object) {
  object->Set("sdk_commit", TextOrNull(provenance.sdk_commit));
  object->Set("hf_repo_id", TextOrNull(provenance.hf_repo_id));
  object->Set("hf_artifact_revision", TextOrNull(provenance.hf_artifact_revision));
  object->Set("hf_provenance_verified", Json::Bool(provenance.hf_provenance_verified));
  object->Set("hf_download_manifest_sha256", TextOrNull(provenance.hf_download_manifest_sha256));
}

Result<Provenance> ReadProvenance(const Fields& fields) {
  Provenance p;
  KOE_TRY(p.sdk_commit, fields.TextOrNone("sdk_commit", 46));
  if (!p.sdk_commit.empty() && !IsSdkCommit(p.sdk_commit)) return fields.Corrupt("sdk_commit", "not a commit");
  KOE_TRY(p.hf_repo_id, fields.TextOrNone("hf_repo_id", kMaxRepoIdBytes));
  KOE_TRY(p.hf_artifact_revision, fields.TextOrNone("hf_artifact_revision", 40));
  if (!p.hf_artifact_revision.empty() && !IsRevision(p.hf_artifact_revision)) {
    return fields.Corrupt("hf_artifact_revision", "not 40 lower-case hexadecimal digits");
  }
  KOE_TRY(p.hf_provenance_verified, fields.BoolOrFalse("hf_provenance_verified"));
  KOE_TRY(p.hf_download_manifest_sha256, fields.TextOrNone("hf_download_manifest_sha256", 64));
  if (!p.hf_download_manifest_sha256.empty() && !IsSha256Hex(p.hf_download_manifest_sha256)) {
    return fields.Corrupt("hf_download_manifest_sha256", "not 64 lower-case hexadecimal digits");
  }
  if (p.hf_provenance_verified && p.hf_download_manifest_sha256.empty()) {
    return fields.Corrupt("hf_provenance_verified", "true without hf_download_manifest_sha256");
  }
  return p;
}

std::string RuntimeManifest::ToJson() const {
  Json source = Json::Object();
  source.Set("file_name", Json::Text(weights_source.file_name));
  source.Set("format", Json::Text(weights_source.format));
  source.Set("bytes", Json::Int(static_cast<int64_t>(weights_source.bytes)));
  source.Set("sha256", Json::Text(weights_source.sha256));
  Json weights_json = bundle::ToJson(weights);
  weights_json.Set("num_tensors", Json::Int(static_cast<int64_t>(num_tensors)));
  Json assets = Json::Object();
  assets.Set("vocab", bundle::ToJson(vocab));

  Json root = Json::Object();
  root.Set("schema_version", Json::Int(kSchemaVersion));
  root.Set("generated_at", Json::Text(generated_at));
  root.Set("generated_by", Json::Text(generated_by));
  WriteProvenance(provenance, &root);
  root.Set("model", Json::Text(model));
  root.Set("bundle_profile", Json::Text(bundle_profile));
  root.Set("supported_languages", bundle::ToJson(supported_languages));
  root.Set("tensor_precision", Json::Text(tensor_precision));
  root.Set("weights_source", std::move(source));
  root.Set("weights", std::move(weights_json));
  root.Set("runtime_assets", std::move(assets));
  root.Set("voices", bundle::ToJson(voices));
  root.Set("g2p_assets", bundle::ToJson(g2p_assets));
  root.Set("model_config", model_config);
  return WriteJson(root, 2);
}

Result<RuntimeManifest> RuntimeManifest::Parse(std::string_view json) {
  auto manifest = ParseWithin(json, {});
  // A bundle on disk that is over a limit is a bad bundle; only whoever downloads asks which limit it was.
  if (!manifest && manifest.error().code() == ErrorCode::kTooLong) {
    return Error(ErrorCode::kCorruptBundle, manifest.error().message());
  }
  return manifest;
}

std::vector<FileRecord> RuntimeManifest::Files() const {
  std::vector<FileRecord> files = {weights, vocab};
  files.insert(files.end(), voices.begin(), voices.end());
  files.insert(files.end(), g2p_assets.begin(), g2p_assets.end());
  SortByPath(&files);
  return files;
}

}  // namespace koe::bundle
