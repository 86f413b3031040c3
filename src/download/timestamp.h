// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_DOWNLOAD_TIMESTAMP_H_
#define KOE_DOWNLOAD_TIMESTAMP_H_

#include <string>

namespace koe::download {

// Now, as manifests have it: "2026-11-22T12:00:00Z".
std::string Timestamp();

}  // namespace koe::download

#endif  // KOE_DOWNLOAD_TIMESTAMP_H_
