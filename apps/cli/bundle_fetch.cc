// SPDX-License-Identifier: Apache-2.0
// koe bundle fetch | gc.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "koe/download.h"
#include "text.h"
#include "values.h"

namespace koe::cli {
namespace {

constexpr char kFetchDetails[] =
    R"(URL is a HostedManifest.json. Its files are fetched from beside it into a store, where the version that was there
stays until the new one is complete and every byte verified. What vouches for it: --sha256 (of the manifest),
--key (Ed25519, of URL.sig), or --release with a revision. https and file are allowed, http with --allow-http.
However a fetch ends, the next one goes on with what has come. Exit codes: 2 usage, 4 bytes from the server are
wrong or missing, 5 network or disk, 6 interrupted. The store is $XDG_DATA_HOME/koe/kokoro-82m unless --store names
another; every command takes a store as a bundle.

--from huggingface fetches files of the official repository at URL ($KOE_OFFICIAL_URL where none is given) into
--output, pinned by a download manifest (data/official/DownloadManifest.json: the checkpoint and af_heart).

Examples:
  koe bundle fetch "$SITE/HostedManifest.json" --sha256 "$DIGEST"
  koe bundle fetch --release "$SITE" --revision v1 --profile full --key koe.pub --store models/store
  koe bundle fetch "$REPOSITORY" --from huggingface --pins data/official/DownloadManifest.json -o official \
    --manifest-out official/DownloadManifest.json)";

constexpr char kGcDetails[] =
    R"(Removes every version of a store but the current one, and downloads that have not ended. Versions that a running
engine has open stay.

Examples:
  koe bundle gc
  koe bundle gc --store models/store)";

std::string Megabytes(uint64_t bytes) { return Format("%.1f MB", static_cast<double>(bytes) / 1e6); }

// "[=====>    ] downloading weights.safetensors 41.2 of 88.1 MB (and 3 others)"
std::string ProgressText(const DownloadProgress& progress) {
  if (progress.waits_for_other) return "waiting for another koe that changes the store";
  constexpr size_t kWidth = 24;
  const size_t filled = static_cast<size_t>(static_cast<double>(kWidth) * progress.fraction);
  std::string text = "[" + std::string(filled, '=') + std::string(kWidth - filled, ' ') + "] ";
  if (progress.phase == DownloadProgress::Phase::kVerifying) return text + "verifying";
  text += Format("%.1f of ", static_cast<double>(progress.bytes_done) / 1e6) + Megabytes(progress.bytes_total);
  if (progress.active.empty()) return text;
  const FileProgress& largest =
      *std::max_element(progress.active.begin(), progress.active.end(),
                        [](const auto& a, const auto& b) { return a.bytes_total < b.bytes_total; });
  text += ", " + largest.path +
          Format(" %.0f%%", 100 * static_cast<double>(largest.bytes_done) /
                                static_cast<double>(std::max<uint64_t>(largest.bytes_total, 1)));
  if (progress.active.size() > 1) text += Format(" and %zu more", progress.active.size() - 1);
  return text;
}

Outcome FetchFailure(const Error& error) {
  if (error.code() != ErrorCode::kCancelled) return BundleFailure(error);
  return {ExitCode::kCancelled, "interrupted: what has come is kept; the same command goes on with it"};
}

// Beside it and renamed, so that a build never reads half a manifest.
Result<void> WriteManifest(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) return Error(ErrorCode::kIo, "manifest: " + temporary + ": cannot be written");
  }
  if (std::rename(temporary.c_str(), path.c_str()) == 0) return {};
  return Error(ErrorCode::kIo, "manifest: " + path + ": " + std::strerror(errno));
}

class Fetch : public Command {
 public:
  std::string Name() const override { return "bundle fetch"; }
  std::string Summary() const override { return "Download a bundle, or go on with it"; }
  std::string Details() const override { return kFetchDetails; }

  void Declare(Arguments* arguments) override {
    arguments->Positional("URL", &url_, "A HostedManifest.json");
    arguments->Value("--sha256", "HEX", &sha256_, "What the manifest's SHA-256 must be");
    arguments->Value("--key", "PUBKEY", &key_, "Public key (64 digits or a PEM file) that must have signed it");
    arguments->Value("--release", "URL", &release_, "A published site, or its SDKReleaseManifest.json");
    arguments->Value("--revision", "R", &revision_, "What the release must call itself");
    arguments->Value("--profile", "P", &profile_, "starter, full or custom: which bundle of the release");
    arguments->Value("--from", "WHERE", &from_, "huggingface: URL is the official repository");
    arguments->Value("--pins", "FILE", &pins_, "With --from: the download manifest that pins sizes and digests");
    arguments->Files("--file", &files_, "With --from: only this file of it; may be given many times");
    arguments->Value("--store", "DIR", &store_, "Where bundles are kept");
    arguments->Value("-o,--output", "DIR", &output_, "With --from: where the files go");
    arguments->Value("--manifest-out", "FILE", &manifest_out_, "Write a download manifest of what was fetched");
    arguments->Flag("--allow-rollback", &allow_rollback_, "Take a version that is older than the store's");
    arguments->Flag("--allow-http", &allow_http_, "Allow http:// (redirects still lead to https only)");
    arguments->Value("--ca", "FILE", &ca_, "PEM file of the certificates to trust (default: the system's)");
    arguments->Value("--proxy", "URL", &proxy_, "Proxy (default: none, whatever the environment says)");
    arguments->Value("--tries", "N", &tries_, "For each file, 1 to 100 (default 3)");
    arguments->Value("--backoff-ms", "N", &backoff_, "Before the second try, 0 to 30000 (default 500); doubles");
    arguments->Value("--stall-timeout", "S", &stall_, "Seconds below 1,024 bytes/s that end a try (default 30)");
    arguments->Value("--parallel", "N", &parallel_, "Files at once, 1 to 32 (default 4)");
    arguments->Value("--max-manifest-bytes", "N", &max_manifest_, "Default 2097152");
    arguments->Value("--max-file-bytes", "N", &max_file_, "Default 1073741824");
    arguments->Value("--max-total-bytes", "N", &max_total_, "Default 5368709120");
    arguments->Value("--max-files", "N", &max_files_, "Default 512");
    arguments->Flag("--json", &json_, "Print JSON");
  }

  Outcome Run(Terminal* terminal) override {
    if (from_) {
      CLI_TRY(*from_, ParseChoice("from", *from_, {"huggingface"}), UsageFailure);
      return RunOfficial(terminal);
    }
    if (url_.has_value() == release_.has_value()) return {ExitCode::kUsage, "url: give URL, or --release URL"};
    if (release_ && !profile_) return {ExitCode::kUsage, "release: give --profile as well"};
    if (!release_ && (profile_ || revision_)) return {ExitCode::kUsage, "profile, revision: go with --release"};
    if (pins_ || output_ || !files_.empty()) return {ExitCode::kUsage, "pins, file, output: go with --from"};
    FetchOptions options;
    options.url = release_ ? *release_ : *url_;
    options.manifest_sha256 = sha256_.value_or("");
    options.public_key = key_.value_or("");
    options.profile = profile_.value_or("");
    options.revision = revision_.value_or("");
    options.store_dir = store_.value_or("");
    options.allow_rollback = allow_rollback_;
    CLI_CHECK_OK(Apply(&options.limits, &options.network), UsageFailure);
    options.progress = Progress(terminal);
    options.cancel = &CancelOnInterrupt();
    CLI_TRY(const FetchReport report, FetchBundle(options), FetchFailure);
    if (manifest_out_) CLI_CHECK_OK(WriteManifest(*manifest_out_, report.download_manifest), BundleFailure);
    if (json_) CLI_CHECK_OK(WriteStandardOutput(FetchJson(report)), InputFailure);
    if (!json_) {
      terminal->Summary(report.bundle_dir + ": " + report.version +
                        (report.was_current ? ", verified, was there already" : ", complete and verified") +
                        Format(", %zu files, ", report.num_files) + Megabytes(report.num_bytes) + ", downloaded " +
                        Megabytes(report.bytes_transferred));
    }
    return {};
  }

 private:
  DownloadProgressCallback Progress(Terminal* terminal) const {
    return
        [terminal](const DownloadProgress& progress) { terminal->Progress(progress.fraction, ProgressText(progress)); };
  }

  Result<void> Apply(DownloadLimits* limits, DownloadNetwork* network) const {
    const uint64_t kMost = uint64_t{1} << 50;
    const auto set = [](const char* what, const std::optional<std::string>& text, uint64_t min, uint64_t max,
                        auto* target) -> Result<void> {
      if (!text) return {};
      KOE_TRY(const uint64_t value, ParseInteger(what, *text, min, max));
      *target = static_cast<std::remove_pointer_t<decltype(target)>>(value);
      return {};
    };
    KOE_CHECK_OK(set("max-manifest-bytes", max_manifest_, 1, kMost, &limits->manifest_bytes));
    KOE_CHECK_OK(set("max-file-bytes", max_file_, 1, kMost, &limits->file_bytes));
    KOE_CHECK_OK(set("max-total-bytes", max_total_, 1, kMost, &limits->total_bytes));
    KOE_CHECK_OK(set("max-files", max_files_, 1, 65536, &limits->files));
    KOE_CHECK_OK(set("tries", tries_, 1, 100, &network->tries));
    KOE_CHECK_OK(set("stall-timeout", stall_, 1, 3600, &network->stall_seconds));
    KOE_CHECK_OK(set("parallel", parallel_, 1, 32, &network->parallel));
    uint64_t backoff_ms = 500;
    KOE_CHECK_OK(set("backoff-ms", backoff_, 0, 30000, &backoff_ms));
    network->backoff_seconds = static_cast<double>(backoff_ms) / 1000;
    network->allow_http = allow_http_;
    network->ca_file = ca_.value_or("");
    network->proxy = proxy_.value_or("");
    return {};
  }

  Outcome RunOfficial(Terminal* terminal) {
    if (sha256_ || key_ || release_ || revision_ || profile_ || store_) {
      return {ExitCode::kUsage, "from: takes --pins in place of --sha256, --key, --release, and --output, no --store"};
    }
    const char* environment = std::getenv("KOE_OFFICIAL_URL");
    OfficialFetchOptions options;
    options.url = url_ ? *url_ : environment != nullptr ? environment : "";
    if (options.url.empty()) return {ExitCode::kUsage, "url: none: give the repository's URL, or set KOE_OFFICIAL_URL"};
    if (!pins_) return {ExitCode::kUsage, "pins: none: give --pins FILE"};
    if (!output_) return {ExitCode::kUsage, "output: none: give --output DIR"};
    options.manifest_path = *pins_;
    options.files = files_;
    options.output_dir = *output_;
    CLI_CHECK_OK(Apply(&options.limits, &options.network), UsageFailure);
    options.progress = Progress(terminal);
    options.cancel = &CancelOnInterrupt();
    CLI_TRY(const OfficialFetchReport report, FetchOfficialFiles(options), FetchFailure);
    if (manifest_out_) CLI_CHECK_OK(WriteManifest(*manifest_out_, report.manifest_json), BundleFailure);
    if (json_) CLI_CHECK_OK(WriteStandardOutput(OfficialFetchJson(options.output_dir, report)), InputFailure);
    if (!json_) {
      terminal->Summary(*output_ + Format(": %zu files, ", report.num_files) + Megabytes(report.num_bytes) +
                        ", verified, downloaded " + Megabytes(report.bytes_transferred));
    }
    return {};
  }

  std::optional<std::string> url_, sha256_, key_, release_, revision_, profile_, from_, pins_, store_, output_,
      manifest_out_, ca_, proxy_, tries_, backoff_, stall_, parallel_, max_manifest_, max_file_, max_total_, max_files_;
  std::vector<std::string> files_;
  bool allow_rollback_ = false, allow_http_ = false, json_ = false;
};

class Gc : public Command {
 public:
  std::string Name() const override { return "bundle gc"; }
  std::string Summary() const override { return "Remove a store's old versions and unfinished downloads"; }
  std::string Details() const override { return kGcDetails; }
  void Declare(Arguments* arguments) override {
    arguments->Value("--store", "DIR", &store_, "The store (default: where bundle fetch keeps its own)");
    arguments->Flag("--json", &json_, "Print JSON");
  }
  Outcome Run(Terminal* terminal) override {
    const std::string store = store_ ? *store_ : DefaultStoreDir();
    CLI_TRY(const StoreGarbage garbage, CollectStoreGarbage(store, &CancelOnInterrupt()), BundleFailure);
    if (json_) CLI_CHECK_OK(WriteStandardOutput(GarbageJson(garbage)), InputFailure);
    if (!json_) {
      terminal->Summary(store + Format(": removed %zu, ", garbage.removed.size()) + Megabytes(garbage.bytes) +
                        " freed" + (garbage.in_use > 0 ? Format(", %zu in use stay", garbage.in_use) : ""));
    }
    return {};
  }

 private:
  std::optional<std::string> store_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeBundleFetch() { return std::make_unique<Fetch>(); }
std::unique_ptr<Command> MakeBundleGc() { return std::make_unique<Gc>(); }

}  // namespace koe::cli
