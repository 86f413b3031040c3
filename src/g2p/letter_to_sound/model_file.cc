// SPDX-License-Identifier: Apache-2.0
#include "g2p/letter_to_sound/model_file.h"

#include <cmath>
#include <cstring>
#include <optional>

#include "base/utf8.h"
#include "g2p/tagger_file.h"

namespace koe::g2p::letter_to_sound {
namespace {

Error Corrupt(const std::string& why) { return Error(ErrorCode::kCorruptBundle, "letter-to-sound: " + why); }

template <typename T>
T Load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

// With weights within this no sum or product of the network leaves float32, so that damage gives wrong sounds at worst.
constexpr float kMaxMagnitude = 1e4f;
constexpr size_t kMaxSize = 1024;  // of any one dimension but the labels'

class TensorReader {
 public:
  explicit TensorReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool Vector(size_t count, std::vector<float>* values) {
    if (count > bytes_.size() / sizeof(float)) return false;
    values->resize(count);
    for (size_t i = 0; i < count; ++i) {
      const auto value = Load<float>(bytes_.data() + i * sizeof(float));
      if (!(std::abs(value) <= kMaxMagnitude)) return false;
      (*values)[i] = value;
    }
    bytes_ = bytes_.subspan(count * sizeof(float));
    return true;
  }

  bool Matrix(size_t rows, size_t cols, std::vector<float>* values) {
    std::vector<float> scales;
    const size_t padded = (rows * cols + 3) / 4 * 4;
    if (!Vector(rows, &scales) || padded > bytes_.size()) return false;
    values->resize(rows * cols);
    for (size_t r = 0; r < rows; ++r) {
      if (std::abs(scales[r]) > kMaxMagnitude / 128) return false;
      for (size_t c = 0; c < cols; ++c) {
        (*values)[r * cols + c] = scales[r] * static_cast<float>(Load<int8_t>(bytes_.data() + r * cols + c));
      }
    }
    bytes_ = bytes_.subspan(padded);
    return true;
  }

  bool done() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
};

// The lines of a text, each ended by a line feed; nullopt where it is not UTF-8 or the last has no end.
std::optional<std::vector<std::string_view>> Lines(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (FindInvalidUtf8(text)) return std::nullopt;
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return std::nullopt;
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

Result<ModelFile> ModelFile::Read(std::span<const std::byte> bytes) {
  if (bytes.size() < kHeaderBytes) return Corrupt("shorter than its header");
  if (bytes.size() > kMaxFileBytes) return Corrupt("larger than " + std::to_string(kMaxFileBytes) + " bytes");
  if (std::memcmp(bytes.data(), kMagic, sizeof(kMagic)) != 0) return Corrupt("not a letter-to-sound model");
  if (const auto version = Load<uint32_t>(bytes.data() + kVersionAt); version != kVersion) {
    return Error(ErrorCode::kUnsupported,
                 "letter-to-sound: version " + std::to_string(version) + ", expected " + std::to_string(kVersion));
  }
  if (Load<uint64_t>(bytes.data() + kFileBytesAt) != bytes.size()) return Corrupt("truncated or padded");
  const std::span<const std::byte> body = bytes.subspan(kHeaderBytes);
  if (Load<uint64_t>(bytes.data() + kChecksumAt) != tagger_file::Checksum(body)) return Corrupt("checksum");

  ModelFile file;
  file.embedding = Load<uint32_t>(bytes.data() + kEmbeddingAt);
  file.hidden = Load<uint32_t>(bytes.data() + kHiddenAt);
  file.width = Load<uint32_t>(bytes.data() + kWidthAt);
  const size_t num_labels = Load<uint32_t>(bytes.data() + kNumLabelsAt);
  const size_t label_bytes = Load<uint32_t>(bytes.data() + kLabelBytesAt);
  for (const size_t size : {file.embedding, file.hidden, file.width}) {
    if (size == 0 || size > kMaxSize) return Corrupt("size " + std::to_string(size));
  }
  if (file.hidden % 8 != 0) return Corrupt("hidden size " + std::to_string(file.hidden) + " is no multiple of 8");
  if (num_labels == 0 || num_labels > kMaxLabels) return Corrupt(std::to_string(num_labels) + " labels");
  const size_t name_bytes = Load<uint32_t>(bytes.data() + kNameBytesAt);
  const size_t padded_labels = (label_bytes + 3) / 4 * 4, padded_names = (name_bytes + 3) / 4 * 4;
  if (padded_labels > body.size() || padded_names > body.size() - padded_labels) {
    return Corrupt("labels or names lie outside the file");
  }
  const auto labels = Lines(body.first(label_bytes)), names = Lines(body.subspan(padded_labels, name_bytes));
  if (!labels || labels->size() != num_labels) return Corrupt("not the stated number of labels");
  file.labels.assign(labels->begin(), labels->end());
  if (!names) return Corrupt("names");
  for (const std::string_view line : *names) {
    const size_t first = line.find('\t'), second = line.find('\t', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return Corrupt("names");
    file.names[std::string(line.substr(0, first))] = {std::string(line.substr(first + 1, second - first - 1)),
                                                      std::string(line.substr(second + 1))};
  }

  TensorReader reader(body.subspan(padded_labels + padded_names));
  const size_t gates = 4 * file.hidden, both = 2 * file.hidden;
  bool fits = reader.Matrix(kNumLetters, file.embedding, &file.letters);
  for (size_t layer = 0; layer < 2; ++layer) {
    for (LstmWeights& lstm : file.lstms[layer]) {
      fits = fits && reader.Matrix(gates, layer == 0 ? file.embedding : both, &lstm.input) &&
             reader.Matrix(gates, file.hidden, &lstm.recurrent) && reader.Vector(gates, &lstm.bias);
    }
  }
  fits = fits && reader.Matrix(file.width, both, &file.encoded) && reader.Vector(file.width, &file.encoded_bias);
  for (std::vector<float>& table : file.history) fits = fits && reader.Matrix(num_labels + 1, file.width, &table);
  std::vector<float> calibration;
  fits = fits && reader.Matrix(kNumStates, file.width, &file.state) &&
         reader.Matrix(kNumStreams, file.width, &file.stream) && reader.Matrix(num_labels, file.width, &file.output) &&
         reader.Vector(num_labels, &file.output_bias) && reader.Matrix(2, both, &file.tier) &&
         reader.Vector(2, &file.tier_bias) && reader.Vector(2, &calibration);
  if (!fits) return Corrupt("a tensor lies outside the file or has values out of bounds");
  if (!reader.done()) return Corrupt("bytes behind the last tensor");
  file.calibration = {calibration[0], calibration[1]};
  return file;
}

}  // namespace koe::g2p::letter_to_sound
