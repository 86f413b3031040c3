// SPDX-License-Identifier: Apache-2.0
// koe/download.h's functions forward to these.
#ifndef KOE_DOWNLOAD_FETCH_BUNDLE_H_
#define KOE_DOWNLOAD_FETCH_BUNDLE_H_

#include <string>

#include "download/file_ops.h"
#include "koe/download.h"
#include "koe/result.h"

namespace koe::download {

Result<FetchReport> FetchBundle(const FetchOptions& options, FileOps& ops = PosixFileOps());
Result<StoreGarbage> CollectStoreGarbage(const std::string& store_dir, const CancelToken* cancel,
                                         FileOps& ops = PosixFileOps());
Result<OfficialFetchReport> FetchOfficialFiles(const OfficialFetchOptions& options, FileOps& ops = PosixFileOps());
std::string DefaultStoreDir();

// kIo where `dir`'s file system has less room than `bytes`.
Result<void> CheckRoom(FileOps& ops, const std::string& dir, uint64_t bytes);

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_FETCH_BUNDLE_H_
