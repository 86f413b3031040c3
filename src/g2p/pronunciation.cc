// SPDX-License-Identifier: Apache-2.0
#include "g2p/pronunciation.h"

#include <array>
#include <cstddef>

namespace koe::g2p {

const char* SourceName(Source source) {
  static constexpr std::array<const char*, 12> kNames = {"",       "markup", "punctuation", "lexicon",
                                                         "gold",   "silver", "stem",        "letters",
                                                         "number", "neural", "espeak",      "spelled"};
  return kNames[static_cast<size_t>(source)];
}

}  // namespace koe::g2p
