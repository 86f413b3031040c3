// SPDX-License-Identifier: Apache-2.0
#include "g2p/chunker.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/utf8.h"
#include "text/unicode.h"

namespace koe::g2p {
namespace {

constexpr size_t kLimit = kMaxPhonemesPerChunk;

// What is cut: a word or a mark, in code points.
struct Item {
  std::string_view phonemes;
  size_t num_phonemes;
  bool space_after;
  size_t word;
  size_t begin;  // bytes of the text
  size_t end;
};

// Best first. The last element of a chunk is cut after where its phonemes are exactly one of these.
constexpr std::array<std::u32string_view, 3> kWaterfall = {U"!.?…", U":;", U",—"};

bool IsOneOf(std::string_view phonemes, std::u32string_view marks) {
  size_t position = 0;
  const auto c = DecodeUtf8(phonemes, &position);
  return c && position == phonemes.size() && marks.find(*c) != std::u32string_view::npos;
}

class Chunker {
 public:
  explicit Chunker(std::vector<Chunk>* out) : out_(out) {}

  void Add(const Item& item) {
    if (item.num_phonemes > kLimit) {
      AddInParts(item);
      return;
    }
    while (!pending_.empty() && length_ + item.num_phonemes > kLimit) Emit(CutPoint(item.num_phonemes));
    if (pending_.empty() && item.num_phonemes == 0) return;
    pending_.push_back(item);
    length_ += item.num_phonemes + (item.space_after ? 1 : 0);
  }

  void Flush() {
    if (!pending_.empty()) Emit(pending_.size());
  }

 private:
  // Number of pending items to emit so that a following one of this length fits with what remains.
  size_t CutPoint(size_t next_length) const {
    for (const auto& marks : kWaterfall) {
      size_t cut = pending_.size();
      while (cut > 0 && !IsOneOf(pending_[cut - 1].phonemes, marks)) --cut;
      if (cut == 0) continue;
      if (cut < pending_.size() && (pending_[cut].phonemes == ")" || pending_[cut].phonemes == "\u201D")) ++cut;
      size_t kept = 0;
      for (size_t i = cut; i < pending_.size(); ++i)
        kept += pending_[i].num_phonemes + (pending_[i].space_after ? 1 : 0);
      if (kept + next_length <= kLimit) return cut;
    }
    // Between words: marks and clitics stay with what they follow.
    for (size_t cut = pending_.size(); cut > 0; --cut) {
      if (!pending_[cut - 1].space_after) continue;
      size_t kept = 0;
      for (size_t i = cut; i < pending_.size(); ++i) kept += pending_[i].num_phonemes;
      if (kept + next_length <= kLimit) return cut;
      break;
    }
    return pending_.size();
  }

  void Emit(size_t count) {
    Chunk chunk;
    chunk.first_word = pending_.front().word;
    chunk.num_words = pending_[count - 1].word - chunk.first_word + 1;
    chunk.text_offset = pending_.front().begin;
    chunk.text_length = pending_[count - 1].end - chunk.text_offset;
    for (size_t i = 0; i < count; ++i) {
      chunk.phonemes += pending_[i].phonemes;
      if (pending_[i].space_after) chunk.phonemes += ' ';
    }
    const size_t first = chunk.phonemes.find_first_not_of(' ');
    if (first != std::string::npos) {
      chunk.phonemes = chunk.phonemes.substr(first, chunk.phonemes.find_last_not_of(' ') - first + 1);
      out_->push_back(std::move(chunk));
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(count));
    length_ = 0;
    for (const Item& item : pending_) length_ += item.num_phonemes + (item.space_after ? 1 : 0);
  }

  // A word longer than a chunk (spelled-out or hostile text): cut at its last space that fits, else anywhere.
  void AddInParts(const Item& item) {
    Flush();
    std::string_view rest = item.phonemes;
    while (!rest.empty()) {
      size_t position = 0, count = 0, after_space = 0, spaces_end = 0;
      while (position < rest.size() && count < kLimit) {
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
      Item part = item;
      part.phonemes = rest.substr(0, position);
      part.num_phonemes = count;
      part.space_after = is_last && item.space_after;
      rest.remove_prefix(position);
      pending_.push_back(part);
      length_ = count + (part.space_after ? 1 : 0);
      if (!is_last) Flush();
    }
  }

  std::vector<Chunk>* out_;
  std::vector<Item> pending_;
  size_t length_ = 0;  // code points of pending_, with spaces
};

}  // namespace

std::vector<Chunk> ChunkWords(const PhonemeText& text) {
  std::vector<Chunk> chunks;
  Chunker chunker(&chunks);
  size_t next_line = 0;
  for (size_t w = 0; w < text.words.size(); ++w) {
    if (next_line < text.lines.size() && text.lines[next_line] == w) {
      chunker.Flush();
      ++next_line;
    }
    const WordInfo& word = text.words[w];
    chunker.Add({word.phonemes, CountCodePoints(word.phonemes), !word.whitespace.empty(), w, word.offset,
                 word.offset + word.length});
  }
  chunker.Flush();
  return chunks;
}

std::vector<Chunk> ChunkPhonemes(std::string_view phonemes) {
  std::vector<Chunk> chunks;
  Chunker chunker(&chunks);
  size_t word = 0;
  for (size_t position = 0; position < phonemes.size();) {
    // A word, or a mark that stands behind one, so that the cut can fall after the mark.
    const size_t begin = position;
    size_t end = begin, count = 0;
    bool is_mark = false;
    while (end < phonemes.size()) {
      size_t next = end;
      const char32_t c = DecodeUtf8(phonemes, &next).value_or(U' ');
      is_mark = std::any_of(kWaterfall.begin(), kWaterfall.end(),
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
    if (count > 0) chunker.Add({phonemes.substr(begin, end - begin), count, has_space, word, begin, end});
    if (has_space && count > 0) ++word;
  }
  chunker.Flush();
  return chunks;
}

}  // namespace koe::g2p
