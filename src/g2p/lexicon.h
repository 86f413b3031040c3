// SPDX-License-Identifier: Apache-2.0
// One accent's pronouncing dictionary, read where it lies: a gold tier (checked by people) over a silver one.
#ifndef KOE_G2P_LEXICON_H_
#define KOE_G2P_LEXICON_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "koe/result.h"

namespace koe::g2p {

// Immutable and thread-safe; does not own the bytes. A hostile file can give wrong words, never a read outside it.
class Lexicon {
 public:
  // Checks the header, the tables and the block index: O(blocks). kCorruptBundle.
  static Result<Lexicon> Open(std::span<const std::byte> bytes);

  enum class Tier : uint8_t { kGold, kSilver };
  struct Entry {
    Tier tier;
    bool has_variants;
    std::span<const uint8_t> codes;     // of the default pronunciation
    std::span<const uint8_t> variants;  // undecoded
  };

  // The entry stored under exactly this key.
  std::optional<Entry> Find(std::string_view key) const;
  // The same, and misaki's grown forms: a lower-case key answers for its capitalised form and a capitalised key for its
  // lower-case one, after any exact key of the same tier. Gold before silver.
  std::optional<Entry> FindGrown(std::string_view key) const;
  std::optional<Entry> FindGold(std::string_view key) const;

  std::string Decode(std::span<const uint8_t> codes) const;
  std::string Phonemes(const Entry& entry) const { return Decode(entry.codes); }
  struct Variant {
    bool is_null;
    std::span<const uint8_t> codes;
  };
  // The pronunciation for a tag ("VERB", "VBD", "None", ...); nullopt where the entry has none of that name.
  std::optional<Variant> FindVariant(const Entry& entry, std::string_view tag) const;

  size_t num_keys() const { return num_keys_; }
  size_t max_key_bytes() const { return max_key_bytes_; }
  // How many bytes of `text` some key begins with. For keys as stored: no grown forms.
  size_t LongestSharedPrefix(std::string_view text) const;

 private:
  Lexicon() = default;
  std::span<const uint8_t> Block(size_t index) const;
  // The number of blocks whose first key is not above `key`: the last of them is where it would be.
  size_t NumBlocksUpTo(std::string_view key) const;

  std::span<const uint8_t> keys_;
  std::span<const uint8_t> block_offsets_;
  std::span<const uint8_t> prefixes_;
  std::span<const uint8_t> tags_;
  size_t num_keys_ = 0;
  size_t num_blocks_ = 0;
  size_t max_key_bytes_ = 0;
  struct Expansion {
    std::array<char, 8> utf8;
    uint8_t size;
  };
  std::vector<Expansion> expansions_;  // by code; 256 entries, unused ones empty
};

// Compiles misaki's dictionaries (JSON texts: word -> phonemes, or -> {tag: phonemes or null}) into one file. The same
// input gives the same bytes. kInvalidArgument: not such a JSON text, or beyond the format's limits.
Result<std::string> CompileLexicon(const std::string& gold_json, const std::string& silver_json);

}  // namespace koe::g2p

#endif  // KOE_G2P_LEXICON_H_
