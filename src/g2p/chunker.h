// SPDX-License-Identifier: Apache-2.0
// Cuts phonemes into pieces the model can take, as Kokoro's pipeline does (KPipeline.en_tokenize), but never truncates.
#ifndef KOE_G2P_CHUNKER_H_
#define KOE_G2P_CHUNKER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/g2p.h"
#include "koe/koe.h"

namespace koe::g2p {

struct Chunk {
  std::string phonemes;    // 1..kMaxPhonemesPerChunk code points, no white space at the ends
  size_t first_word = 0;   // words [first_word, first_word + num_words) of the text; a word that was cut belongs to
  size_t num_words = 0;    // every chunk that holds a part of it
  size_t text_offset = 0;  // bytes of the text as given, from the first word's start to the last one's end
  size_t text_length = 0;
};

// Chunks in order; a line of the text starts a new one. Cut after the last of . ! ? and the ellipsis that fits, else
// : and ;, else comma and dash, else between words; a single word over the limit is cut inside. Chunks without phonemes
// are left out. Linear.
std::vector<Chunk> ChunkWords(const PhonemeText& text);

// The same for phonemes given as such: words are what white space separates; word ranges count those, text_offset and
// text_length are bytes of `phonemes`. phonemes: well-formed UTF-8.
std::vector<Chunk> ChunkPhonemes(std::string_view phonemes);

}  // namespace koe::g2p

#endif  // KOE_G2P_CHUNKER_H_
