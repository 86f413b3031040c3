// SPDX-License-Identifier: Apache-2.0
#include "g2p/cached_fallback.h"

#include <functional>
#include <utility>

namespace koe::g2p {

std::optional<Pronunciation> CachedFallback::Pronounce(std::string_view text) const {
  if (text.empty() || text.size() > kMaxTextBytes) return inner_->Pronounce(text);
  Slot& slot = slots_[std::hash<std::string_view>()(text) % kMaxWords];
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (slot.text == text) return slot.pronunciation;
  }
  std::optional<Pronunciation> pronunciation = inner_->Pronounce(text);
  if (!pronunciation || pronunciation->phonemes.size() <= 4 * kMaxTextBytes) {
    Slot filled{std::string(text), pronunciation};
    const std::lock_guard<std::mutex> lock(mutex_);
    std::swap(slot, filled);
  }
  return pronunciation;
}

}  // namespace koe::g2p
