// SPDX-License-Identifier: Apache-2.0
// The functions of koe/download.h. A library of its own: programs that only fetch need no engine.
#include "koe/download.h"

#include <utility>

#include "api/guard.h"
#include "download/fetch_bundle.h"

namespace koe {

Result<FetchReport> FetchBundle(const FetchOptions& options) {
  return api::Guard([&] { return download::FetchBundle(options); });
}

Result<StoreGarbage> CollectStoreGarbage(const std::string& store_dir, const CancelToken* cancel) {
  return api::Guard([&] { return download::CollectStoreGarbage(store_dir, cancel); });
}

Result<OfficialFetchReport> FetchOfficialFiles(const OfficialFetchOptions& options) {
  return api::Guard([&] { return download::FetchOfficialFiles(options); });
}

std::shared_ptr<ResourceProvider> MakeStoreProvider(FetchOptions options) {
  std::string name = options.store_dir.empty() ? DefaultStoreDir() : options.store_dir;
  auto bring = [options = std::move(options)](const ProviderProgressCallback& progress,
                                              const CancelToken* cancel) -> Result<std::string> {
    FetchOptions fetch = options;
    CancelToken either;
    const auto pass_on_cancel = [&] {
      for (const CancelToken* token : {cancel, options.cancel}) {
        if (token != nullptr && token->IsCancelled()) either.Cancel();
      }
    };
    pass_on_cancel();
    fetch.cancel = &either;
    fetch.progress = [&](const DownloadProgress& now) {
      if (options.progress) options.progress(now);
      const bool verifies = now.phase == DownloadProgress::Phase::kVerifying;
      if (progress) progress({now.fraction, verifies ? "verifying" : "downloading"});
      pass_on_cancel();
    };
    KOE_TRY(FetchReport report, FetchBundle(fetch));
    if (progress) progress({1, "ready"});
    return std::move(report.bundle_dir);
  };
  return MakeDownloadedProvider(std::move(bring), std::move(name));
}

std::string DefaultStoreDir() { return download::DefaultStoreDir(); }

}  // namespace koe
