// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_G2P_EN_URL_H_
#define KOE_G2P_EN_URL_H_

#include <string_view>

namespace koe::g2p::en {

// Whether the whole of `run` (no white space) is what spaCy's URL pattern accepts: [scheme://][user@]host.tld or a
// public IPv4 address, then [:port][/path]. Linear; the pattern itself backtracks.
bool IsUrl(std::string_view run);

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_URL_H_
