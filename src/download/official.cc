// SPDX-License-Identifier: Apache-2.0
// The official repository's files, one by one, against pinned digests: <url>/resolve/<revision>/<path>, which the host
// redirects to wherever it keeps large files.
#include <filesystem>

#include "bundle/files.h"
#include "bundle/manifests/download.h"
#include "download/disk.h"
#include "download/fetch_bundle.h"
#include "download/progress.h"
#include "download/source.h"
#include "download/timestamp.h"
#include "download/url.h"
#include "download/verify.h"

namespace koe::download {
namespace {

using bundle::FileRecord;

Result<std::vector<FileRecord>> Choose(const bundle::DownloadManifest& manifest,
                                       const std::vector<std::string>& names) {
  if (names.empty()) return manifest.files;
  std::vector<FileRecord> chosen;
  for (const std::string& name : names) {
    bool found = false;
    for (const FileRecord& record : manifest.files) {
      if (record.path != name) continue;
      chosen.push_back(record);
      found = true;
    }
    if (!found) {
      return Error(ErrorCode::kInvalidArgument, "file: '" + name + "': the download manifest does not pin it");
    }
  }
  bundle::SortByPath(&chosen);
  for (size_t i = 1; i < chosen.size(); ++i) {
    if (chosen[i] == chosen[i - 1]) {
      return Error(ErrorCode::kInvalidArgument, "file: '" + chosen[i].path + "': twice");
    }
  }
  return chosen;
}

}  // namespace

Result<OfficialFetchReport> FetchOfficialFiles(const OfficialFetchOptions& options) {
  KOE_TRY(const Settings settings, CheckNetwork(options.network, options.cancel));
  KOE_CHECK_OK(CheckUrl(options.url, options.network.allow_http));
  if (options.output_dir.empty()) return Error(ErrorCode::kInvalidArgument, "output directory: none");
  KOE_TRY(const std::string text, bundle::ReadInputFile(options.manifest_path, options.limits.manifest_bytes));
  KOE_TRY(bundle::DownloadManifest manifest, bundle::DownloadManifest::Parse(text, ManifestLimitsOf(options.limits)));
  KOE_TRY(manifest.files, Choose(manifest, options.files));

  const std::string& root = options.output_dir;
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return Error(ErrorCode::kIo, "directory: " + root + ": " + error.message());
  ProgressReport progress(options.progress);
  OfficialFetchReport report;
  for (const FileRecord& record : manifest.files) report.num_bytes += record.bytes;
  report.num_files = manifest.files.size();
  progress.SetTotal(report.num_bytes, report.num_files);
  const auto* cancel = settings.transport.cancel;
  std::vector<FileJob> jobs;
  uint64_t needed = 0;
  for (const FileRecord& record : manifest.files) {
    KOE_TRY(const bool intact, IsIntact(root, record, cancel, [&](uint64_t bytes) { progress.Hashing(bytes); }));
    if (intact) {
      progress.AddVerified(record.bytes);
      continue;
    }
    KOE_CHECK_OK(MakeParents(root, record.path));
    needed += record.bytes;
    jobs.push_back({Below(options.url, "resolve/" + manifest.revision + "/" + record.path),
                    root + "/" + record.path,
                    {record.path, record.bytes, record.sha256}});
  }
  if (!jobs.empty()) {
    KOE_CHECK_OK(CheckRoom(root, needed));
    KOE_TRY(report.bytes_transferred, FetchFiles(jobs, settings, [&](const FilesProgress& files) {
              progress.Downloading(files, root.size() + 1);
            }));
    for (const FileJob& job : jobs) KOE_CHECK_OK(bundle::SyncFile(job.path));
  }
  progress.Done();
  manifest.generated_at = Timestamp();
  report.manifest_json = manifest.ToJson();
  return report;
}

}  // namespace koe::download
