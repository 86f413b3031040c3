// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/utf8.h"
#include "g2p/chunk_packer.h"
#include "g2p/chunker.h"
#include "text/chunk_text.h"
#include "text/unicode.h"

namespace koe::g2p {
namespace {

constexpr size_t kLimit = kMaxSentenceTokens - 2;
static_assert(kLimit <= kMaxPhonemesPerChunk);

// Whether anything but punctuation is to be heard.
bool IsAudible(std::string_view phonemes) {
  constexpr std::u32string_view kSilent = U" ;:,.!?—…\"“”()";
  for (const char32_t c : text::CodePoints(phonemes)) {
    if (kSilent.find(c) == std::u32string_view::npos) return true;
  }
  return false;
}

class SentenceChunker {
 public:
  SentenceChunker(std::string_view input, const PhonemeText& text, std::vector<Chunk>* out)
      : input_(input), text_(text), out_(out) {}

  // The words that start before byte `end` of the input and belong to no chunk yet; `range` is their text.
  void AddRange(text::TextRange range, size_t end) {
    const size_t first = next_word_;
    while (next_word_ < text_.words.size() && text_.words[next_word_].offset < end) ++next_word_;
    AddWords(range, first, next_word_);
  }

  void EndLine() {
    if (open_.first < open_.last) EmitWords(open_.first, open_.last);
    open_ = {};
  }

 private:
  struct Length {
    size_t code_points;
    size_t num_audible;   // words
    size_t longest_word;  // code points
  };
  Length LengthOf(size_t first, size_t last) const {
    Length length{0, 0, 0};
    for (size_t w = first; w < last; ++w) {
      const WordInfo& word = text_.words[w];
      const size_t word_length = CountCodePoints(word.phonemes);
      length.longest_word = std::max(length.longest_word, word_length);
      length.code_points += word_length + (w + 1 < last ? word.whitespace.size() : 0);
      length.num_audible += IsAudible(word.phonemes) ? 1 : 0;
    }
    return length;
  }

  void AddWords(text::TextRange range, size_t first, size_t last) {
    if (first == last) return;
    const Length length = LengthOf(first, last);
    if (length.code_points > kLimit) {
      const auto pieces = length.num_audible > 1 && length.longest_word <= kLimit ? text::SplitForRetry(input_, range)
                                                                                  : std::vector<text::TextRange>();
      size_t begin = first;
      for (size_t i = 0; i < pieces.size(); ++i) {
        const size_t end_byte = i + 1 < pieces.size() ? pieces[i + 1].begin : range.end;
        size_t end = begin;
        while (end < last && (i + 1 == pieces.size() || text_.words[end].offset < end_byte)) ++end;
        AddWords(pieces[i], begin, end);
        begin = end;
      }
      if (pieces.empty()) {
        EndLine();
        EmitWords(first, last);
      }
      return;
    }
    const bool may_join = open_.first < open_.last && !(open_.is_audible && length.num_audible > 0);
    if (may_join && open_.code_points + 1 + length.code_points <= kLimit) {
      open_.last = last;
      open_.code_points += 1 + length.code_points;
      open_.is_audible = open_.is_audible || length.num_audible > 0;
      return;
    }
    EndLine();
    open_ = {first, last, length.code_points, length.num_audible > 0};
  }

  void EmitWords(size_t first, size_t last) {
    ChunkPacker packer(kLimit, out_);
    for (size_t w = first; w < last; ++w) packer.Add(MakeItem(text_, w));
    packer.Flush();
  }

  std::string_view input_;
  const PhonemeText& text_;
  std::vector<Chunk>* out_;
  size_t next_word_ = 0;
  // Waits for marks that go with it, or holds marks that wait for words.
  struct {
    size_t first = 0, last = 0;
    size_t code_points = 0;  // with spaces, at most one too many for each piece
    bool is_audible = false;
  } open_;
};

}  // namespace

std::vector<Chunk> ChunkSentences(std::string_view input, const PhonemeText& text, double speed) {
  text::ChunkLimits limits;
  limits.speed = speed;
  return ChunkSentences(input, text, limits);
}

std::vector<Chunk> ChunkSentences(std::string_view input, const PhonemeText& text, const text::ChunkLimits& limits) {
  std::vector<Chunk> chunks;
  SentenceChunker chunker(input, text, &chunks);
  for (size_t begin = 0; begin < input.size();) {
    const size_t end = std::min(input.find_first_of("\n\r", begin), input.size());
    const auto ranges = text::ChunkText(input.substr(begin, end - begin), limits);
    for (size_t i = 0; i < ranges.size(); ++i) {
      const size_t next = i + 1 < ranges.size() ? begin + ranges[i + 1].begin : end;
      chunker.AddRange({begin + ranges[i].begin, begin + ranges[i].end}, next);
    }
    chunker.EndLine();
    begin = end + 1;
  }
  return chunks;
}

}  // namespace koe::g2p
