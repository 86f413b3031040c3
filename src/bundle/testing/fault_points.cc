// SPDX-License-Identifier: Apache-2.0
#include "bundle/testing/fault_points.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <mutex>

namespace koe::bundle::testing {
namespace {

std::mutex mutex;  // a download calls from its threads
Faults faults_now;
size_t num_calls = 0;
bool has_failed = false;
bool was_short = false;

// This call is to fail; errno is set. *takes_half: not this one, but it does half of its work and the next one fails.
bool Fails(Call call, bool* takes_half = nullptr) {
  const std::lock_guard lock(mutex);
  if (faults_now.only != Call::kAny && faults_now.only != call) return false;
  ++num_calls;
  if (faults_now.fail_at == 0) return false;
  if (num_calls != faults_now.fail_at && !(faults_now.keeps_failing && num_calls > faults_now.fail_at)) return false;
  has_failed = true;
  if (takes_half != nullptr && faults_now.short_writes && !was_short) {
    *takes_half = was_short = true;
    faults_now.fail_at = num_calls + 1;  // the rest
    return false;
  }
  errno = faults_now.error;
  return true;
}

Faults Now() {
  const std::lock_guard lock(mutex);
  return faults_now;
}

}  // namespace

void SetFaults(const Faults& faults) {
  const std::lock_guard lock(mutex);
  faults_now = faults;
  num_calls = 0;
  has_failed = was_short = false;
}
size_t NumCalls() {
  const std::lock_guard lock(mutex);
  return num_calls;
}
bool HasFailed() {
  const std::lock_guard lock(mutex);
  return has_failed;
}

}  // namespace koe::bundle::testing

using koe::bundle::testing::Call;
using koe::bundle::testing::Fails;
using koe::bundle::testing::Now;

extern "C" {

// The linker's names (--wrap). NOLINTBEGIN(bugprone-reserved-identifier)
int __real_open(const char* path, int flags, ...);
ssize_t __real_write(int fd, const void* data, size_t size);
int __real_ftruncate(int fd, off_t size);
int __real_fsync(int fd);
int __real_rename(const char* from, const char* to);
int __real_link(const char* from, const char* to);
int __real_mkdir(const char* path, mode_t mode);
int __real_unlink(const char* path);
int __real_statvfs(const char* path, struct statvfs* info);
long __real_syscall(long number, ...);

int __wrap_open(const char* path, int flags, ...) {
  if ((flags & O_CREAT) == 0) return __real_open(path, flags);
  va_list list;
  va_start(list, flags);
  const mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return Fails(Call::kAny) ? -1 : __real_open(path, flags, mode);
}

ssize_t __wrap_write(int fd, const void* data, size_t size) {
  bool takes_half = false;
  if (Fails(Call::kWrite, size > 1 ? &takes_half : nullptr)) return -1;
  return __real_write(fd, data, takes_half ? size / 2 : size);
}

int __wrap_ftruncate(int fd, off_t size) { return Fails(Call::kAny) ? -1 : __real_ftruncate(fd, size); }
int __wrap_fsync(int fd) { return Fails(Call::kSync) ? -1 : __real_fsync(fd); }
int __wrap_rename(const char* from, const char* to) { return Fails(Call::kRename) ? -1 : __real_rename(from, to); }
int __wrap_link(const char* from, const char* to) { return Fails(Call::kAny) ? -1 : __real_link(from, to); }
int __wrap_mkdir(const char* path, mode_t mode) { return Fails(Call::kAny) ? -1 : __real_mkdir(path, mode); }
int __wrap_unlink(const char* path) { return Fails(Call::kAny) ? -1 : __real_unlink(path); }

int __wrap_statvfs(const char* path, struct statvfs* info) {
  const int result = __real_statvfs(path, info);
  if (const auto free = Now().free) {
    info->f_frsize = 1;
    info->f_bavail = *free;
  }
  return result;
}

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
  if (Now().no_exchange) {
    errno = EINVAL;
    return -1;
  }
  if (Fails(Call::kRename)) return -1;
  return __real_syscall(number, a[0], a[1], a[2], a[3], a[4]);
}
// NOLINTEND(bugprone-reserved-identifier)
}
