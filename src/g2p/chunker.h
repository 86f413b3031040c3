// SPDX-License-Identifier: Apache-2.0
// Cuts phonemes into pieces the model can take. A text is phonemised once, as a whole, and its words are then shared
// out among the chunks, so that a word sounds the same whatever the chunking. What misaki would read differently at the
// end of a text (the phrase-final forms of some 40 small words) can matter only where a chunk ends without punctuation,
// and there the sentence goes on.
#ifndef KOE_G2P_CHUNKER_H_
#define KOE_G2P_CHUNKER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/g2p.h"
#include "koe/text.h"
#include "text/chunk_text.h"

namespace koe::g2p {

// With both boundary tokens; Chunking::kSentences alone. Long inputs fade or hurry at their end.
inline constexpr size_t kMaxSentenceTokens = 450;

// A word, or a part of one, within a chunk.
struct ChunkWord {
  size_t word = 0;          // of the text
  size_t first_symbol = 0;  // code points of the chunk's phonemes
  size_t num_symbols = 0;
  bool space_after = false;  // the symbol behind them is the white space that follows the word
};

struct Chunk {
  std::string phonemes;    // 1..kMaxPhonemesPerChunk code points, no white space at the ends
  size_t first_word = 0;   // words [first_word, first_word + num_words) of the text; a word that was cut belongs to
  size_t num_words = 0;    // every chunk that holds a part of it
  size_t text_offset = 0;  // bytes of the text as given, from the first word's start to the last one's end
  size_t text_length = 0;
  std::vector<ChunkWord> words;
};

// Kokoro's own way (KPipeline.en_tokenize, 0.9.4): each line of the text by itself, as many words as fit 510 symbols,
// cut after the last of . ! ? and the ellipsis, else of : and ;, else of comma and dash, else where it is full. Where
// Kokoro would truncate (a word over the limit; a chunk that its count of spaces lets grow to 511), the rest becomes a
// chunk of its own. Chunks without phonemes are left out. Linear.
std::vector<Chunk> ChunkKokoro(const PhonemeText& text);

// The seed's way: each sentence by itself, split where it is over 15 s by estimate (text::ChunkText) or over
// kMaxSentenceTokens (text::SplitForRetry). A word is never cut unless it is over the limit by itself, and goes where
// it starts. Marks alone go with their neighbour. input: the text that was phonemised; a line end in it ends a
// sentence.
std::vector<Chunk> ChunkSentences(std::string_view input, const PhonemeText& text, double speed);
std::vector<Chunk> ChunkSentences(std::string_view input, const PhonemeText& text, const text::ChunkLimits& limits);

// Those sentences again, neighbours of one line in one chunk:
//   PackSentences: as many as are within the limits (of `input`'s characters) and kMaxSentenceTokens;
//   JoinParagraphs: all of a line; where they are more than kMaxSentenceTokens, the fewest chunks, the longest of which
//     is as short as can be.
std::vector<Chunk> PackSentences(std::string_view input, std::vector<Chunk> sentences, const text::ChunkLimits& limits);
std::vector<Chunk> JoinParagraphs(std::string_view input, std::vector<Chunk> sentences);

// Parts of one chunk for sound that must come soon: the first of at most `max_symbols[0]` phonemes and so on, the last
// with what is left; each is cut after a mark, else before a word that starts a phrase (by its tag), else between
// words. A part that would leave fewer than six symbols to the next is not cut. text: what the chunk was made from.
std::vector<Chunk> SplitForFirstAudio(const Chunk& chunk, const PhonemeText& text, std::span<const size_t> max_symbols);

// A string of phonemes: at most 510 symbols, cut at the same marks, else between words, else anywhere. Words are what
// white space separates; word ranges count those, text_offset and text_length are bytes of `phonemes`, which is
// well-formed UTF-8.
std::vector<Chunk> ChunkPhonemes(std::string_view phonemes);

}  // namespace koe::g2p

#endif  // KOE_G2P_CHUNKER_H_
