// SPDX-License-Identifier: Apache-2.0
// What a download asks of the disk before the first byte comes.
#ifndef KOE_DOWNLOAD_DISK_H_
#define KOE_DOWNLOAD_DISK_H_

#include <cstdint>
#include <string>

#include "koe/result.h"

namespace koe::download {

// kIo where this user may fill less than `bytes` of `dir`'s file system. One that cannot be asked is believed.
Result<void> CheckRoom(const std::string& dir, uint64_t bytes);

// Makes `root`/a/b for "a/b/c.bin"; kCorruptBundle where a part is there and is no directory (a link, say).
Result<void> MakeParents(const std::string& root, const std::string& path);

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_DISK_H_
