// SPDX-License-Identifier: Apache-2.0
// RuntimeManifest.json: what the engine reads.
#ifndef KOE_BUNDLE_MANIFESTS_RUNTIME_H_
#define KOE_BUNDLE_MANIFESTS_RUNTIME_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/json.h"
#include "bundle/manifests/file_record.h"
#include "koe/result.h"

namespace koe::bundle {

inline constexpr char kWeightsName[] = "weights.safetensors";
inline constexpr char kVocabName[] = "vocab.json";
inline constexpr char kVoicesFolder[] = "voices/";
inline constexpr char kLexiconFolder[] = "lexicon/";
inline constexpr char kTaggerPath[] = "lexicon/en.tagger";
inline constexpr char kLetterToSoundPath[] = "lexicon/en.l2s";

struct WeightsSource {
  std::string file_name;
  std::string format;  // onnx, pth, safetensors
  uint64_t bytes = 0;
  std::string sha256;
};

// Where the inputs of a build came from, as far as the publisher says; hosted and release manifests repeat it.
struct Provenance {
  std::string sdk_commit;                   // of the koe that built; "": not told
  std::string hf_repo_id;                   // "hexgrad/Kokoro-82M"; "": not told
  std::string hf_artifact_revision;         // 40 hexadecimal digits: the commit the inputs were compared with
  bool hf_provenance_verified = false;      // every input was in the download manifest with its size and digest
  std::string hf_download_manifest_sha256;  // of that manifest; "": there was none
  bool operator==(const Provenance&) const = default;
};

// Every string is printable, every path safe and where its kind belongs, every digest well formed.
struct RuntimeManifest {
  std::string generated_at;  // IsTimestamp
  std::string generated_by;  // "koe 0.1.0"
  Provenance provenance;
  std::string model;           // kokoro-82m
  std::string bundle_profile;  // starter, full, custom
  std::vector<std::string> supported_languages;
  std::string tensor_precision;  // int8, fp16, fp32
  WeightsSource weights_source;
  Json model_config;
  FileRecord weights;
  uint64_t num_tensors = 0;
  FileRecord vocab;
  std::vector<FileRecord> voices;
  std::vector<FileRecord> g2p_assets;

  std::string ToJson() const;
  // kCorruptBundle names the field; kUnsupported: another schema_version.
  static Result<RuntimeManifest> Parse(std::string_view json);
  // Every file it names, sorted by path.
  std::vector<FileRecord> Files() const;
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_MANIFESTS_RUNTIME_H_
