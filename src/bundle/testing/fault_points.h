// SPDX-License-Identifier: Apache-2.0
// Lets the n-th call that changes a file system fail. A test that links koe_fault_points sends its calls of open (where
// it may make a file), write, ftruncate, fsync, rename, link, mkdir, unlink, renameat2 and statvfs here.
#ifndef KOE_BUNDLE_TESTING_FAULT_POINTS_H_
#define KOE_BUNDLE_TESTING_FAULT_POINTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

namespace koe::bundle::testing {

enum class Call { kAny, kWrite, kRename, kSync };

struct Faults {
  size_t fail_at = 0;                 // 1: the first call from now on; 0: none
  bool keeps_failing = false;         // every call after it fails too, as on a disk that stays full
  int error = 0;                      // errno
  bool short_writes = false;          // a write that would fail takes half of its bytes first
  bool no_exchange = false;           // renameat2 is not known, as on old file systems
  Call only = Call::kAny;             // calls that count and fail
  std::optional<uint64_t> free = {};  // bytes that statvfs tells
};

// Counts from 0 again.
void SetFaults(const Faults& faults);
size_t NumCalls();
bool HasFailed();

}  // namespace koe::bundle::testing

#endif  // KOE_BUNDLE_TESTING_FAULT_POINTS_H_
