// SPDX-License-Identifier: Apache-2.0
// Sections of a perceptron's weight file (docs/tagger.md), inside the container of g2p/tagger_file.h.
#ifndef KOE_G2P_EN_PERCEPTRON_FORMAT_H_
#define KOE_G2P_EN_PERCEPTRON_FORMAT_H_

#include <cstddef>
#include <cstdint>

namespace koe::g2p::en::perceptron_format {

inline constexpr char kSettings[] = "settings";  // uint32: kFeatureVersion
inline constexpr char kTags[] = "tags";          // kTagBytes a tag: its name, zero-padded
inline constexpr char kWords[] = "words";        // uint32: hash table of the dictionary, a power of two
inline constexpr char kClasses[] = "classes";    // uint8 a class: index of its only tag, or kAmbiguous
inline constexpr char kSlots[] = "slots";        // uint32: hash table of the features, a power of two
inline constexpr char kWeights[] = "weights";    // what the slots point to
inline constexpr char kOrigin[] = "origin";      // UTF-8: what the weights were trained from; not read

inline constexpr size_t kTagBytes = 8;
inline constexpr size_t kMaxTags = 64;
inline constexpr uint8_t kAmbiguous = 0xFF;

// Both tables: linear probing from the key's low bits, at most kMaxProbes entries (the writer grows the table until
// that is enough); an entry of kEmpty ends the search.
inline constexpr uint32_t kEmpty = 0xFFFFFFFF;
inline constexpr unsigned kMaxProbes = 32;

// Dictionary entry: the key's top 16 bits; below, the word's class and whether the class is all that is known of it.
inline constexpr uint16_t kClassMask = 0x7FFF;
inline constexpr uint16_t kAnonymous = 0x8000;
constexpr uint32_t WordCheck(uint64_t key) { return static_cast<uint32_t>(key >> 48); }

// Feature entry: the key's top 12 bits, and below them where its weights begin, in units of two bytes. There: the
// number of weights, the next 8 bits of the key, then for each weight the tag's index and the weight, an int8.
inline constexpr unsigned kOffsetBits = 20;
constexpr uint32_t SlotCheck(uint64_t key) { return static_cast<uint32_t>(key >> 52); }
constexpr uint8_t ListCheck(uint64_t key) { return static_cast<uint8_t>(key >> 44); }

}  // namespace koe::g2p::en::perceptron_format

#endif  // KOE_G2P_EN_PERCEPTRON_FORMAT_H_
