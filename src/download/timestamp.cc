// SPDX-License-Identifier: Apache-2.0
#include "download/timestamp.h"

#include <ctime>

namespace koe::download {

std::string Timestamp() {
  const std::time_t now = std::time(nullptr);
  struct tm utc;
  char text[32];
  if (gmtime_r(&now, &utc) == nullptr || std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) {
    return "1970-01-01T00:00:00Z";
  }
  return text;
}

}  // namespace koe::download
