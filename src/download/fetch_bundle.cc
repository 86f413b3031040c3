// SPDX-License-Identifier: Apache-2.0
// The sequence of docs/fetch.md: manifest, what is there, room, the rest, commit.
#include "download/fetch_bundle.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <set>

#include "bundle/digest.h"
#include "bundle/files.h"
#include "bundle/limits.h"
#include "bundle/manifests/download.h"
#include "bundle/manifests/hosted.h"
#include "bundle/manifests/runtime.h"
#include "bundle/store_path.h"
#include "download/disk.h"
#include "download/progress.h"
#include "download/source.h"
#include "download/store.h"
#include "download/timestamp.h"
#include "download/url.h"
#include "download/verify.h"

namespace koe::download {
namespace {

using bundle::FileRecord;

constexpr uint64_t kRoomToSpare = 1 << 20;  // manifests, folders, a file system's own needs

// Where bytes of a digest lie already, in another version or an unfinished download.
struct Donor {
  std::string dir;
  FileRecord record;
};

class BundleFetch {
 public:
  explicit BundleFetch(const FetchOptions& options)
      : options_(options),
        cancel_(options.cancel == nullptr ? nullptr : &options.cancel->flag()),
        progress_(options.progress) {}

  Result<FetchReport> Run();

 private:
  Result<void> RefuseRollback(const Store& store) const;
  // The records that `dir` lacks or has damaged. Damaged ones are deleted where `deletes`.
  Result<std::vector<FileRecord>> Missing(const std::string& dir, bool deletes);
  Result<std::vector<FileRecord>> Adopt(const Store& store, const std::vector<FileRecord>& missing);
  std::map<std::string, Donor> FindDonors(const Store& store) const;
  Result<void> Download(const std::vector<FileRecord>& missing);
  Result<void> Complete();
  FetchReport Report(const Store& store) const;

  const FetchOptions& options_;
  const std::atomic<bool>* cancel_;
  ProgressReport progress_;
  Settings settings_;
  Source source_;
  std::string id_, incoming_;
  uint64_t transferred_ = 0;
};

Result<void> BundleFetch::RefuseRollback(const Store& store) const {
  const std::string id = store.CurrentId();
  if (options_.allow_rollback || id.empty() || id == id_) return {};
  const auto text = bundle::ReadSmallFile(store.VersionDir(id) + "/" + bundle::kHostedManifestName,
                                          bundle::kMaxManifestBytes, bundle::kHostedManifestName);
  if (!text) return {};  // damaged: any complete version is better
  const auto current = bundle::HostedManifest::Parse(*text);
  if (!current || source_.manifest.serial >= current->serial) return {};
  return Error(ErrorCode::kCorruptBundle, "version: serial " + std::to_string(source_.manifest.serial) +
                                              ": older than " + std::to_string(current->serial) +
                                              ", which the store has (a roll-back must be allowed)");
}

Result<std::vector<FileRecord>> BundleFetch::Missing(const std::string& dir, bool deletes) {
  std::vector<FileRecord> missing;
  for (const FileRecord& record : source_.manifest.files) {
    KOE_TRY(const bool intact, IsIntact(dir, record, cancel_, [&](uint64_t bytes) { progress_.Hashing(bytes); }));
    if (intact) {
      progress_.AddVerified(record.bytes);
      continue;
    }
    if (deletes && bundle::CheckInside(dir, record.path)) (void)unlink((dir + "/" + record.path).c_str());
    missing.push_back(record);
  }
  return missing;
}

std::map<std::string, Donor> BundleFetch::FindDonors(const Store& store) const {
  std::map<std::string, Donor> donors;
  for (const std::string& dir : store.BundleDirs()) {
    if (dir == incoming_) continue;
    const auto text = bundle::ReadSmallFile(dir + "/" + bundle::kHostedManifestName, bundle::kMaxManifestBytes,
                                            bundle::kHostedManifestName);
    if (!text) continue;
    const auto manifest = bundle::HostedManifest::Parse(*text);
    if (!manifest) continue;
    for (const FileRecord& record : manifest->files) donors.emplace(record.sha256, Donor{dir, record});
  }
  return donors;
}

// Links files that the store has under another version. What cannot be linked is downloaded: no copy is made, so that
// a fetch needs room for what it downloads and no more.
Result<std::vector<FileRecord>> BundleFetch::Adopt(const Store& store, const std::vector<FileRecord>& missing) {
  const std::map<std::string, Donor> donors = FindDonors(store);
  std::vector<FileRecord> left;
  for (const FileRecord& record : missing) {
    const auto found = donors.find(record.sha256);
    bool adopted = false;
    if (found != donors.end() && found->second.record.bytes == record.bytes) {
      KOE_TRY(const bool intact, IsIntact(found->second.dir, found->second.record, cancel_,
                                          [&](uint64_t bytes) { progress_.Hashing(bytes); }));
      const std::string from = found->second.dir + "/" + found->second.record.path;
      const std::string to = incoming_ + "/" + record.path;
      if (intact) KOE_CHECK_OK(MakeParents(incoming_, record.path));
      adopted = intact && link(from.c_str(), to.c_str()) == 0;
    }
    if (adopted) progress_.AddVerified(record.bytes);
    if (!adopted) left.push_back(record);
  }
  return left;
}

Result<void> BundleFetch::Download(const std::vector<FileRecord>& missing) {
  uint64_t needed = kRoomToSpare;
  std::vector<FileJob> jobs;
  for (const FileRecord& record : missing) {
    KOE_CHECK_OK(MakeParents(incoming_, record.path));
    const std::string path = incoming_ + "/" + record.path;
    struct stat info;
    const bool has_part = lstat((path + kPartSuffix).c_str(), &info) == 0 && S_ISREG(info.st_mode);
    const uint64_t present = has_part ? static_cast<uint64_t>(info.st_size) : 0;
    needed += record.bytes - std::min(present, record.bytes);
    jobs.push_back({Sibling(source_.manifest_url, record.path), path, {record.path, record.bytes, record.sha256}});
  }
  if (jobs.empty()) return {};
  KOE_CHECK_OK(CheckRoom(incoming_, needed));
  KOE_TRY(transferred_, FetchFiles(jobs, settings_, [&](const FilesProgress& files) {
            progress_.Downloading(files, incoming_.size() + 1);
          }));
  return {};
}

// What is beside the payload: nothing but the manifest, its signature and the marker may be there.
Result<void> BundleFetch::Complete() {
  KOE_TRY(const std::string runtime_text,
          bundle::ReadSmallFile(incoming_ + "/" + bundle::kRuntimeManifestName, bundle::kMaxManifestBytes,
                                bundle::kRuntimeManifestName));
  KOE_TRY(const bundle::RuntimeManifest runtime, bundle::RuntimeManifest::Parse(runtime_text));
  std::set<std::string> allowed = {bundle::kRuntimeManifestName};
  for (const FileRecord& record : source_.manifest.files) allowed.insert(record.path);
  for (const FileRecord& record : runtime.Files()) {
    const auto& files = source_.manifest.files;
    if (std::find(files.begin(), files.end(), record) == files.end()) {
      return Error(ErrorCode::kCorruptBundle, std::string(bundle::kHostedManifestName) + ": " + record.path +
                                                  ": not as " + bundle::kRuntimeManifestName + " has it");
    }
  }
  KOE_CHECK_OK(bundle::ReplaceSmallFileIn(incoming_, bundle::kHostedManifestName, source_.text));
  allowed.insert(bundle::kHostedManifestName);
  if (!source_.signature.empty()) {
    const std::string name = std::string(bundle::kHostedManifestName) + bundle::kSignatureSuffix;
    KOE_CHECK_OK(bundle::ReplaceSmallFileIn(incoming_, name, source_.signature));
    allowed.insert(name);
  }
  KOE_CHECK_OK(bundle::ReplaceSmallFileIn(incoming_, bundle::kMarkerName, bundle::kMarkerText));
  allowed.insert(bundle::kMarkerName);
  KOE_TRY(const std::vector<std::string> present, bundle::ListFiles(incoming_, 2 * bundle::kMaxBundleFiles));
  for (const std::string& path : present) {
    if (allowed.count(path) != 0) continue;
    if (unlink((incoming_ + "/" + path).c_str()) != 0) return bundle::FileError(incoming_ + "/" + path, errno);
  }
  return {};
}

FetchReport BundleFetch::Report(const Store& store) const {
  FetchReport report;
  report.bundle_dir = store.VersionDir(id_);
  report.version = source_.manifest.version;
  report.serial = source_.manifest.serial;
  report.manifest_sha256 = source_.sha256;
  report.num_files = source_.manifest.files.size();
  report.num_bytes = source_.manifest.TotalBytes();
  report.bytes_transferred = transferred_;
  bundle::DownloadManifest manifest;
  manifest.repo_id = "koe/" + source_.manifest.version;
  manifest.revision = source_.sha256.substr(0, 40);
  manifest.generated_at = Timestamp();
  manifest.files = source_.manifest.files;
  report.download_manifest = manifest.ToJson();
  return report;
}

Result<FetchReport> BundleFetch::Run() {
  KOE_TRY(settings_, CheckNetwork(options_.network, options_.cancel));
  if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed)) {
    return Error(ErrorCode::kCancelled, "download: cancelled");
  }
  const std::string store_dir = options_.store_dir.empty() ? DefaultStoreDir() : options_.store_dir;
  if (store_dir.empty()) return Error(ErrorCode::kInvalidArgument, "store: none given, and no home to keep one in");
  KOE_TRY(source_, FetchSource(options_, settings_, [&] { progress_.Poll(); }));
  id_ = source_.sha256.substr(0, bundle::kStoreIdBytes);
  progress_.SetTotal(source_.manifest.TotalBytes(), source_.manifest.files.size());

  KOE_TRY(Store store, Store::Open(store_dir, cancel_, [&] { progress_.Waiting(); }));
  incoming_ = store.IncomingDir(id_);
  KOE_CHECK_OK(RefuseRollback(store));
  struct stat info;
  if (lstat(store.VersionDir(id_).c_str(), &info) == 0) {
    KOE_TRY(const std::vector<FileRecord> damaged, Missing(store.VersionDir(id_), false));
    const auto text = bundle::ReadSmallFile(store.VersionDir(id_) + "/" + bundle::kHostedManifestName,
                                            bundle::kMaxManifestBytes, bundle::kHostedManifestName);
    if (damaged.empty() && text && *text == source_.text) {
      FetchReport report = Report(store);
      report.was_current = store.CurrentId() == id_;
      if (!report.was_current) KOE_CHECK_OK(store.MakeCurrent(id_));
      progress_.Done();
      return report;
    }
    progress_.Restart();
  }
  KOE_CHECK_OK(store.MakeIncoming(id_));
  // From the start: a later fetch of another version finds by it what is here already.
  KOE_CHECK_OK(bundle::ReplaceSmallFileIn(incoming_, bundle::kHostedManifestName, source_.text));
  KOE_TRY(std::vector<FileRecord> missing, Missing(incoming_, true));
  KOE_TRY(missing, Adopt(store, missing));
  KOE_CHECK_OK(Download(missing));
  KOE_CHECK_OK(Complete());
  KOE_CHECK_OK(store.Commit(id_));
  progress_.Done();
  return Report(store);
}

}  // namespace

Result<FetchReport> FetchBundle(const FetchOptions& options) { return BundleFetch(options).Run(); }

Result<StoreGarbage> CollectStoreGarbage(const std::string& store_dir, const CancelToken* cancel) {
  if (!bundle::IsStore(store_dir)) {
    return Error(ErrorCode::kNotFound, "store: '" + store_dir + "': no download store");
  }
  KOE_TRY(Store store, Store::Open(store_dir, cancel == nullptr ? nullptr : &cancel->flag(), [] {}));
  KOE_TRY(Store::Garbage garbage, store.CollectGarbage());
  return StoreGarbage{std::move(garbage.removed), garbage.bytes, garbage.in_use};
}

std::string DefaultStoreDir() {
  const char* data_home = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  if (data_home != nullptr && *data_home == '/') return std::string(data_home) + "/koe/kokoro-82m";
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/share/koe/kokoro-82m";
  return "";
}

}  // namespace koe::download
