// SPDX-License-Identifier: Apache-2.0
// Samples -> an audio file (declared in koe/koe.h).
#include <new>

#include "audio/replace_file.h"
#include "koe/koe.h"

namespace koe {

Result<void> WriteAudio(std::span<const float> samples, const std::string& path, AudioFormat format) {
  KOE_TRY(const std::string bytes, EncodeAudio(samples, format));
  try {
    return ReplaceFile(path, bytes);
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kOutOfMemory, "output: '" + path + "': no memory");
  }
}

}  // namespace koe
