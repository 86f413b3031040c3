// SPDX-License-Identifier: Apache-2.0
#include "download/source.h"

#include <cmath>

#include "bundle/digest.h"
#include "bundle/manifests/release.h"
#include "bundle/signature.h"
#include "download/url.h"

namespace koe::download {
namespace {

using bundle::kHostedManifestName;
using bundle::kReleaseManifestName;

Error BadOption(const std::string& what) { return Error(ErrorCode::kInvalidArgument, what); }

// "https://h/m.json?x" -> "https://h/m.json.sig?x"
std::string SignatureUrl(const std::string& url) {
  std::string signature_url = url;
  signature_url.insert(std::min(url.find_first_of("?#"), url.size()), bundle::kSignatureSuffix);
  return signature_url;
}

// Compares what was fetched with whatever vouches for it. *signature receives the signature, if there is a key.
Result<void> Vouch(const FetchOptions& options, const Settings& settings, const std::string& url,
                   const std::string& name, const std::string& text, const std::function<void()>& poll,
                   std::string* signature) {
  if (!options.manifest_sha256.empty()) {
    const std::string sha256 = bundle::Sha256Hex(bundle::AsBytes(text));
    if (sha256 != options.manifest_sha256) {
      return Error(ErrorCode::kCorruptBundle,
                   "file: " + name + ": SHA-256 is " + sha256 + ", expected " + options.manifest_sha256);
    }
  }
  if (options.public_key.empty()) return {};
  KOE_TRY(const bundle::PublicKey key, bundle::PublicKeyOfArgument(options.public_key));
  const std::string signature_name = name + bundle::kSignatureSuffix;
  KOE_TRY(*signature, FetchBytes(SignatureUrl(url), signature_name, bundle::kMaxSignatureBytes, settings, poll));
  return bundle::VerifySignature(bundle::AsBytes(text), bundle::AsBytes(*signature), key, signature_name);
}

struct Located {
  std::string url;
  bundle::FileRecord record;
};

// Where a release keeps the hosted manifest of the profile, and what that must be.
Result<Located> FindInRelease(const FetchOptions& options, const Settings& settings,
                              const std::function<void()>& poll) {
  const std::string path = std::string("/") + bundle::kReleaseManifestPath;
  const bool names_manifest =
      options.url.size() > path.size() && options.url.compare(options.url.size() - path.size(), path.size(), path) == 0;
  const std::string top = names_manifest ? options.url.substr(0, options.url.size() - path.size()) : options.url;
  const std::string url = Below(top, bundle::kReleaseManifestPath);
  KOE_TRY(const std::string text, FetchBytes(url, kReleaseManifestName, options.limits.manifest_bytes, settings, poll));
  std::string signature;
  KOE_CHECK_OK(Vouch(options, settings, url, kReleaseManifestName, text, poll, &signature));
  KOE_TRY(const bundle::ReleaseManifest release,
          bundle::ReleaseManifest::Parse(text, ManifestLimitsOf(options.limits)));
  if (!options.revision.empty() && release.revision != options.revision) {
    return Error(ErrorCode::kCorruptBundle, std::string(kReleaseManifestName) + ": revision: it is '" +
                                                release.revision + "', not '" + options.revision + "'");
  }
  const bundle::ReleaseProfile* profile = release.Find(options.profile);
  if (profile == nullptr) {
    std::string offered;
    for (const auto& other : release.profiles) offered += (offered.empty() ? "" : ", ") + other.profile;
    return Error(ErrorCode::kNotFound, std::string(kReleaseManifestName) + ": profile '" + options.profile +
                                           "': not offered (there are: " + offered + ")");
  }
  return Located{Below(top, profile->hosted_manifest_record.path), profile->hosted_manifest_record};
}

Result<void> CheckOptions(const FetchOptions& options) {
  KOE_TRY(const Scheme scheme, CheckUrl(options.url, options.network.allow_http));
  if (!options.manifest_sha256.empty() && !bundle::IsSha256Hex(options.manifest_sha256)) {
    return BadOption("sha256: not 64 lower-case hexadecimal digits");
  }
  const bool is_vouched_for = !options.manifest_sha256.empty() || !options.public_key.empty();
  const bool is_release = !options.profile.empty();
  if (!is_release && !options.revision.empty()) return BadOption("revision: goes with a release and its profile");
  if (is_release && options.revision.empty() && !is_vouched_for) {
    return BadOption("release: needs a revision, a SHA-256 or a public key");
  }
  if (!is_release && !is_vouched_for) {
    return BadOption("url: '" + Shown(options.url) + "': needs the manifest's SHA-256 or a public key");
  }
  if (scheme == Scheme::kHttp && !is_vouched_for) {
    return BadOption("url: '" + Shown(options.url) + "': over http a SHA-256 or a public key must vouch for it");
  }
  return {};
}

}  // namespace

bundle::ManifestLimits ManifestLimitsOf(const DownloadLimits& limits) {
  return {limits.manifest_bytes, limits.file_bytes, limits.total_bytes, limits.files};
}

Result<Settings> CheckNetwork(const DownloadNetwork& network, const CancelToken* cancel) {
  const auto within = [](double value, double low, double high) { return value >= low && value <= high; };
  if (network.tries < 1 || network.tries > 100) return BadOption("tries: not in 1..100");
  if (!within(network.backoff_seconds, 0, kMaxBackoffSeconds)) return BadOption("back-off: not in 0..30 seconds");
  if (!within(network.stall_seconds, 1, 3600)) return BadOption("stall time-out: not in 1..3600 seconds");
  if (!within(network.connect_seconds, 0.1, 3600)) return BadOption("connect time-out: not in 0.1..3600 seconds");
  if (network.parallel < 1 || network.parallel > kMaxParallel) return BadOption("parallel: not in 1..32");
  Settings settings;
  settings.transport.ca_file = network.ca_file;
  settings.transport.proxy = network.proxy;
  settings.transport.connect_timeout_s = network.connect_seconds;
  settings.transport.stall_timeout_s = network.stall_seconds;
  settings.transport.cancel = cancel == nullptr ? nullptr : &cancel->flag();
  settings.retry = {network.tries, network.backoff_seconds};
  settings.parallel = network.parallel;
  return settings;
}

Result<Source> FetchSource(const FetchOptions& options, const Settings& settings, const std::function<void()>& poll) {
  KOE_CHECK_OK(CheckOptions(options));
  Source source;
  source.manifest_url = options.url;
  if (options.profile.empty()) {
    KOE_TRY(source.text, FetchBytes(options.url, kHostedManifestName, options.limits.manifest_bytes, settings, poll));
    KOE_CHECK_OK(Vouch(options, settings, options.url, kHostedManifestName, source.text, poll, &source.signature));
    source.sha256 = bundle::Sha256Hex(bundle::AsBytes(source.text));
  } else {
    KOE_TRY(const Located located, FindInRelease(options, settings, poll));
    source.manifest_url = located.url;
    KOE_TRY(source.text, FetchBytes(located.url, kHostedManifestName, options.limits.manifest_bytes, settings, poll));
    source.sha256 = bundle::Sha256Hex(bundle::AsBytes(source.text));
    if (source.sha256 != located.record.sha256) {
      return Error(ErrorCode::kCorruptBundle, std::string("file: ") + kHostedManifestName + ": SHA-256 is " +
                                                  source.sha256 + ", the release says " + located.record.sha256);
    }
  }
  KOE_TRY(source.manifest, bundle::HostedManifest::Parse(source.text, ManifestLimitsOf(options.limits)));
  return source;
}

}  // namespace koe::download
