// SPDX-License-Identifier: Apache-2.0
// Fills chunks with words up to a limit, cutting after the best mark that leaves what follows room.
#ifndef KOE_G2P_CHUNK_PACKER_H_
#define KOE_G2P_CHUNK_PACKER_H_

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/chunker.h"

namespace koe::g2p {

// What is cut: a word or a mark.
struct ChunkItem {
  std::string_view phonemes;
  size_t num_phonemes;  // code points
  bool space_after;
  size_t word;
  size_t begin;  // bytes of the text
  size_t end;
};

ChunkItem MakeItem(const PhonemeText& text, size_t word);

// Best first. A chunk is cut after an item whose phonemes are exactly one of these.
inline constexpr std::array<std::u32string_view, 3> kCutMarks = {U"!.?…", U":;", U",—"};
bool IsOneOf(std::string_view phonemes, std::u32string_view marks);
// A mark that stays with the cut before it.
inline bool IsBump(std::string_view phonemes) { return phonemes == ")" || phonemes == "\u201D"; }

// Phonemes and spaces of [items, items + count), trimmed; nothing where there are no phonemes.
void EmitChunk(const ChunkItem* items, size_t count, std::vector<Chunk>* out);

class ChunkPacker {
 public:
  ChunkPacker(size_t limit, std::vector<Chunk>* out) : limit_(limit), out_(out) {}
  // An item over the limit is cut at its spaces, else anywhere.
  void Add(const ChunkItem& item);
  void Flush();

 private:
  size_t CutPoint(size_t next_length) const;
  void Emit(size_t count);
  void AddInParts(const ChunkItem& item);

  size_t limit_;
  std::vector<Chunk>* out_;
  std::vector<ChunkItem> pending_;
  size_t length_ = 0;  // code points of pending_, with spaces
};

}  // namespace koe::g2p

#endif  // KOE_G2P_CHUNK_PACKER_H_
