// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_G2P_FALLBACK_H_
#define KOE_G2P_FALLBACK_H_

#include <optional>
#include <string_view>

#include "g2p/pronunciation.h"

namespace koe::g2p {

// Pronounces what the dictionaries and rules cannot: a word, or a group such as "Zorb-o-matic's". Thread-safe.
class Fallback {
 public:
  virtual ~Fallback() = default;
  // Possibly several words; the source is one for which IsGuess holds. nullopt: nothing to say.
  virtual std::optional<Pronunciation> Pronounce(std::string_view text) const = 0;
};

}  // namespace koe::g2p

#endif  // KOE_G2P_FALLBACK_H_
