// SPDX-License-Identifier: Apache-2.0
// A small letter-to-sound file with chosen weights, for tests and the fuzz target.
#ifndef KOE_G2P_LETTER_TO_SOUND_TESTING_MODEL_BUILDER_H_
#define KOE_G2P_LETTER_TO_SOUND_TESTING_MODEL_BUILDER_H_

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "g2p/letter_to_sound/model_file.h"
#include "g2p/tagger_file.h"

namespace koe::g2p::letter_to_sound::testing {

struct ModelShape {
  size_t embedding = 4, hidden = 8, width = 8;
  std::vector<std::string> labels = {"", "t", "\u02C8\u00E6", "\u0259"};
};

// Writes size, checksum and the fields that describe the shape, as the file has them.
inline void SealModel(std::string* file) {
  const auto put = [&](size_t at, uint64_t value) { std::memcpy(file->data() + at, &value, sizeof(value)); };
  put(kFileBytesAt, file->size());
  put(kChecksumAt, tagger_file::Checksum(std::as_bytes(std::span(*file)).subspan(kHeaderBytes)));
}

// next() gives the int8 weights in the file's order; rows are scaled by `scale`, vectors are zero but the calibration.
inline std::string BuildModel(const ModelShape& shape, float scale, const std::function<int8_t()>& next) {
  std::string file(kHeaderBytes, '\0');
  std::memcpy(file.data(), kMagic, sizeof(kMagic));
  const auto put = [&](size_t at, uint32_t value) { std::memcpy(file.data() + at, &value, sizeof(value)); };
  put(kVersionAt, kVersion);
  put(kEmbeddingAt, static_cast<uint32_t>(shape.embedding));
  put(kHiddenAt, static_cast<uint32_t>(shape.hidden));
  put(kWidthAt, static_cast<uint32_t>(shape.width));
  put(kNumLabelsAt, static_cast<uint32_t>(shape.labels.size()));
  std::string texts;
  for (const std::string& label : shape.labels) texts += label + "\n";
  put(kLabelBytesAt, static_cast<uint32_t>(texts.size()));
  file += texts;
  const auto pad = [&] { file.resize((file.size() + 3) / 4 * 4, '\0'); };
  const auto number = [&](float value) { file.append(reinterpret_cast<const char*>(&value), sizeof(value)); };
  const auto vector = [&](size_t count) {
    for (size_t i = 0; i < count; ++i) number(0);
  };
  const auto matrix = [&](size_t rows, size_t cols) {
    for (size_t r = 0; r < rows; ++r) number(scale);
    for (size_t i = 0; i < rows * cols; ++i) file.push_back(static_cast<char>(next()));
    pad();
  };
  pad();
  const size_t gates = 4 * shape.hidden, both = 2 * shape.hidden, labels = shape.labels.size();
  matrix(kNumLetters, shape.embedding);
  for (size_t layer = 0; layer < 2; ++layer) {
    for (size_t direction = 0; direction < 2; ++direction) {
      matrix(gates, layer == 0 ? shape.embedding : both);
      matrix(gates, shape.hidden);
      vector(gates);
    }
  }
  matrix(shape.width, both);
  vector(shape.width);
  for (size_t h = 0; h < kHistory; ++h) matrix(labels + 1, shape.width);
  matrix(kNumStates, shape.width);
  matrix(kNumStreams, shape.width);
  matrix(labels, shape.width);
  vector(labels);
  matrix(2, both);
  vector(2);
  number(1);
  number(0);
  SealModel(&file);
  return file;
}

}  // namespace koe::g2p::letter_to_sound::testing

#endif  // KOE_G2P_LETTER_TO_SOUND_TESTING_MODEL_BUILDER_H_
