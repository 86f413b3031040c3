// SPDX-License-Identifier: Apache-2.0
#include "bundle/testing/fault_points.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

namespace koe::bundle::testing {
namespace {

Faults faults_now;
size_t num_calls = 0;
bool has_failed = false;
bool was_short = false;

// This call is to fail; errno is set.
bool Fails() {
  ++num_calls;
  if (faults_now.fail_at == 0) return false;
  if (num_calls != faults_now.fail_at && !(faults_now.keeps_failing && num_calls > faults_now.fail_at)) return false;
  has_failed = true;
  errno = faults_now.error;
  return true;
}

}  // namespace

void SetFaults(const Faults& faults) {
  faults_now = faults;
  num_calls = 0;
  has_failed = was_short = false;
}
size_t NumCalls() { return num_calls; }
bool HasFailed() { return has_failed; }

}  // namespace koe::bundle::testing

using koe::bundle::testing::Fails;

extern "C" {

// The linker's names (--wrap). NOLINTBEGIN(bugprone-reserved-identifier)
ssize_t __real_write(int fd, const void* data, size_t size);
int __real_fsync(int fd);
int __real_rename(const char* from, const char* to);
int __real_link(const char* from, const char* to);
int __real_mkdir(const char* path, mode_t mode);
long __real_syscall(long number, ...);

ssize_t __wrap_write(int fd, const void* data, size_t size) {
  using namespace koe::bundle::testing;
  if (!Fails()) return __real_write(fd, data, size);
  if (faults_now.short_writes && !was_short && size > 1) {
    was_short = true;
    faults_now.fail_at = num_calls + 1;  // the rest
    return __real_write(fd, data, size / 2);
  }
  return -1;
}

int __wrap_fsync(int fd) { return Fails() ? -1 : __real_fsync(fd); }
int __wrap_rename(const char* from, const char* to) { return Fails() ? -1 : __real_rename(from, to); }
int __wrap_link(const char* from, const char* to) { return Fails() ? -1 : __real_link(from, to); }
int __wrap_mkdir(const char* path, mode_t mode) { return Fails() ? -1 : __real_mkdir(path, mode); }

// Only renameat2 goes this way (five arguments: reading more than were given is undefined).
long __wrap_syscall(long number, ...) {
  if (number != SYS_renameat2) {
    errno = ENOSYS;
    return -1;
  }
  va_list list;
  va_start(list, number);
  long a[5];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  if (koe::bundle::testing::faults_now.no_exchange) {
    errno = EINVAL;
    return -1;
  }
  if (Fails()) return -1;
  return __real_syscall(number, a[0], a[1], a[2], a[3], a[4]);
}
// NOLINTEND(bugprone-reserved-identifier)
}
