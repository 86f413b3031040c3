// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BASE_FILE_TIMES_H_
#define KOE_BASE_FILE_TIMES_H_

#include <sys/stat.h>

#include <ctime>

namespace koe {

// Apple's systems have another name for it.
inline const struct timespec& ModificationTime(const struct stat& info) {
#if defined(__APPLE__)
  return info.st_mtimespec;
#else
  return info.st_mtim;
#endif
}

}  // namespace koe

#endif  // KOE_BASE_FILE_TIMES_H_
