// SPDX-License-Identifier: Apache-2.0
#include "g2p/chunk_packer.h"

#include <algorithm>

#include "base/utf8.h"

namespace koe::g2p {

ChunkItem MakeItem(const PhonemeText& text, size_t word) {
  const WordInfo& info = text.words[word];
  return {info.phonemes, CountCodePoints(info.phonemes), !info.whitespace.empty(), word,
          info.offset,   info.offset + info.length};
}

bool IsOneOf(std::string_view phonemes, std::u32string_view marks) {
  size_t position = 0;
  const auto c = DecodeUtf8(phonemes, &position);
  return c && position == phonemes.size() && marks.find(*c) != std::u32string_view::npos;
}

void EmitChunk(const ChunkItem* items, size_t count, std::vector<Chunk>* out) {
  Chunk chunk;
  size_t symbols = 0;
  for (size_t i = 0; i < count; ++i) {
    chunk.words.push_back({items[i].word, symbols, items[i].num_phonemes, items[i].space_after});
    chunk.phonemes += items[i].phonemes;
    if (items[i].space_after) chunk.phonemes += ' ';
    symbols += items[i].num_phonemes + (items[i].space_after ? 1 : 0);
  }
  const size_t first = chunk.phonemes.find_first_not_of(' ');
  if (first == std::string::npos) return;
  chunk.phonemes = chunk.phonemes.substr(first, chunk.phonemes.find_last_not_of(' ') - first + 1);
  // White space that was trimmed belongs to no word.
  const size_t end = CountCodePoints(chunk.phonemes);
  for (ChunkWord& word : chunk.words) {
    const size_t last =
        std::min(word.first_symbol + word.num_symbols - std::min(first, word.first_symbol + word.num_symbols), end);
    word.first_symbol = std::min(word.first_symbol - std::min(first, word.first_symbol), end);
    word.num_symbols = last - std::min(word.first_symbol, last);
    word.space_after = word.space_after && last < end && last + first > 0;
  }
  chunk.first_word = items[0].word;
  chunk.num_words = items[count - 1].word - chunk.first_word + 1;
  chunk.text_offset = items[0].begin;
  chunk.text_length = items[count - 1].end - chunk.text_offset;
  out->push_back(std::move(chunk));
}

void ChunkPacker::Add(const ChunkItem& item) {
  if (item.num_phonemes > limit_) {
    AddInParts(item);
    return;
  }
  while (!pending_.empty() && length_ + item.num_phonemes > limit_) Emit(CutPoint(item.num_phonemes));
  pending_.push_back(item);
  length_ += item.num_phonemes + (item.space_after ? 1 : 0);
}

void ChunkPacker::Flush() {
  if (!pending_.empty()) Emit(pending_.size());
}

// Number of pending items to emit so that a following one of this length fits with what remains.
size_t ChunkPacker::CutPoint(size_t next_length) const {
  for (const auto& marks : kCutMarks) {
    size_t cut = pending_.size();
    while (cut > 0 && !IsOneOf(pending_[cut - 1].phonemes, marks)) --cut;
    if (cut == 0) continue;
    if (cut < pending_.size() && IsBump(pending_[cut].phonemes)) ++cut;
    size_t kept = 0;
    for (size_t i = cut; i < pending_.size(); ++i) kept += pending_[i].num_phonemes + (pending_[i].space_after ? 1 : 0);
    if (kept + next_length <= limit_) return cut;
  }
  // Between words: marks and clitics stay with what they follow.
  for (size_t cut = pending_.size(); cut > 0; --cut) {
    if (!pending_[cut - 1].space_after) continue;
    size_t kept = 0;
    for (size_t i = cut; i < pending_.size(); ++i) kept += pending_[i].num_phonemes;
    if (kept + next_length <= limit_) return cut;
    break;
  }
  return pending_.size();
}

void ChunkPacker::Emit(size_t count) {
  EmitChunk(pending_.data(), count, out_);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(count));
  length_ = 0;
  for (const ChunkItem& item : pending_) length_ += item.num_phonemes + (item.space_after ? 1 : 0);
}

// A word longer than a chunk (spelled-out or hostile text).
void ChunkPacker::AddInParts(const ChunkItem& item) {
  Flush();
  std::string_view rest = item.phonemes;
  while (!rest.empty()) {
    size_t position = 0, count = 0, after_space = 0, spaces_end = 0;
    while (position < rest.size() && count < limit_) {
      const auto c = DecodeUtf8(rest, &position);
      if (!c) return;
      ++count;
      if (*c == ' ') {
        after_space = position;
        spaces_end = count;
      }
    }
    const bool is_last = position == rest.size();
    if (!is_last && after_space > 0) {
      position = after_space;
      count = spaces_end;
    }
    ChunkItem part = item;
    part.phonemes = rest.substr(0, position);
    part.num_phonemes = count;
    part.space_after = is_last && item.space_after;
    rest.remove_prefix(position);
    pending_.push_back(part);
    length_ = count + (part.space_after ? 1 : 0);
    if (!is_last) Flush();
  }
}

}  // namespace koe::g2p
