// SPDX-License-Identifier: Apache-2.0
// Bundles over a network that cannot be trusted: docs/fetch.md.
//
//   koe::FetchOptions options;
//   options.url = url;  // of the HostedManifest.json of a published site
//   options.manifest_sha256 = "...";          // or options.public_key
//   options.store_dir = "models/store";
//   auto fetched = koe::FetchBundle(options);  // resumes what an earlier call has left
//   if (fetched) auto engine = koe::Engine::Open(fetched->bundle_dir, {});
#ifndef KOE_DOWNLOAD_H_
#define KOE_DOWNLOAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "koe/common.h"
#include "koe/provider.h"
#include "koe/result.h"

namespace koe {

// What a server may ask of us. Beyond any of them: kTooLong, before the bytes are taken.
struct DownloadLimits {
  uint64_t manifest_bytes = uint64_t{2} << 20;
  uint64_t file_bytes = uint64_t{1} << 30;
  uint64_t total_bytes = uint64_t{5} << 30;
  size_t files = 512;
};

struct DownloadNetwork {
  bool allow_http = false;       // http:// for a server of one's own; redirects never lead there
  std::string ca_file;           // PEM file of the certificates to trust; "": the system's
  std::string proxy;             // "": none; the environment's *_proxy variables are not looked at
  int tries = 3;                 // in a row without a mebibyte of progress, for each file; 1..100
  double backoff_seconds = 0.5;  // before the second try, with jitter; doubles with each, at most 30; 0..30
  double stall_seconds = 30;     // fewer than 1,024 bytes a second for so long ends a try; 1..3600
  double connect_seconds = 15;   // 0.1..3600
  size_t parallel = 4;           // files at once; 1..32
};

struct FileProgress {
  std::string path;
  uint64_t bytes_done = 0, bytes_total = 0;
};

struct DownloadProgress {
  // kVerifying until the first payload byte is asked for, then kDownloading for the rest of the call.
  enum class Phase { kVerifying, kDownloading };
  Phase phase = Phase::kVerifying;
  double fraction = 0;  // [0, 1], never falls: bytes that are there and verified, or on their way, of bytes_total
  uint64_t bytes_done = 0, bytes_total = 0;
  uint64_t bytes_transferred = 0;  // by this call, retries included
  size_t files_done = 0, files_total = 0;
  std::vector<FileProgress> active;  // files on their way now
  bool waits_for_other = false;      // another process changes the store; this call goes on when that has ended
};
// On the calling thread, about ten times a second.
using DownloadProgressCallback = std::function<void(const DownloadProgress&)>;

struct FetchOptions {
  std::string url;  // of a HostedManifest.json; with `profile`: of a site's top or of its SDKReleaseManifest.json
  std::string manifest_sha256;  // of what `url` names; compared before anything is parsed
  std::string public_key;       // 64 hexadecimal digits or a PEM file: Ed25519, of <url>.sig
  std::string profile;          // "": `url` is a hosted manifest; else starter, full or custom of a release
  std::string revision;         // with `profile`: what the release must call itself
  std::string store_dir;        // "": DefaultStoreDir()
  bool allow_rollback = false;  // take a version with a lower serial than the store has had
  DownloadLimits limits;
  DownloadNetwork network;
  DownloadProgressCallback progress;
  const CancelToken* cancel = nullptr;  // what has come stays for the next call
};

struct FetchReport {
  std::string bundle_dir;  // the complete bundle, verified
  std::string version;     // of its hosted manifest
  uint64_t serial = 0;
  std::string manifest_sha256;
  size_t num_files = 0;
  uint64_t num_bytes = 0;
  uint64_t bytes_transferred = 0;  // of payload, by this call
  bool was_current = false;        // nothing had to be done
  std::string download_manifest;   // JSON: what `koe bundle build --download-manifest` compares inputs from here with
};

// Brings the store to the version that `url` names; until that is whole and verified, the store's current version is
// the old one. Any number of processes may call this for one store. One of manifest_sha256 and public_key must be
// given, except for a release over https or file, where `revision` may stand alone (it trusts the server).
// kInvalidArgument: options; a folder that is no store. kNotFound: the server lacks a file. kCorruptBundle: bytes that
// are not what the manifest says, a bad signature, a version older than the store's. kTooLong: limits. kIo: network
// (after all tries), disk, no room. kCancelled.
Result<FetchReport> FetchBundle(const FetchOptions& options);

// A bundle that Engine::Open fetches first, with FetchBundle and its errors; what the store has already is verified,
// not fetched again. Progress goes to Engine::Open's callback and to options.progress; options.cancel, which must
// outlive the provider, counts as Engine::Open's does. Where no network is wanted, Engine::Open takes the store's
// folder.
std::shared_ptr<ResourceProvider> MakeStoreProvider(FetchOptions options);

// $XDG_DATA_HOME/koe/kokoro-82m, or ~/.local/share/koe/kokoro-82m: a place where FindBundle looks. "": no home.
std::string DefaultStoreDir();

struct StoreGarbage {
  std::vector<std::string> removed;  // ids of old versions and of downloads that had not ended
  uint64_t bytes = 0;                // freed
  size_t in_use = 0;                 // old versions that an engine has open: they stay
};
// Removes all but the current version. Waits for a fetch that runs. kNotFound: no store there.
Result<StoreGarbage> CollectStoreGarbage(const std::string& store_dir, const CancelToken* cancel = nullptr);

// ---------------------------------------------------------------------------------------------------------------------
// The official repository's files (checkpoint, voices), as inputs of `koe bundle build`.

struct OfficialFetchOptions {
  std::string url;            // of the repository: files stand at <url>/resolve/<revision>/<path>
  std::string manifest_path;  // a DownloadManifest.json with the revision and the pinned size and digest of every file
  std::vector<std::string> files;  // of the manifest; empty: all of them
  std::string output_dir;          // files take their paths below it
  DownloadLimits limits;
  DownloadNetwork network;
  DownloadProgressCallback progress;
  const CancelToken* cancel = nullptr;
};
struct OfficialFetchReport {
  std::string manifest_json;  // a DownloadManifest of what has been fetched
  size_t num_files = 0;
  uint64_t num_bytes = 0;
  uint64_t bytes_transferred = 0;
};
// Files that are there with their size and digest are kept. Errors as FetchBundle.
Result<OfficialFetchReport> FetchOfficialFiles(const OfficialFetchOptions& options);

}  // namespace koe

#endif  // KOE_DOWNLOAD_H_
