// SPDX-License-Identifier: Apache-2.0
// Text into pieces of one breath, by the rules of the seed (TextChunker.swift): sentences, and where one is too long
// its clauses, its words, its characters. Ranges are bytes of the text given, in order, without white space at their
// ends; between them lies white space alone, so that no character is lost. Lengths are code points, a run of white
// space counting one.
#ifndef KOE_TEXT_CHUNK_TEXT_H_
#define KOE_TEXT_CHUNK_TEXT_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "text/segments.h"

namespace koe::text {

inline constexpr double kCharactersPerSecond = 14;  // of speech at speed 1, for estimates

struct ChunkLimits {
  double max_seconds = 15;                              // estimated; at least 0.25
  double speed = 1;                                     // at least 0.1
  std::optional<size_t> max_characters = std::nullopt;  // at least 1; counts instead of max_seconds
};

// Whether a chunk of this text is within the limits.
bool FitsLimits(std::string_view text, const ChunkLimits& limits);

// Each sentence is a chunk of its own. One over the limit is cut after , ; : where all the pieces, packed together
// again as far as they fit, are within it; else between words; a word that is too long by itself is cut anywhere. With
// max_characters: after the last , ; : or space of the second half of each window, else at its end. A comma, full stop
// or colon between digits is no place to cut. text: well-formed UTF-8. Linear; scratch memory is bounded.
std::vector<TextRange> ChunkText(std::string_view text, const ChunkLimits& limits);

// Two or more pieces of a chunk that has proved too long all the same, every one shorter than it: its sentences, in
// windows of half its length. A piece of fewer than 32 characters is joined to the one before it where both fit a
// window; else the cut between them moves left to where a reader would pause (after , ; : or at a space that no
// abbreviation stands before) if that makes both long enough. Empty where there are fewer than two characters.
std::vector<TextRange> SplitForRetry(std::string_view text, TextRange chunk);

}  // namespace koe::text

#endif  // KOE_TEXT_CHUNK_TEXT_H_
