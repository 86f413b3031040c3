// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_AUDIO_REPLACE_FILE_H_
#define KOE_AUDIO_REPLACE_FILE_H_

#include <string>
#include <string_view>

#include "koe/result.h"

namespace koe {

// Makes `path` a file with these bytes, or leaves everything as it was: they are written to a new file in the same
// folder, which is synced to the disk and then renamed. A symbolic link is followed, also to a file that does not exist
// yet; anything that exists and is not a regular file (a pipe, a device) is written directly. An existing file's
// permissions are kept. Errors: kIo, "output: path: why".
Result<void> ReplaceFile(const std::string& path, std::string_view bytes);

}  // namespace koe

#endif  // KOE_AUDIO_REPLACE_FILE_H_
