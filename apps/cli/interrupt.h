// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_APPS_CLI_INTERRUPT_H_
#define KOE_APPS_CLI_INTERRUPT_H_

#include "koe/koe.h"

namespace koe::cli {

// From the first call on, SIGINT and SIGTERM set the token (a second one ends the program at once), and a read that
// waits returns EINTR. The token lives as long as the program.
const CancelToken& CancelOnInterrupt();

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_INTERRUPT_H_
