// SPDX-License-Identifier: Apache-2.0
// A bundle into a tree of files for any web server. The tree is made anew beside the old one: files that are already in
// the old one, and equal files of two profiles, are hard links where the file system has them.
#include "bundle/publish.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>

#include "bundle/bundle.h"
#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/limits.h"
#include "bundle/manifests/release.h"
#include "bundle/quoted.h"
#include "bundle/signature.h"
#include "bundle/staged_output.h"

namespace koe::bundle {
namespace {

constexpr char kReleaseSignaturePath[] = "sdk/SDKReleaseManifest.json.sig";

std::string FolderOf(const std::string& profile) { return profile == "starter" ? "" : "sdk/" + profile + "/"; }

bool Exists(const std::string& path) {
  struct stat info;
  return lstat(path.c_str(), &info) == 0;
}

class Publisher {
 public:
  Publisher(const PublishOptions& options, const Architecture& architecture)
      : options_(options), architecture_(architecture) {}

  Result<PublishReport> Run() {
    KOE_CHECK_OK(CheckOptions());
    KOE_CHECK_OK(ReadOldSite());
    KOE_CHECK_OK(ChooseSerial());
    KOE_CHECK_OK(Report(0, "bundle: checking"));
    KOE_CHECK_OK(ValidateBundle(options_.bundle_dir, architecture_));
    KOE_TRY(StagingDirectory staging, StagingDirectory::Create(options_.site_dir));
    output_.emplace(staging.path());
    staging_ = staging.path();
    KOE_CHECK_OK(KeepOtherProfiles());
    KOE_CHECK_OK(AddBundle());
    KOE_CHECK_OK(AddModelCard());
    KOE_CHECK_OK(WriteRelease());
    KOE_CHECK_OK(output_->Put(kSiteMarker.name, AsBytes(std::string_view(kSiteMarker.text))));
    KOE_CHECK_OK(output_->SyncFolders());
    KOE_CHECK_OK(Report(0.95, "site: moving into place"));
    KOE_CHECK_OK(staging.Commit());
    if (options_.progress) options_.progress(1, "done");
    return report_;
  }

 private:
  Result<void> Report(double fraction, const std::string& what) {
    if (options_.progress) options_.progress(fraction, what);
    if (options_.cancel == nullptr || !options_.cancel->IsCancelled()) return {};
    return Error(ErrorCode::kCancelled, "site: '" + options_.site_dir + "': cancelled");
  }

  Result<void> CheckOptions() {
    KOE_CHECK_OK(CheckOutputDirectory(
        options_.site_dir, {options_.bundle_dir, options_.sign_key_path, options_.model_card_path}, kSiteMarker));
    if (IsWithin(options_.bundle_dir, options_.site_dir)) {
      return Error(ErrorCode::kInvalidArgument, "output directory: '" + options_.site_dir + "': within the bundle");
    }
    if (!options_.revision.empty() && !IsReleaseRevision(options_.revision)) {
      return Error(ErrorCode::kInvalidArgument,
                   "revision: " + Quoted(options_.revision) + ": must be [A-Za-z0-9._-]{1,64}");
    }
    if (!options_.sdk_commit.empty() && !IsSdkCommit(options_.sdk_commit)) {
      return Error(ErrorCode::kInvalidArgument,
                   "commit: " + Quoted(options_.sdk_commit) + ": not 7 to 40 hexadecimal digits, perhaps with -dirty");
    }
    if (options_.repo_id.size() > kMaxRepoIdBytes) return Error(ErrorCode::kInvalidArgument, "repository: too long");
    if (!options_.sign_key_path.empty()) {
      KOE_TRY(SecretKey key, LoadSecretKey(options_.sign_key_path));
      key_.emplace(std::move(key));
    }
    return {};
  }

  Result<void> ReadOldSite() {
    if (!IsMarked(options_.site_dir, kSiteMarker)) return {};
    KOE_TRY(const std::string text,
            ReadSmallFile(options_.site_dir + "/" + kReleaseManifestPath, kMaxManifestBytes, kReleaseManifestName));
    KOE_TRY(ReleaseManifest old, ReleaseManifest::Parse(text));
    old_.emplace(std::move(old));
    if (!key_ && Exists(options_.site_dir + "/" + kReleaseSignaturePath)) {
      return Error(ErrorCode::kInvalidArgument,
                   "site: '" + options_.site_dir + "': is signed: its key is needed, or readers would refuse it");
    }
    return {};
  }

  Result<void> ChooseSerial() {
    const uint64_t last = old_ ? old_->serial : 0;
    if (options_.serial > INT64_MAX || last >= INT64_MAX) {
      return Error(ErrorCode::kInvalidArgument, "serial: more than 63 bits");
    }
    if (options_.serial != 0 && options_.serial <= last) {
      return Error(ErrorCode::kInvalidArgument, "serial: " + std::to_string(options_.serial) + ": the site has " +
                                                    std::to_string(last) + " already; serials only grow");
    }
    release_.serial = options_.serial != 0 ? options_.serial : last + 1;
    release_.revision = !options_.revision.empty() ? options_.revision : "r" + std::to_string(release_.serial);
    return {};
  }

  // site/path, with the bytes of `source` that the record tells.
  Result<void> Place(const std::string& source, const FileRecord& record, const std::string& path) {
    KOE_TRY(const MappedFile file, OpenVerified(source, record.path, record.bytes, record.sha256, true));
    const auto same = placed_.find(record.sha256);
    const std::string first = same != placed_.end() ? same->second : "";
    if (!first.empty()) {
      KOE_TRY(const bool linked, output_->Link(first, path));
      if (linked) return {};
    }
    if (old_ && IsWithin(options_.site_dir, source)) {
      KOE_TRY(const bool linked, output_->Link(source, path));
      if (linked) {
        placed_[record.sha256] = staging_ + "/" + path;
        return {};
      }
    }
    constexpr size_t kPart = 4 << 20;  // between two looks at the cancel token
    KOE_TRY(const FileRecord written, output_->Put(path, [&](const StagedOutput::Sink& sink) -> Result<void> {
      for (size_t at = 0; at < file.bytes().size(); at += kPart) {
        if (options_.cancel != nullptr) KOE_CHECK_OK(Report(fraction_, "site: " + path));
        KOE_CHECK_OK(sink(file.bytes().subspan(at, std::min(kPart, file.bytes().size() - at))));
      }
      return {};
    }));
    // The file could have been changed after it was compared.
    if (written.sha256 != record.sha256) {
      return Error(ErrorCode::kCorruptBundle, "file: " + record.path + ": changed while it was copied");
    }
    placed_[record.sha256] = staging_ + "/" + path;
    report_.num_bytes += written.bytes;
    return {};
  }

  // All that one HostedManifest.json names, from `source` to the site's `folder`, with the manifest and its signature.
  Result<HostedManifest> PlaceProfile(const std::string& source, const std::string& folder) {
    KOE_TRY(const std::string text,
            ReadSmallFile(source + "/" + kHostedManifestName, kMaxManifestBytes, kHostedManifestName));
    KOE_TRY(HostedManifest hosted, HostedManifest::Parse(text));
    const uint64_t total = std::max<uint64_t>(hosted.TotalBytes(), 1);
    uint64_t done = 0;
    for (const FileRecord& file : hosted.files) {
      fraction_ = 0.3 + 0.6 * static_cast<double>(done) / static_cast<double>(total);
      KOE_CHECK_OK(Report(fraction_, "site: " + folder + file.path));
      KOE_CHECK_OK(CheckInside(source, file.path));
      KOE_CHECK_OK(Place(source + "/" + file.path, file, folder + file.path));
      done += file.bytes;
    }
    KOE_CHECK_OK(output_->Put(folder + kHostedManifestName, AsBytes(text)));
    std::string signature;
    if (key_) {
      KOE_TRY(signature, Sign(AsBytes(text), *key_));
    } else if (auto there =
                   ReadSmallFile(source + "/" + kHostedSignatureName, kMaxSignatureBytes, kHostedSignatureName)) {
      signature = std::move(*there);
    } else if (there.error().code() != ErrorCode::kNotFound) {
      return there.error();
    }
    if (!signature.empty()) KOE_CHECK_OK(output_->Put(folder + kHostedSignatureName, AsBytes(signature)));
    if (folder.empty()) {
      release_.top_level_hosted_manifest = FileRecord{kHostedManifestName, text.size(), Sha256Hex(AsBytes(text))};
      release_.top_level_hosted_files = hosted.files;
      for (const FileRecord& file : hosted.files) {
        if (file.path == kRuntimeManifestName) release_.top_level_runtime_manifest = file;
      }
    }
    return hosted;
  }

  Result<void> KeepOtherProfiles() {
    if (!old_) return {};
    KOE_TRY(const BundleReport bundle, ReadBundle(options_.bundle_dir));
    for (const ReleaseProfile& profile : old_->profiles) {
      if (profile.profile == bundle.profile) {
        if (bundle.serial < profile.hosted_serial) {
          return Error(ErrorCode::kInvalidArgument, "serial: the bundle has " + std::to_string(bundle.serial) +
                                                        ", the site's " + profile.profile + " profile " +
                                                        std::to_string(profile.hosted_serial) +
                                                        ": readers would take it for a roll-back");
        }
        continue;
      }
      const std::string folder = FolderOf(profile.profile);
      const std::string source = options_.site_dir + (folder.empty() ? "" : "/" + folder.substr(0, folder.size() - 1));
      KOE_CHECK_OK(PlaceProfile(source, folder));
      release_.profiles.push_back(profile);
    }
    return {};
  }

  Result<void> AddBundle() {
    KOE_TRY(const std::string text,
            ReadSmallFile(options_.bundle_dir + "/" + kRuntimeManifestName, kMaxManifestBytes, kRuntimeManifestName));
    KOE_TRY(const RuntimeManifest runtime, RuntimeManifest::Parse(text));
    const std::string folder = FolderOf(runtime.bundle_profile);
    KOE_TRY(const HostedManifest hosted, PlaceProfile(options_.bundle_dir, folder));
    KOE_TRY(const std::string hosted_text,
            ReadSmallFile(options_.bundle_dir + "/" + kHostedManifestName, kMaxManifestBytes, kHostedManifestName));
    ReleaseProfile profile;
    profile.profile = runtime.bundle_profile;
    profile.provenance = runtime.provenance;
    profile.hosted_version = hosted.version;
    profile.hosted_serial = hosted.serial;
    profile.tensor_precision = runtime.tensor_precision;
    profile.voice_count = runtime.voices.size();
    profile.file_count = hosted.files.size();
    profile.total_bytes = hosted.TotalBytes();
    profile.runtime_manifest = {folder + kRuntimeManifestName, text.size(), Sha256Hex(AsBytes(text))};
    profile.hosted_manifest_record = {folder + kHostedManifestName, hosted_text.size(),
                                      Sha256Hex(AsBytes(hosted_text))};
    report_.hosted_path = profile.hosted_manifest_record.path;
    report_.hosted_sha256 = profile.hosted_manifest_record.sha256;
    release_.generated_by = runtime.generated_by;
    release_.generated_at = ReproducibleTimestamp(runtime.generated_at);
    release_.profiles.push_back(std::move(profile));
    std::sort(release_.profiles.begin(), release_.profiles.end(),
              [](const auto& a, const auto& b) { return a.profile < b.profile; });
    return {};
  }

  Result<void> AddModelCard() {
    std::string text;
    if (!options_.model_card_path.empty()) {
      KOE_TRY(text, ReadInputFile(options_.model_card_path, kMaxManifestBytes));
    } else if (old_ && old_->model_card) {
      KOE_TRY(text, ReadSmallFile(options_.site_dir + "/" + kModelCardName, kMaxManifestBytes, kModelCardName));
    } else {
      return {};
    }
    KOE_TRY(const FileRecord card, output_->Put(kModelCardName, AsBytes(text)));
    release_.model_card = card;
    return {};
  }

  Result<void> WriteRelease() {
    release_.repo_id = !options_.repo_id.empty() ? options_.repo_id : old_ ? old_->repo_id : "";
    release_.sdk_commit = options_.sdk_commit;
    const std::string json = release_.ToJson();
    KOE_CHECK_OK(ReleaseManifest::Parse(json));  // what is written must be readable
    KOE_TRY(const FileRecord record, output_->Put(kReleaseManifestPath, AsBytes(json)));
    if (key_) {
      KOE_TRY(const std::string signature, Sign(AsBytes(json), *key_));
      KOE_CHECK_OK(output_->Put(kReleaseSignaturePath, AsBytes(signature)));
    }
    report_.serial = release_.serial;
    report_.revision = release_.revision;
    report_.release_sha256 = record.sha256;
    for (const ReleaseProfile& profile : release_.profiles) report_.profiles.push_back(profile.profile);
    return {};
  }

  const PublishOptions& options_;
  const Architecture& architecture_;
  std::optional<SecretKey> key_;
  std::optional<ReleaseManifest> old_;
  ReleaseManifest release_;
  std::optional<StagedOutput> output_;
  std::string staging_;
  std::map<std::string, std::string> placed_;  // digest -> a file of the new tree that has it
  double fraction_ = 0;
  PublishReport report_;
};

}  // namespace

Result<PublishReport> PublishBundle(const PublishOptions& options, const Architecture& architecture) {
  return Publisher(options, architecture).Run();
}

}  // namespace koe::bundle
