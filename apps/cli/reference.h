// SPDX-License-Identifier: Apache-2.0
// Shell completions and the manual page, made from what the commands declare.
#ifndef KOE_APPS_CLI_REFERENCE_H_
#define KOE_APPS_CLI_REFERENCE_H_

#include <string>

#include "arguments.h"

namespace koe::cli {

std::string BashCompletion(const Commands& commands);
std::string ZshCompletion(const Commands& commands);
std::string FishCompletion(const Commands& commands);
std::string ManualPage(const Commands& commands);  // roff, koe(1)

}  // namespace koe::cli

#endif  // KOE_APPS_CLI_REFERENCE_H_
