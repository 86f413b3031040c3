// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_G2P_EN_TAGGER_DICTIONARY_H_
#define KOE_G2P_EN_TAGGER_DICTIONARY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "g2p/en/tagger_features.h"
#include "g2p/tagger.h"
#include "g2p/tagger_file.h"
#include "koe/result.h"

namespace koe::g2p::en {

// The words that training saw, by how they are written, and their classes. Views the file. Thread-safe.
class TaggerDictionary {
 public:
  // kCorruptBundle; kUnsupported: made for other features than this build's.
  static Result<TaggerDictionary> Open(const TaggerFile& file);

  const std::vector<Tag>& tags() const { return tags_; }
  struct State {
    bool inside_quote = false;
    bool is_shouted = false;
    size_t sentence_end = 0;
  };
  // A token and what is certain about it. Call for i = 0, 1, ... in turn with one state.
  TokenForm Describe(std::span<const Token> tokens, size_t i, State* state) const;

 private:
  std::optional<uint16_t> Find(uint64_t key) const;  // an entry's lower half

  std::vector<Tag> tags_;
  std::span<const uint32_t> words_;
  std::span<const uint8_t> classes_;
};

}  // namespace koe::g2p::en

#endif  // KOE_G2P_EN_TAGGER_DICTIONARY_H_
