// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_G2P_CACHED_FALLBACK_H_
#define KOE_G2P_CACHED_FALLBACK_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/fallback.h"

namespace koe::g2p {

// Remembers what another fallback said: unknown words are mostly names, and names come again. For one whose answer
// depends on the text alone. Thread-safe; a word that two threads ask for at once may be worked out twice.
class CachedFallback : public Fallback {
 public:
  static constexpr size_t kMaxWords = 4096;
  static constexpr size_t kMaxTextBytes = 64;  // longer ones are not kept, nor are answers of more than four times that
  explicit CachedFallback(std::shared_ptr<const Fallback> inner) : inner_(std::move(inner)), slots_(kMaxWords) {}

  std::optional<Pronunciation> Pronounce(std::string_view text) const override;

 private:
  struct Slot {
    std::string text;
    std::optional<Pronunciation> pronunciation;
  };
  std::shared_ptr<const Fallback> inner_;
  mutable std::mutex mutex_;
  mutable std::vector<Slot> slots_;  // by hash of the text; the latest of those that share a slot
};

}  // namespace koe::g2p

#endif  // KOE_G2P_CACHED_FALLBACK_H_
