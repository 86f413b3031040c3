// SPDX-License-Identifier: Apache-2.0
// Sentences put together into longer chunks, and one chunk taken apart for sound that must come soon.
#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "g2p/chunk_packer.h"
#include "g2p/chunker.h"

namespace koe::g2p {
namespace {

constexpr size_t kMaxSymbols = kMaxSentenceTokens - 2;
constexpr size_t kMinPartSymbols = 6;

size_t SymbolsOf(const Chunk& chunk) { return CountCodePoints(chunk.phonemes); }

// Whether they are neighbours in one line, and no word was cut between them.
bool MayJoin(std::string_view input, const Chunk& a, const Chunk& b) {
  const size_t end = a.text_offset + a.text_length;
  if (b.first_word < a.first_word + a.num_words || b.text_offset < end) return false;
  return input.substr(end, b.text_offset - end).find_first_of("\n\r") == std::string_view::npos;
}

void Append(const Chunk& next, Chunk* chunk) {
  const size_t shift = SymbolsOf(*chunk) + 1;
  if (!chunk->words.empty()) chunk->words.back().space_after = true;
  for (ChunkWord word : next.words) {
    word.first_symbol += shift;
    chunk->words.push_back(word);
  }
  chunk->phonemes += ' ';
  chunk->phonemes += next.phonemes;
  chunk->num_words = next.first_word + next.num_words - chunk->first_word;
  chunk->text_length = next.text_offset + next.text_length - chunk->text_offset;
}

// As few parts as are each of at most kMaxSymbols, then the smallest limit that gives no more of them.
std::vector<Chunk> JoinBalanced(std::span<const Chunk> sentences) {
  const auto pack = [&](size_t limit) {
    std::vector<Chunk> parts;
    size_t symbols = 0;
    for (const Chunk& sentence : sentences) {
      const size_t own = SymbolsOf(sentence);
      if (!parts.empty() && symbols + 1 + own <= limit) {
        Append(sentence, &parts.back());
        symbols += 1 + own;
      } else {
        parts.push_back(sentence);
        symbols = own;
      }
    }
    return parts;
  };
  std::vector<Chunk> best = pack(kMaxSymbols);
  size_t low = 1, high = kMaxSymbols;  // the answer is in [low, high]
  while (low < high) {
    const size_t limit = (low + high) / 2;
    std::vector<Chunk> parts = pack(limit);
    if (parts.size() > best.size()) {
      low = limit + 1;
    } else {
      best = std::move(parts);
      high = limit;
    }
  }
  return best;
}

// Words a phrase starts with.
bool StartsPhrase(std::string_view tag) {
  for (const std::string_view start : {"CC", "IN", "TO", "WDT", "WP", "WP$", "WRB"}) {
    if (tag == start) return true;
  }
  return false;
}

}  // namespace

std::vector<Chunk> PackSentences(std::string_view input, std::vector<Chunk> sentences,
                                 const text::ChunkLimits& limits) {
  std::vector<Chunk> packed;
  for (Chunk& sentence : sentences) {
    if (!packed.empty() && MayJoin(input, packed.back(), sentence)) {
      const Chunk& last = packed.back();
      const size_t end = sentence.text_offset + sentence.text_length;
      const bool fits = SymbolsOf(last) + 1 + SymbolsOf(sentence) <= kMaxSymbols;
      if (fits && text::FitsLimits(input.substr(last.text_offset, end - last.text_offset), limits)) {
        Append(sentence, &packed.back());
        continue;
      }
    }
    packed.push_back(std::move(sentence));
  }
  return packed;
}

std::vector<Chunk> JoinParagraphs(std::string_view input, std::vector<Chunk> sentences) {
  std::vector<Chunk> joined;
  for (size_t first = 0; first < sentences.size();) {
    size_t last = first + 1;
    while (last < sentences.size() && MayJoin(input, sentences[last - 1], sentences[last])) ++last;
    for (Chunk& part : JoinBalanced(std::span(sentences).subspan(first, last - first)))
      joined.push_back(std::move(part));
    first = last;
  }
  return joined;
}

std::vector<Chunk> SplitForFirstAudio(const Chunk& chunk, const PhonemeText& text,
                                      std::span<const size_t> max_symbols) {
  // Words that go together: a clitic or mark stays with what it follows.
  std::vector<ChunkItem> items;
  std::string_view phonemes = chunk.phonemes;
  size_t position = 0, symbol = 0;
  const auto advance = [&](size_t symbols) {
    while (symbol < symbols && DecodeUtf8(phonemes, &position)) ++symbol;
  };
  for (const ChunkWord& word : chunk.words) {
    advance(word.first_symbol);
    const size_t begin = position;
    advance(word.first_symbol + word.num_symbols);
    ChunkItem item = MakeItem(text, word.word);
    item.phonemes = phonemes.substr(begin, position - begin);
    item.num_phonemes = word.num_symbols;
    item.space_after = word.space_after;
    items.push_back(item);
  }
  std::vector<Chunk> parts;
  size_t first = 0, remaining = SymbolsOf(chunk);
  for (const size_t limit : max_symbols) {
    if (remaining <= limit + kMinPartSymbols) break;
    // The last good place within the limit; where there is none, the first place beyond it.
    std::optional<size_t> after_mark, before_phrase, between_words, beyond;
    size_t symbols = 0, symbols_at_cut = 0;
    std::vector<size_t> length_at(items.size() + 1, 0);
    for (size_t i = first; i + 1 < items.size(); ++i) {
      symbols += items[i].num_phonemes + (items[i].space_after ? 1 : 0);
      length_at[i + 1] = symbols;
      if (!items[i].space_after || symbols < kMinPartSymbols || remaining - symbols < kMinPartSymbols) continue;
      if (symbols > limit) {
        if (!beyond) beyond = i + 1;
        break;
      }
      between_words = i + 1;
      const bool is_mark = IsOneOf(items[i].phonemes, kCutMarks[0]) || IsOneOf(items[i].phonemes, kCutMarks[1]) ||
                           IsOneOf(items[i].phonemes, kCutMarks[2]);
      if (is_mark) after_mark = i + 1;
      if (StartsPhrase(text.words[items[i + 1].word].tag)) before_phrase = i + 1;
    }
    const auto cut = after_mark ? after_mark : before_phrase ? before_phrase : between_words ? between_words : beyond;
    if (!cut) break;
    symbols_at_cut = length_at[*cut];
    EmitChunk(items.data() + first, *cut - first, &parts);
    first = *cut;
    remaining -= std::min(remaining, symbols_at_cut);
  }
  EmitChunk(items.data() + first, items.size() - first, &parts);
  return parts;
}

}  // namespace koe::g2p
