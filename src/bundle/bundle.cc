// SPDX-License-Identifier: Apache-2.0
#include "bundle/bundle.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>

#include "base/edit_distance.h"
#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/import.h"
#include "bundle/limits.h"
#include "bundle/quoted.h"
#include "bundle/store_path.h"
#include "bundle/weights_file.h"

namespace koe::bundle {
namespace {

Error UnknownVoice(const std::string& id, const std::vector<std::string>& voices) {
  std::string message = "voice: " + Quoted(id) + ": not in the bundle";
  const std::string* nearest = NearestName(std::string_view(id).substr(0, kMaxVoiceIdBytes), voices);
  if (nearest != nullptr) message += " (nearest: '" + *nearest + "')";
  return Error(ErrorCode::kInvalidArgument, message);
}

std::string VoiceIdOfPath(const std::string& path) {
  const size_t folder = std::string_view(kVoicesFolder).size();
  return path.substr(folder, path.size() - folder - 4);
}

const char* LexiconPath(Language language) {
  return language == Language::kBritishEnglish ? "lexicon/gb.lex" : "lexicon/us.lex";
}

Result<RuntimeManifest> ReadManifest(const std::string& dir) {
  struct stat info;
  if (stat(dir.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return Error(ErrorCode::kNotFound, "bundle: '" + dir + "': no such directory");
  }
  auto text = ReadSmallFile(dir + "/" + kRuntimeManifestName, kMaxManifestBytes, kRuntimeManifestName);
  if (!text && text.error().code() == ErrorCode::kNotFound) {
    return Error(ErrorCode::kNotFound, "bundle: '" + dir + "': no " + kRuntimeManifestName + " in it");
  }
  if (!text) return text.error();
  return RuntimeManifest::Parse(*text);
}

// A file that a bundle must have: its absence is damage, not a wrong name.
Error AsDamage(const Error& error) {
  return error.code() == ErrorCode::kNotFound ? Error(ErrorCode::kCorruptBundle, error.message()) : error;
}

Result<std::string> ReadRequired(const std::string& dir, const char* name, size_t max_bytes) {
  auto text = ReadSmallFile(dir + "/" + name, max_bytes, name);
  if (!text) return AsDamage(text.error());
  return text;
}

BundleReport ReportOf(const std::string& dir, const RuntimeManifest& manifest) {
  BundleReport report;
  report.path = dir;
  report.profile = manifest.bundle_profile;
  report.generated_by = manifest.generated_by;
  report.weights_source = manifest.weights_source.file_name;
  report.weights_sha256 = manifest.weights_source.sha256;
  report.tensor_precision = manifest.tensor_precision;
  report.languages = manifest.supported_languages;
  for (const FileRecord& voice : manifest.voices) report.voices.push_back(VoiceIdOfPath(voice.path));
  for (const FileRecord& file : manifest.Files()) {
    ++report.num_files;
    report.num_bytes += file.bytes;
  }
  report.num_tensors = manifest.num_tensors;
  report.generated_at = manifest.generated_at;
  report.sdk_commit = manifest.provenance.sdk_commit;
  report.repo_id = manifest.provenance.hf_repo_id;
  report.revision = manifest.provenance.hf_artifact_revision;
  report.provenance_verified = manifest.provenance.hf_provenance_verified;
  // Absent or broken: validate's to say; what is shown comes from the manifest the engine reads.
  if (const auto text = ReadSmallFile(dir + "/" + kHostedManifestName, kMaxManifestBytes, kHostedManifestName)) {
    if (const auto hosted = HostedManifest::Parse(*text)) {
      report.hosted_version = hosted->version;
      report.serial = hosted->serial;
    }
  }
  struct stat info;
  report.is_signed = lstat((dir + "/" + kHostedSignatureName).c_str(), &info) == 0 && S_ISREG(info.st_mode);
  return report;
}

}  // namespace

struct Bundle::State {
  std::string dir;
  BundleInUse in_use;
  Digests digests = Digests::kOnce;
  const Architecture* architecture = nullptr;
  RuntimeManifest manifest;
  std::map<std::string, FileRecord> files;
  Vocab vocab;
  std::vector<std::string> voices;

  std::shared_ptr<ResourceProvider> provider;  // null: opened by path
  bool is_provided = false;                    // files come from it, not from `dir`

  std::mutex mutex;
  std::set<std::string> verified;  // of those that are provided: what is offered does not change
  std::map<std::string, std::vector<float>> loaded_voices;
  std::mutex weights_mutex;
  std::weak_ptr<const Weights> weights;
};

Bundle::Bundle(std::unique_ptr<State> state) : state_(std::move(state)) {}
Bundle::~Bundle() = default;

Result<std::shared_ptr<const Bundle>> Bundle::Open(const std::string& dir, Digests digests,
                                                   const Architecture& architecture) {
  auto state = std::make_unique<State>();
  state->digests = digests;
  state->architecture = &architecture;
  // A store's version may be replaced and removed between being found and being held: then it is looked for again.
  for (int attempt = 0;; ++attempt) {
    KOE_TRY(state->dir, ResolveStore(dir));
    state->in_use = BundleInUse(state->dir);
    auto manifest = ReadManifest(state->dir);
    if (manifest) return Finish(std::move(state), std::move(*manifest));
    if (attempt == 4 || manifest.error().code() != ErrorCode::kNotFound || !IsStore(dir)) return manifest.error();
  }
}

Result<std::shared_ptr<const Bundle>> Bundle::Open(std::shared_ptr<ResourceProvider> provider, Digests digests,
                                                   const ProviderProgressCallback& progress, const CancelToken* cancel,
                                                   const Architecture& architecture) {
  if (provider == nullptr) return Error(ErrorCode::kInvalidArgument, "provider: none");
  KOE_CHECK_OK(provider->Prepare(progress, cancel));
  if (const std::string dir = provider->Directory(); !dir.empty()) {
    KOE_TRY(auto bundle, Open(dir, digests, architecture));
    bundle->state_->provider = std::move(provider);  // lives as long: it may hold a lock on the directory
    return bundle;
  }
  auto state = std::make_unique<State>();
  state->dir = provider->Name();
  state->digests = digests;
  state->architecture = &architecture;
  KOE_TRY(const auto text, provider->Open(kRuntimeManifestName, kMaxManifestBytes));
  KOE_TRY(RuntimeManifest manifest, RuntimeManifest::Parse(AsText(text->bytes())));
  state->is_provided = true;
  state->provider = std::move(provider);
  return Finish(std::move(state), std::move(manifest));
}

Result<std::shared_ptr<const Bundle>> Bundle::Finish(std::unique_ptr<State> state, RuntimeManifest manifest) {
  const Architecture& architecture = *state->architecture;
  state->manifest = std::move(manifest);
  if (state->manifest.model != architecture.name || !(state->manifest.model_config == architecture.config)) {
    return Error(ErrorCode::kUnsupported, "bundle: '" + state->dir + "': made for a model that is not the " +
                                              architecture.name + " of this build");
  }
  for (const FileRecord& file : state->manifest.Files()) state->files[file.path] = file;
  for (const FileRecord& voice : state->manifest.voices) state->voices.push_back(VoiceIdOfPath(voice.path));
  std::sort(state->voices.begin(), state->voices.end());
  std::shared_ptr<Bundle> bundle(new Bundle(std::move(state)));
  KOE_TRY(const MappedFile vocab, bundle->OpenFile(kVocabName));
  KOE_TRY(bundle->state_->vocab, Vocab::Parse(AsText(vocab.bytes()), architecture.vocab_rows));
  return std::shared_ptr<const Bundle>(std::move(bundle));
}

Result<MappedFile> Bundle::OpenProvided(const FileRecord& file) const {
  const auto corrupt = [&](const std::string& why) {
    return Error(ErrorCode::kCorruptBundle, "file: " + file.path + ": " + why);
  };
  auto opened = state_->provider->Open(file.path, file.bytes);
  if (!opened) return AsDamage(opened.error());
  const std::shared_ptr<const ResourceBytes> owner = std::move(*opened);
  if (owner == nullptr) return corrupt("the provider gave nothing");
  const Bytes bytes = owner->bytes();
  if (bytes.size() != file.bytes) {
    return corrupt(std::to_string(bytes.size()) + " bytes, the manifest says " + std::to_string(file.bytes));
  }
  if (!bytes.empty() && reinterpret_cast<uintptr_t>(bytes.data()) % kTensorAlignment != 0) {
    return Error(ErrorCode::kInternal, "provider: " + file.path + ": bytes that are not 64-byte aligned");
  }
  bool is_known = state_->digests == Digests::kNotChecked;
  if (state_->digests == Digests::kOnce) {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    is_known = state_->verified.count(file.path) != 0;
  }
  if (!is_known) {
    const std::string digest = Sha256Hex(bytes);
    if (digest != file.sha256) return corrupt("SHA-256 is " + digest + ", the manifest says " + file.sha256);
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->verified.insert(file.path);
  }
  return MappedFile::OfMemory(bytes, owner);
}

const std::string& Bundle::dir() const { return state_->dir; }
bool Bundle::is_provided() const { return state_->is_provided; }
const RuntimeManifest& Bundle::manifest() const { return state_->manifest; }
const Vocab& Bundle::vocab() const { return state_->vocab; }
const std::vector<std::string>& Bundle::voices() const { return state_->voices; }

Result<MappedFile> Bundle::OpenFile(const std::string& path) const {
  const auto found = state_->files.find(path);
  if (found == state_->files.end()) {
    return Error(ErrorCode::kNotFound, "file: " + path.substr(0, kMaxPathBytes) + ": not in the bundle");
  }
  const FileRecord& file = found->second;
  if (state_->is_provided) return OpenProvided(file);
  if (auto inside = CheckInside(state_->dir, path); !inside) return AsDamage(inside.error());
  const std::string full_path = state_->dir + "/" + path;
  if (state_->digests != Digests::kNotChecked) {
    return OpenVerified(full_path, path, file.bytes, file.sha256, state_->digests == Digests::kOnce);
  }
  auto mapped = MappedFile::Open(full_path);
  if (!mapped) return AsDamage(mapped.error());
  if (mapped->bytes().size() != file.bytes) {
    return Error(ErrorCode::kCorruptBundle, "file: " + path + ": another size than the manifest says");
  }
  return mapped;
}

Result<std::span<const float>> Bundle::LoadVoice(const std::string& id) const {
  if (!std::binary_search(state_->voices.begin(), state_->voices.end(), id)) return UnknownVoice(id, state_->voices);
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    const auto found = state_->loaded_voices.find(id);
    if (found != state_->loaded_voices.end()) return std::span<const float>(found->second);
  }
  KOE_TRY(const MappedFile file, OpenFile(kVoicesFolder + id + ".bin"));
  auto values = ImportVoiceBin(file.bytes(), *state_->architecture);
  if (!values) return values.error().WithContext(id);
  std::lock_guard<std::mutex> lock(state_->mutex);
  // A thread that was quicker wins; spans into a map's vectors stay valid.
  return std::span<const float>(state_->loaded_voices.emplace(id, std::move(*values)).first->second);
}

Result<std::shared_ptr<const Weights>> Bundle::OpenWeights() const {
  std::lock_guard<std::mutex> lock(state_->weights_mutex);
  if (auto open = state_->weights.lock()) return open;
  KOE_TRY(MappedFile file, OpenFile(kWeightsName));
  KOE_TRY(auto weights, Weights::Open(std::move(file), state_->architecture->tensors));
  state_->weights = weights;
  return weights;
}

bool Bundle::HasFile(const std::string& path) const { return state_->files.count(path) != 0; }

bool Bundle::HasLexicon(Language language) const { return HasFile(LexiconPath(language)); }

Result<MappedFile> Bundle::OpenLexicon(Language language) const {
  if (!HasLexicon(language)) {
    return Error(ErrorCode::kNotFound,
                 "lexicon: " + std::string(LexiconPath(language)) + ": the bundle was built without dictionaries");
  }
  return OpenFile(LexiconPath(language));
}

Result<BundleReport> ReadBundle(const std::string& dir) {
  KOE_TRY(const std::string resolved, ResolveStore(dir));
  KOE_TRY(const RuntimeManifest manifest, ReadManifest(resolved));
  return ReportOf(resolved, manifest);
}

Result<BundleReport> ValidateBundle(const std::string& given_dir, const Architecture& architecture) {
  KOE_TRY(const std::shared_ptr<const Bundle> bundle, Bundle::Open(given_dir, Digests::kAlways, architecture));
  const std::string& dir = bundle->dir();
  const RuntimeManifest& manifest = bundle->manifest();

  KOE_TRY(const std::string hosted_text, ReadRequired(dir, kHostedManifestName, kMaxManifestBytes));
  KOE_TRY(const HostedManifest hosted, HostedManifest::Parse(hosted_text));
  KOE_TRY(const std::string runtime_text, ReadRequired(dir, kRuntimeManifestName, kMaxManifestBytes));
  std::vector<FileRecord> expected = manifest.Files();
  expected.push_back({kRuntimeManifestName, runtime_text.size(), Sha256Hex(AsBytes(runtime_text))});
  SortByPath(&expected);
  if (hosted.files != expected) {
    return Error(ErrorCode::kCorruptBundle,
                 std::string(kHostedManifestName) + ": files: not those of " + kRuntimeManifestName);
  }

  KOE_TRY(const std::vector<std::string> present, ListFiles(dir, kMaxBundleFiles));
  std::vector<std::string> allowed = {kMarkerName, kHostedManifestName, kHostedSignatureName};
  for (const FileRecord& file : expected) allowed.push_back(file.path);
  for (const std::string& path : present) {
    if (std::find(allowed.begin(), allowed.end(), path) == allowed.end()) {
      return Error(ErrorCode::kCorruptBundle, "file: " + path + ": in the directory but not in the manifest");
    }
  }
  KOE_TRY(const std::string marker, ReadRequired(dir, kMarkerName, 64));
  if (marker != kMarkerText) return Error(ErrorCode::kCorruptBundle, std::string(kMarkerName) + ": another text");

  if (std::find(present.begin(), present.end(), kHostedSignatureName) != present.end()) {
    KOE_TRY(const std::string signature, ReadRequired(dir, kHostedSignatureName, kMaxSignatureBytes));
    if (signature.size() != kMaxSignatureBytes) {
      return Error(ErrorCode::kCorruptBundle, std::string(kHostedSignatureName) + ": not 64 bytes");
    }
  }

  for (const FileRecord& file : manifest.g2p_assets) KOE_CHECK_OK(bundle->OpenFile(file.path));
  for (const std::string& id : bundle->voices()) KOE_CHECK_OK(bundle->LoadVoice(id));
  KOE_TRY(const std::shared_ptr<const Weights> weights, bundle->OpenWeights());
  if (weights->tensors().size() != manifest.num_tensors) {
    return Error(ErrorCode::kCorruptBundle,
                 std::string(kRuntimeManifestName) + ": weights: num_tensors: not the number in the file");
  }
  return ReportOf(dir, manifest);
}

Result<std::string> FindBundle(const std::string& given_dir) {
  const auto is_bundle = [](const std::string& dir) {
    struct stat info;
    const auto resolved = ResolveStore(dir);
    return resolved && stat((*resolved + "/" + kRuntimeManifestName).c_str(), &info) == 0 && S_ISREG(info.st_mode);
  };
  const char* environment = std::getenv("KOE_BUNDLE");
  const std::string chosen = !given_dir.empty() ? given_dir : environment != nullptr ? environment : "";
  if (!chosen.empty()) {
    if (is_bundle(chosen)) return chosen;
    return Error(ErrorCode::kNotFound, "bundle: '" + chosen + "'" + (given_dir.empty() ? " ($KOE_BUNDLE)" : "") +
                                           ": no " + kRuntimeManifestName + " in it");
  }
  std::vector<std::string> places = {"./models/kokoro-82m"};
  const char* data_home = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  if (data_home != nullptr && *data_home == '/') {
    places.push_back(std::string(data_home) + "/koe/kokoro-82m");
  } else if (home != nullptr && *home == '/') {
    places.push_back(std::string(home) + "/.local/share/koe/kokoro-82m");
  }
  places.push_back("/usr/share/koe/kokoro-82m");
  std::string list;
  for (const std::string& place : places) {
    if (is_bundle(place)) return place;
    list += (list.empty() ? "" : ", ") + place;
  }
  return Error(ErrorCode::kNotFound, "bundle: none found in " + list + " (see 'koe bundle build')");
}

}  // namespace koe::bundle
