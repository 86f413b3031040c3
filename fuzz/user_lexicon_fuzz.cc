// SPDX-License-Identifier: Apache-2.0
// Any bytes as a user's lexicon: a reason that names the line, or words that are found again.
#include "g2p/user_lexicon.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "koe/koe.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto lexicon = koe::UserLexicon::Parse(text, "file");
  if (!lexicon) {
    Require(lexicon.error().code() == koe::ErrorCode::kInvalidArgument);
    Require(lexicon.error().message().starts_with("file") && lexicon.error().message().size() < 2000);
    return 0;
  }
  const koe::UserLexicon both = koe::UserLexicon::Layer(std::vector<koe::UserLexicon>{*lexicon, *lexicon});
  Require(both.size() == lexicon->size());
  if (lexicon->entries() == nullptr) return 0;
  for (const koe::g2p::UserWord& word : lexicon->entries()->words) {
    Require(!koe::FindInvalidUtf8(word.key) && word.key.size() <= koe::g2p::kMaxUserWordBytes);
    Require(lexicon->entries()->Find(word.key, word.lower) != nullptr);
    Require(lexicon->entries()->LongestSharedPrefix(word.lower) == word.lower.size());
    for (const auto& pronunciation : word.pronunciations) Require(!koe::FindInvalidUtf8(pronunciation.phonemes));
    for (const koe::g2p::Tag tag : {koe::g2p::Tag::kNN, koe::g2p::Tag::kVBD, koe::g2p::Tag::kRB, koe::g2p::Tag::kJJ}) {
      const std::string* phonemes = word.Phonemes(tag);
      Require(phonemes == nullptr || !phonemes->empty());
    }
  }
  return 0;
}
