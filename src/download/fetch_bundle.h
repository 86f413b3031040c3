// SPDX-License-Identifier: Apache-2.0
// koe/download.h's functions forward to these.
#ifndef KOE_DOWNLOAD_FETCH_BUNDLE_H_
#define KOE_DOWNLOAD_FETCH_BUNDLE_H_

#include <string>

#include "koe/download.h"
#include "koe/result.h"

namespace koe::download {

Result<FetchReport> FetchBundle(const FetchOptions& options);
Result<StoreGarbage> CollectStoreGarbage(const std::string& store_dir, const CancelToken* cancel);
Result<OfficialFetchReport> FetchOfficialFiles(const OfficialFetchOptions& options);
std::string DefaultStoreDir();

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_FETCH_BUNDLE_H_
