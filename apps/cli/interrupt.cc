// SPDX-License-Identifier: Apache-2.0
#include "interrupt.h"

#include <signal.h>

#include <atomic>

namespace koe::cli {
namespace {

// The one piece of process-wide state: a signal handler can reach nothing else.
CancelToken g_token;
static_assert(std::atomic<bool>::is_always_lock_free, "the token is set in a signal handler");

void OnSignal(int) { g_token.Cancel(); }

}  // namespace

const CancelToken& CancelOnInterrupt() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // and no SA_RESTART
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return g_token;
}

}  // namespace koe::cli
