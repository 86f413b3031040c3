// SPDX-License-Identifier: Apache-2.0
// RuntimeManifest.json and HostedManifest.json. docs/bundle_format.md lists the fields.
#ifndef KOE_BUNDLE_MANIFEST_H_
#define KOE_BUNDLE_MANIFEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bundle/json.h"
#include "koe/result.h"

namespace koe::bundle {

inline constexpr char kRuntimeManifestName[] = "RuntimeManifest.json";
inline constexpr char kHostedManifestName[] = "HostedManifest.json";
inline constexpr char kWeightsName[] = "weights.safetensors";
inline constexpr char kVocabName[] = "vocab.json";
inline constexpr char kVoicesFolder[] = "voices/";
inline constexpr char kLexiconFolder[] = "lexicon/";
inline constexpr char kTaggerPath[] = "lexicon/en.tagger";
inline constexpr char kLetterToSoundPath[] = "lexicon/en.l2s";
inline constexpr int64_t kSchemaVersion = 1;

struct FileRecord {
  std::string path;  // relative to the bundle
  uint64_t bytes = 0;
  std::string sha256;
  bool operator==(const FileRecord&) const = default;
};

struct WeightsSource {
  std::string file_name;
  std::string format;  // onnx, pth, safetensors
  uint64_t bytes = 0;
  std::string sha256;
};

// What the engine reads. Every string is printable, every path safe and where its kind belongs, every digest well
// formed.
struct RuntimeManifest {
  std::string generated_at;    // ISO 8601, UTC
  std::string generated_by;    // "koe 0.1.0"
  std::string model;           // kokoro-82m
  std::string bundle_profile;  // starter, full, custom
  std::vector<std::string> supported_languages;
  std::string tensor_precision;
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

// What a download needs: every file of the bundle but this one and the marker, sorted by path.
struct HostedManifest {
  std::string version;
  std::vector<FileRecord> files;

  std::string ToJson() const;
  static Result<HostedManifest> Parse(std::string_view json);
};

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_MANIFEST_H_
