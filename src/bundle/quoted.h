// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_BUNDLE_QUOTED_H_
#define KOE_BUNDLE_QUOTED_H_

#include <string>
#include <string_view>

namespace koe::bundle {

// Text from a file, fit for a one-line message: 'text' of at most 120 bytes, with '?' for whatever a terminal could
// take for a command and for what is not UTF-8.
std::string Quoted(std::string_view text);

}  // namespace koe::bundle

#endif  // KOE_BUNDLE_QUOTED_H_
