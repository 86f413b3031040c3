// SPDX-License-Identifier: Apache-2.0
// What a koe::UserLexicon holds, and how its words are found.
#ifndef KOE_G2P_USER_LEXICON_H_
#define KOE_G2P_USER_LEXICON_H_

#include <bitset>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "g2p/tagger.h"
#include "koe/koe.h"

namespace koe::g2p {

// Of a file. A word's are bytes after FoldWord.
inline constexpr size_t kMaxUserLexiconBytes = size_t{64} << 20;
inline constexpr size_t kMaxUserWords = 1000000;
inline constexpr size_t kMaxUserWordBytes = 128;
inline constexpr size_t kMaxUserPhonemes = 200;  // well within a chunk

struct UserPronunciation {
  std::string tag;  // a Penn tag; NOUN, VERB, ADJ or ADV; "": any
  std::string phonemes;
};

struct UserWord {
  std::string key;    // folded
  std::string lower;  // of the key; the same for a word that is meant in any case
  std::vector<UserPronunciation> pronunciations;

  // For an exact tag, else its class, else any; nullptr: not as this part of speech.
  const std::string* Phonemes(Tag tag) const;
};

}  // namespace koe::g2p

namespace koe {

struct UserLexicon::Entries {
  std::vector<g2p::UserWord> words;                 // sorted by (lower, key), no two alike
  std::bitset<256> first_bytes;                     // of the lower-case forms
  std::bitset<2 * g2p::kMaxUserWordBytes> lengths;  // of the lower-case forms, which may be longer than the keys

  // The word of exactly these letters, else the one meant in any case. lower: ToLower(folded).
  const g2p::UserWord* Find(std::string_view folded, std::string_view lower) const;
  // How many bytes of `lower` some word begins with.
  size_t LongestSharedPrefix(std::string_view lower) const;
};

}  // namespace koe

namespace koe::g2p {

// How words are compared: NFKC, curly apostrophes straight, a run of white space as one space, none at the ends.
std::string FoldWord(std::string_view text);

}  // namespace koe::g2p

#endif  // KOE_G2P_USER_LEXICON_H_
