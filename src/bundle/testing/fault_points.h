// SPDX-License-Identifier: Apache-2.0
// Lets the n-th call that changes a file system fail. A test that links fault_points.cc and is linked with
// KOE_FAULT_LINK_OPTIONS (CMakeLists.txt) sends its calls of write, fsync, rename, link, mkdir and renameat2 here.
#ifndef KOE_BUNDLE_TESTING_FAULT_POINTS_H_
#define KOE_BUNDLE_TESTING_FAULT_POINTS_H_

#include <cstddef>

namespace koe::bundle::testing {

struct Faults {
  size_t fail_at = 0;          // 1: the first call from now on; 0: none
  bool keeps_failing = false;  // every call after it fails too, as on a disk that stays full
  int error = 0;               // errno
  bool short_writes = false;   // a write that would fail takes half of its bytes first
  bool no_exchange = false;    // renameat2 is not known, as on old file systems
};

// Counts from 0 again. Not for several threads.
void SetFaults(const Faults& faults);
size_t NumCalls();
bool HasFailed();

}  // namespace koe::bundle::testing

#endif  // KOE_BUNDLE_TESTING_FAULT_POINTS_H_
