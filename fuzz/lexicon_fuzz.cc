// SPDX-License-Identifier: Apache-2.0
// Any bytes as a compiled dictionary: look-ups stay within it and end, whatever it says.
#include "g2p/lexicon.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::string_view kKeys[] = {"",      "a",   "read", "Read",     "READ", "cat",   "zebra",
                                      "don't", "the", "Oslo", "\xFF\xFF", "used", "record"};

void Look(const koe::g2p::Lexicon& lexicon, std::string_view key) {
  for (const auto& entry : {lexicon.Find(key), lexicon.FindGrown(key), lexicon.FindGold(key)}) {
    if (!entry) continue;
    Require(lexicon.Phonemes(*entry).size() <= 8 * entry->codes.size());
    for (const char* tag : {"VERB", "VBD", "None", "DEFAULT", ""}) {
      const auto variant = lexicon.FindVariant(*entry, tag);
      if (variant && !variant->is_null) Require(lexicon.Decode(variant->codes).size() <= 8 * variant->codes.size());
    }
  }
  Require(lexicon.LongestSharedPrefix(key) <= key.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto lexicon = koe::g2p::Lexicon::Open(std::as_bytes(std::span(data, size)));
  if (!lexicon) {
    Require(lexicon.error().code() == koe::ErrorCode::kCorruptBundle && !lexicon.error().message().empty());
    return 0;
  }
  for (const std::string_view key : kKeys) Look(*lexicon, key);
  const size_t tail = size < 40 ? size : 40;  // keys of the file's own are where they are
  for (size_t length = 1; length <= tail; length += 3) {
    Look(*lexicon, std::string_view(reinterpret_cast<const char*>(data) + size - tail, length));
  }
  return 0;
}
