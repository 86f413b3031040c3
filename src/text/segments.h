// SPDX-License-Identifier: Apache-2.0
// Where text may be taken apart before it is pronounced. Ranges are bytes of the text given.
#ifndef KOE_TEXT_SEGMENTS_H_
#define KOE_TEXT_SEGMENTS_H_

#include <cstddef>
#include <string_view>
#include <vector>

namespace koe::text {

struct TextRange {
  size_t begin;
  size_t end;
};

// Lines that are not blank, without white space at both ends of the whole text (Kokoro's pipeline: strip, then split at
// runs of newlines). text must be well-formed UTF-8.
std::vector<TextRange> SplitLines(std::string_view text);

// Sentences, trimmed, closing quotes and brackets included (the seed's TextChunker.swift, step 1). A full stop does not
// end a sentence inside a number or word, after one of 13 abbreviations (Mr. Dr. e.g. ...), after a single initial
// before a capital, or before a lower-case word. Linear.
std::vector<TextRange> SplitSentences(std::string_view text);

// Whether what stands before text[end], which is white space, ends a sentence by the same rules.
bool SentenceEndsBefore(std::string_view text, size_t end);

// text[range] without Unicode white space at both ends; empty ranges stay at their begin.
TextRange Trim(std::string_view text, TextRange range);

}  // namespace koe::text

#endif  // KOE_TEXT_SEGMENTS_H_
