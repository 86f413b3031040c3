// SPDX-License-Identifier: Apache-2.0
// The functions of koe/download.h. A library of its own: programs that only fetch need no engine.
#include "koe/download.h"

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

std::string DefaultStoreDir() { return download::DefaultStoreDir(); }

}  // namespace koe
