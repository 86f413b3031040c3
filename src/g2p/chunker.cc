// SPDX-License-Identifier: Apache-2.0
#include "g2p/chunker.h"

#include <algorithm>

#include "base/utf8.h"
#include "g2p/chunk_packer.h"
#include "text/unicode.h"

namespace koe::g2p {
namespace {

constexpr size_t kLimit = kMaxPhonemesPerChunk;

// KPipeline.tokens_to_ps: length with spaces, trimmed.
size_t TrimmedLength(const ChunkItem* items, size_t count) {
  std::string phonemes;
  for (size_t i = 0; i < count; ++i) {
    phonemes += items[i].phonemes;
    if (items[i].space_after) phonemes += ' ';
  }
  const size_t first = phonemes.find_first_not_of(' ');
  if (first == std::string::npos) return 0;
  return CountCodePoints(std::string_view(phonemes).substr(first, phonemes.find_last_not_of(' ') - first + 1));
}

class KokoroChunker {
 public:
  explicit KokoroChunker(std::vector<Chunk>* out) : out_(out) {}

  void Add(const ChunkItem& item) {
    size_t length = item.num_phonemes + (item.space_after ? 1 : 0);
    const size_t next = length_ + item.num_phonemes;
    if (next > kLimit) {
      Emit(CutPoint(next));
      length_ = TrimmedLength(pending_.data(), pending_.size());
      if (pending_.empty() && item.num_phonemes == 0) length = 0;
    }
    pending_.push_back(item);
    length_ += length;
  }

  void Flush() {
    Emit(pending_.size());
    length_ = 0;
  }

 private:
  // KPipeline.waterfall_last.
  size_t CutPoint(size_t next) const {
    for (const auto& marks : kCutMarks) {
      size_t cut = pending_.size();
      while (cut > 0 && !IsOneOf(pending_[cut - 1].phonemes, marks)) --cut;
      if (cut == 0) continue;
      if (cut < pending_.size() && IsBump(pending_[cut].phonemes)) ++cut;
      if (next - TrimmedLength(pending_.data(), cut) <= kLimit) return cut;
    }
    return pending_.size();
  }

  void Emit(size_t count) {
    if (TrimmedLength(pending_.data(), count) <= kLimit) {
      if (count > 0) EmitChunk(pending_.data(), count, out_);
    } else {
      ChunkPacker packer(kLimit, out_);
      for (size_t i = 0; i < count; ++i) packer.Add(pending_[i]);
      packer.Flush();
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(count));
  }

  std::vector<Chunk>* out_;
  std::vector<ChunkItem> pending_;
  size_t length_ = 0;  // as Kokoro counts: after a cut, without the space at its end
};

}  // namespace

std::vector<Chunk> ChunkKokoro(const PhonemeText& text) {
  std::vector<Chunk> chunks;
  KokoroChunker chunker(&chunks);
  size_t next_line = 0;
  for (size_t w = 0; w < text.words.size(); ++w) {
    if (next_line < text.lines.size() && text.lines[next_line] == w) {
      chunker.Flush();
      ++next_line;
    }
    chunker.Add(MakeItem(text, w));
  }
  chunker.Flush();
  return chunks;
}

std::vector<Chunk> ChunkPhonemes(std::string_view phonemes) {
  std::vector<Chunk> chunks;
  ChunkPacker packer(kLimit, &chunks);
  size_t word = 0;
  for (size_t position = 0; position < phonemes.size();) {
    // A word, or a mark that stands behind one, so that the cut can fall after the mark.
    const size_t begin = position;
    size_t end = begin, count = 0;
    bool is_mark = false;
    while (end < phonemes.size()) {
      size_t next = end;
      const char32_t c = DecodeUtf8(phonemes, &next).value_or(U' ');
      is_mark = std::any_of(kCutMarks.begin(), kCutMarks.end(),
                            [c](auto marks) { return marks.find(c) != std::u32string_view::npos; }) ||
                c == ')' || c == U'\u201D';
      if (text::IsSpace(c) || (is_mark && count > 0)) break;
      end = next;
      ++count;
      if (is_mark) break;
    }
    position = end;
    while (position < phonemes.size()) {
      size_t next = position;
      if (!text::IsSpace(DecodeUtf8(phonemes, &next).value_or(U' '))) break;
      position = next;
    }
    const bool has_space = position > end;
    if (count > 0) packer.Add({phonemes.substr(begin, end - begin), count, has_space, word, begin, end});
    if (has_space && count > 0) ++word;
  }
  packer.Flush();
  return chunks;
}

}  // namespace koe::g2p
