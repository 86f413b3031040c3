// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "bundle/build_inputs.h"
#include "bundle/bundle.h"
#include "bundle/convert.h"
#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/import.h"
#include "bundle/limits.h"
#include "bundle/manifests/download.h"
#include "bundle/quoted.h"
#include "bundle/staged_output.h"
#include "bundle/weights_file.h"

namespace koe::bundle {
namespace {

namespace fs = std::filesystem;

// An input of the caller's choice; links are followed, pipes and devices are not waited for.
Result<MappedFile> OpenInput(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return Error(ErrorCode::kNotFound, "file: " + path + ": not a regular file");
  }
  return MappedFile::Open(path);
}

// Paths of the voices by id.
Result<std::map<std::string, std::string>> ChooseVoices(const BundleBuildOptions& options) {
  std::map<std::string, std::string> found;
  if (!options.voices_dir.empty()) {
    std::error_code error;
    fs::directory_iterator it(options.voices_dir, error), end;
    for (; !error && it != end; it.increment(error)) {
      const fs::path& path = it->path();
      const std::string extension = path.extension().string(), id = path.stem().string();
      if ((extension != ".bin" && extension != ".pt") || fs::is_directory(path, error)) continue;
      if (!IsVoiceId(id)) {
        return Error(ErrorCode::kInvalidArgument, "voice: " + Quoted(path.string()) + ": an id is [A-Za-z0-9_-]{1,64}");
      }
      if (!found.emplace(id, path.string()).second) {
        return Error(ErrorCode::kInvalidArgument, "voice: '" + id + "': as .bin and as .pt in " + options.voices_dir);
      }
      if (found.size() > kMaxBundleFiles) return Error(ErrorCode::kInvalidArgument, "voices: too many files");
    }
    if (error) {
      return Error(error == std::errc::no_such_file_or_directory ? ErrorCode::kNotFound : ErrorCode::kIo,
                   "voices: '" + options.voices_dir + "': " + error.message());
    }
  }
  std::vector<std::string> wanted;
  if (options.profile == "starter") {
    wanted = {"af_heart"};
  } else if (options.profile == "custom") {
    wanted = options.voices;
    if (wanted.empty()) return Error(ErrorCode::kInvalidArgument, "profile: 'custom': no voices given");
  } else if (options.profile == "full") {
    if (found.empty() && !options.voices_dir.empty()) {
      return Error(ErrorCode::kNotFound, "voices: '" + options.voices_dir + "': no .bin or .pt files");
    }
    return found;
  } else {
    return Error(ErrorCode::kInvalidArgument, "profile: " + Quoted(options.profile) + ": not starter, full or custom");
  }
  std::map<std::string, std::string> chosen;
  for (const std::string& id : wanted) {
    const auto voice = found.find(id);
    if (voice == found.end()) {
      return Error(ErrorCode::kNotFound, "voice: " + Quoted(id) + ": not in '" + options.voices_dir + "'");
    }
    chosen.insert(*voice);
  }
  return chosen;
}

// What the dictionaries and models of the front end were made from: of another repository than the weights, mostly.
Result<void> CheckOtherInputs(const BundleBuildOptions& options, const InputCheck& inputs) {
  if (!inputs.is_present()) return {};
  std::vector<std::string> paths;
  if (!options.vocab_path.empty()) paths.push_back(options.vocab_path);
  for (const char* name : {"us_gold.json", "us_silver.json", "gb_gold.json", "gb_silver.json"}) {
    if (!options.lexicons_dir.empty()) paths.push_back(options.lexicons_dir + "/" + name);
  }
  for (const char* name : {"en.tagger", "en.l2s"}) {
    if (!options.g2p_dir.empty()) paths.push_back(options.g2p_dir + "/" + name);
  }
  for (const std::string& path : paths) {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) continue;  // whoever needs it says so
    KOE_TRY(const MappedFile file, OpenInput(path));
    KOE_CHECK_OK(inputs.NotContradicted(path, file.bytes()));
  }
  return {};
}

Result<std::vector<float>> ReadVoice(const std::string& id, const std::string& path, const InputCheck& inputs,
                                     const Architecture& architecture) {
  KOE_TRY(const MappedFile file, OpenInput(path));
  if (file.bytes().size() > kMaxVoiceFileBytes) {
    return Error(ErrorCode::kCorruptBundle,
                 "voice: '" + id + "': more than " + std::to_string(kMaxVoiceFileBytes) + " bytes");
  }
  KOE_CHECK_OK(inputs.Listed(path, file.bytes()));
  const bool is_torch = path.size() > 3 && path.compare(path.size() - 3, 3, ".pt") == 0;
  auto values = is_torch ? ImportVoiceTorch(file.bytes(), architecture) : ImportVoiceBin(file.bytes(), architecture);
  if (!values) return values.error().WithContext(path);
  return values;
}

Result<void> CheckExtraFiles(const std::vector<ExtraFile>& extra_files) {
  for (const ExtraFile& extra : extra_files) {
    if (!IsSafePath(extra.path) ||
        extra.path.compare(0, std::string_view(kLexiconFolder).size(), kLexiconFolder) != 0) {
      return Error(ErrorCode::kInvalidArgument, "extra file: " + Quoted(extra.path) + ": not a path below lexicon/");
    }
    if (extra.bytes.size() > kMaxExtraFileBytes) {
      return Error(ErrorCode::kInvalidArgument, "extra file: " + Quoted(extra.path) + ": too large");
    }
  }
  return {};
}

// The name in the manifest is shown and must be printable.
std::string PrintableName(const std::string& path) {
  std::string name = fs::path(path).filename().string();
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) c = '?';
  }
  return name.substr(0, 255);
}

}  // namespace

Result<void> BuildBundle(const BundleBuildOptions& options, const std::vector<ExtraFile>& extra_files,
                         const Architecture& architecture) {
  const auto check_cancel = [&]() -> Result<void> {
    if (options.cancel == nullptr || !options.cancel->IsCancelled()) return {};
    return Error(ErrorCode::kCancelled, "bundle: '" + options.output_dir + "': cancelled");
  };
  const auto report = [&](double fraction, const std::string& what) -> Result<void> {
    if (options.progress) options.progress(fraction, what);
    return check_cancel();
  };
  KOE_TRY(const WeightsFormat format, WeightsFormatOfPath(options.weights_path));
  KOE_CHECK_OK(CheckOutputDirectory(options.output_dir,
                                    {options.weights_path, options.vocab_path, options.voices_dir, options.lexicons_dir,
                                     options.g2p_dir, options.download_manifest_path}));
  if (!options.sdk_commit.empty() && !IsSdkCommit(options.sdk_commit)) {
    return Error(ErrorCode::kInvalidArgument,
                 "commit: " + Quoted(options.sdk_commit) + ": not 7 to 40 hexadecimal digits, perhaps with -dirty");
  }
  if (options.serial > INT64_MAX) return Error(ErrorCode::kInvalidArgument, "serial: more than 63 bits");
  KOE_CHECK_OK(CheckExtraFiles(extra_files));
  KOE_TRY(const auto voice_paths, ChooseVoices(options));

  // Everything is read and checked before anything is written.
  InputCheck inputs;
  if (!options.download_manifest_path.empty()) {
    KOE_TRY(inputs, InputCheck::Load(options.download_manifest_path));
    KOE_CHECK_OK(CheckOtherInputs(options, inputs));
  }
  RuntimeManifest manifest;
  Vocab vocab = Vocab::Kokoro();
  if (!options.vocab_path.empty()) {
    KOE_TRY(const std::string text, ReadInputFile(options.vocab_path, kMaxVocabBytes));
    KOE_TRY(vocab, Vocab::Parse(text, architecture.vocab_rows));
  }
  KOE_CHECK_OK(report(0, "weights: reading"));
  KOE_TRY(const MappedFile weights_file, OpenInput(options.weights_path));
  KOE_CHECK_OK(inputs.Listed(options.weights_path, weights_file.bytes()));
  auto imported = ImportWeights(format, weights_file.bytes(), architecture);
  if (!imported) return imported.error().WithContext(options.weights_path);
  if (auto converted = ConvertTensors(options.precision, architecture.tensors, &*imported); !converted) {
    return converted.error();
  }
  const std::vector<ImportedTensor>& tensors = *imported;
  manifest.weights_source = {PrintableName(options.weights_path), WeightsFormatName(format),
                             weights_file.bytes().size(), Sha256Hex(weights_file.bytes())};
  KOE_CHECK_OK(report(0.4, "voices: reading"));
  std::map<std::string, std::vector<float>> voices;
  for (const auto& [id, path] : voice_paths) {
    KOE_CHECK_OK(check_cancel());
    KOE_TRY(voices[id], ReadVoice(id, path, inputs, architecture));
  }

  KOE_TRY(StagingDirectory staging, StagingDirectory::Create(options.output_dir));
  StagedOutput output(staging.path());
  KOE_CHECK_OK(report(0.5, "weights: writing"));
  KOE_TRY(manifest.weights, output.Put(kWeightsName, [&](const std::function<Result<void>(Bytes)>& sink) {
    return WriteWeightsFile(architecture.tensors, tensors, [&](Bytes part) -> Result<void> {
      KOE_CHECK_OK(check_cancel());
      return sink(part);
    });
  }));
  KOE_CHECK_OK(report(0.85, "voices: writing"));
  for (const auto& [id, values] : voices) {
    KOE_TRY(FileRecord record, output.Put(kVoicesFolder + id + ".bin", std::as_bytes(std::span<const float>(values))));
    manifest.voices.push_back(std::move(record));
  }
  KOE_TRY(manifest.vocab, output.Put(kVocabName, AsBytes(vocab.ToJson())));
  for (const ExtraFile& extra : extra_files) {
    KOE_TRY(FileRecord record, output.Put(extra.path, AsBytes(extra.bytes)));
    if (extra.path == "lexicon/us.lex") manifest.supported_languages.push_back("en-us");
    if (extra.path == "lexicon/gb.lex") manifest.supported_languages.push_back("en-gb");
    manifest.g2p_assets.push_back(std::move(record));
  }
  manifest.generated_at = ReproducibleTimestamp(inputs.manifest().generated_at);
  manifest.provenance = {options.sdk_commit, inputs.manifest().repo_id, inputs.manifest().revision, inputs.is_present(),
                         inputs.sha256()};
  manifest.generated_by = std::string("koe ") + KOE_VERSION;
  manifest.model = architecture.name;
  manifest.bundle_profile = options.profile;
  manifest.model_config = architecture.config;
  manifest.num_tensors = tensors.size();
  std::vector<DType> types;
  for (const ImportedTensor& tensor : tensors) types.push_back(tensor.dtype);
  manifest.tensor_precision = TensorPrecision(types);

  const std::string runtime_json = manifest.ToJson();
  // What is written must be readable: a limit that the inputs exceed shows here, not at the first start.
  KOE_CHECK_OK(RuntimeManifest::Parse(runtime_json));
  KOE_TRY(const FileRecord runtime, output.Put(kRuntimeManifestName, AsBytes(runtime_json)));
  HostedManifest hosted;
  hosted.version = options.profile + "-" + runtime.sha256.substr(0, 12);
  hosted.serial = options.serial;
  hosted.files = manifest.Files();
  hosted.files.push_back(runtime);
  SortByPath(&hosted.files);
  KOE_CHECK_OK(output.Put(kHostedManifestName, AsBytes(hosted.ToJson())));
  KOE_CHECK_OK(output.Put(kMarkerName, AsBytes(kMarkerText)));
  KOE_CHECK_OK(report(0.95, "bundle: moving into place"));
  KOE_CHECK_OK(output.SyncFolders());
  KOE_CHECK_OK(staging.Commit());
  if (options.progress) options.progress(1, "done");  // too late to cancel
  return {};
}

}  // namespace koe::bundle
