// SPDX-License-Identifier: Apache-2.0
// What a URL names, before any payload: the hosted manifest, fetched, vouched for, then parsed, in this order.
#ifndef KOE_DOWNLOAD_SOURCE_H_
#define KOE_DOWNLOAD_SOURCE_H_

#include <functional>
#include <string>

#include "bundle/manifests/hosted.h"
#include "download/fetch_files.h"
#include "koe/download.h"
#include "koe/result.h"

namespace koe::download {

struct Source {
  std::string manifest_url;  // files stand beside it
  std::string text;          // HostedManifest.json, byte for byte
  std::string sha256;        // of it
  std::string signature;     // of it; "" where the release was signed instead, or nothing
  bundle::HostedManifest manifest;
};

// Errors as FetchBundle. `poll` is called about ten times a second.
Result<Source> FetchSource(const FetchOptions& options, const Settings& settings, const std::function<void()>& poll);

// kInvalidArgument names the option.
Result<Settings> CheckNetwork(const DownloadNetwork& network, const CancelToken* cancel);
bundle::ManifestLimits ManifestLimitsOf(const DownloadLimits& limits);

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_SOURCE_H_
