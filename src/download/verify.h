// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_DOWNLOAD_VERIFY_H_
#define KOE_DOWNLOAD_VERIFY_H_

#include <atomic>
#include <functional>
#include <string>

#include "bundle/manifests/file_record.h"
#include "koe/result.h"

namespace koe::download {

// Whether root/<record.path> is a regular file, below no link, with the record's size and digest. `hashed` is called
// with the bytes hashed so far, about once a mebibyte. The one error is kCancelled.
Result<bool> IsIntact(const std::string& root, const bundle::FileRecord& record, const std::atomic<bool>* cancel,
                      const std::function<void(uint64_t)>& hashed);

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_VERIFY_H_
