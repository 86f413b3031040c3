// SPDX-License-Identifier: Apache-2.0
// Constants of the compiled lexicon (docs/lexicon_format.md). All integers are little-endian.
#ifndef KOE_G2P_LEXICON_FORMAT_H_
#define KOE_G2P_LEXICON_FORMAT_H_

#include <cstddef>
#include <cstdint>

namespace koe::g2p::lexicon_format {

inline constexpr char kMagic[8] = {'K', 'O', 'E', 'L', 'E', 'X', '\r', '\n'};  // CR LF: a text-mode copy is noticed
inline constexpr uint32_t kVersion = 1;

// Header: magic, then these 32-bit words.
enum HeaderWord : size_t {
  kVersionWord = 0,
  kFileBytes,
  kNumKeys,
  kNumBlocks,
  kNumSymbols,      // code points that phonemes are made of
  kNumPairs,        // codes that stand for two symbols
  kNumTags,         // names of variants
  kSymbolsOffset,   // kNumSymbols x uint32
  kPairsOffset,     // kNumPairs x 2 bytes: symbol codes
  kTagsOffset,      // kNumTags x kTagBytes: ASCII, zero-padded
  kPrefixesOffset,  // kNumBlocks x kPrefixBytes: how each block's first key begins, zero-padded, most significant first
  kBlocksOffset,    // (kNumBlocks + 1) x uint32: offsets into the keys, the last one their size
  kMaxKeyWord,      // bytes of the longest key
  kKeysOffset,
  kNumHeaderWords
};
inline constexpr size_t kHeaderBytes = sizeof(kMagic) + 4 * kNumHeaderWords;

inline constexpr size_t kKeysPerBlock = 16;
inline constexpr size_t kPrefixBytes = 8;  // enough to decide nearly every step of the search without touching the keys
inline constexpr size_t kMaxKeyBytes = 63;
inline constexpr size_t kMaxCodes = 254;     // symbols and pairs together; a code is one byte
inline constexpr size_t kMaxSymbolUtf8 = 4;  // bytes
inline constexpr size_t kTagBytes = 8;
inline constexpr size_t kMaxTags = 32;

// Entry, byte 0: bytes shared with the key before (high nibble, at most 15) and new bytes (low nibble; 15: the number
// follows as a byte). A block's first entry shares nothing.
inline constexpr unsigned kLongKey = 15;
// After the key's bytes: length of the phonemes in codes with these flags. kLongValue: the length follows as a byte.
inline constexpr unsigned kLengthMask = 0x3F;
inline constexpr unsigned kLongValue = 0x3F;
inline constexpr unsigned kSilverFlag = 0x40;
inline constexpr unsigned kVariantsFlag = 0x80;
// Variants, after the phonemes: a count byte, then for each a tag byte, a length byte and the codes.
inline constexpr unsigned kNullLength = 255;  // the dictionary says null: spell the word
inline constexpr size_t kMaxPhonemeCodes = 254;

}  // namespace koe::g2p::lexicon_format

#endif  // KOE_G2P_LEXICON_FORMAT_H_
