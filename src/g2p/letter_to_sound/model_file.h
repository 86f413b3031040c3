// SPDX-License-Identifier: Apache-2.0
// The file of a letter-to-sound model (docs/letter_to_sound.md, "The file"). Written by tools/train_letter_to_sound.
#ifndef KOE_G2P_LETTER_TO_SOUND_MODEL_FILE_H_
#define KOE_G2P_LETTER_TO_SOUND_MODEL_FILE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "koe/result.h"

namespace koe::g2p::letter_to_sound {

inline constexpr char kMagic[8] = {'K', 'O', 'E', 'L', '2', 'S', '1', '\0'};
inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kMaxFileBytes = size_t{16} << 20;

// Byte offsets in the header; what they leave out is zero.
enum HeaderOffset : size_t {
  kVersionAt = 8,      // uint32
  kEmbeddingAt = 12,   // uint32: features of a letter
  kHiddenAt = 16,      // uint32: of an LSTM in one direction; a multiple of 8
  kWidthAt = 20,       // uint32: of the decoder
  kNumLabelsAt = 24,   // uint32
  kLabelBytesAt = 28,  // uint32: of the label texts, each followed by a line feed
  kFileBytesAt = 32,   // uint64
  kChecksumAt = 40,    // uint64: tagger_file::Checksum of everything behind the header
  kNameBytesAt = 48,   // uint32: of the names
  kHeaderBytes = 64
};
// Then the label texts and the names, each zero-padded to a multiple of 4. A name is its spelling, a tab, the American
// phonemes, a tab, the British ones and a line feed. Then the tensors in the order of ModelFile. A matrix is a
// float32 scale per row and the rows as int8, zero-padded to a multiple of 4; value = scale * int8. A vector is
// float32.

inline constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz'-";
inline constexpr size_t kNumLetters = 29;  // kAlphabet from 1; 0 is unused
inline constexpr size_t kHistory = 4;      // labels the decoder sees
inline constexpr size_t kNumStates = 16;   // of the stress marks so far
inline constexpr size_t kNumStreams = 4;   // US gold, US silver, GB gold, GB silver
inline constexpr size_t kMaxLabels = 1024;

struct LstmWeights {
  std::vector<float> input;      // [4 * hidden][in]
  std::vector<float> recurrent;  // [4 * hidden][hidden]
  std::vector<float> bias;       // [4 * hidden]
};

struct ModelFile {
  // Checks the header, the checksum, all sizes, that the labels are UTF-8 and the values in bounds. kCorruptBundle;
  // kUnsupported for another version.
  static Result<ModelFile> Read(std::span<const std::byte> bytes);

  size_t embedding = 0, hidden = 0, width = 0;
  std::vector<std::string> labels;
  std::unordered_map<std::string, std::array<std::string, 2>> names;  // American, British
  std::vector<float> letters;                                         // [kNumLetters][embedding]
  std::array<std::array<LstmWeights, 2>, 2> lstms;                    // by layer, then forward and backward
  std::vector<float> encoded, encoded_bias;                           // [width][2 * hidden], [width]
  std::array<std::vector<float>, kHistory> history;  // [labels + 1][width], the last label first; the last row: none
  std::vector<float> state;                          // [kNumStates][width]
  std::vector<float> stream;                         // [kNumStreams][width]
  std::vector<float> output, output_bias;            // [labels][width], [labels]
  std::vector<float> tier, tier_bias;                // [2 accents][2 * hidden], [2]: log odds of gold
  std::array<float, 2> calibration;                  // confidence = sigmoid(c[0] * log odds of the posterior + c[1])
};

}  // namespace koe::g2p::letter_to_sound

#endif  // KOE_G2P_LETTER_TO_SOUND_MODEL_FILE_H_
