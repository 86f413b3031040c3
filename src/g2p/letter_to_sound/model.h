// SPDX-License-Identifier: Apache-2.0
// Spelling to phonemes by a small network trained on the pronouncing dictionaries (docs/letter_to_sound.md).
#ifndef KOE_G2P_LETTER_TO_SOUND_MODEL_H_
#define KOE_G2P_LETTER_TO_SOUND_MODEL_H_

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/array.h"
#include "g2p/letter_to_sound/model_file.h"
#include "kernels/kernel_set.h"
#include "koe/koe.h"
#include "koe/result.h"

namespace koe::g2p::letter_to_sound {

inline constexpr size_t kMaxWordLetters = 32;  // as many as the longest word it was trained on

struct Guess {
  std::string phonemes;  // misaki's symbols with stress, one primary mark at most
  float confidence = 0;  // calibrated: the estimated probability that the phonemes with their stress are right
  float posterior = 0;   // the network's own probability of these phonemes
};

// The dictionaries have two manners: gold was written by people, silver is much like espeak-ng's output, which is also
// what the voice has heard for unknown words.
enum class Manner { kLikelier, kSilver };

// Immutable and thread-safe. The same word gives the same guess on the same SIMD target.
class Model {
 public:
  // Copies what it needs: the bytes may go. `kernels` must outlive the model. Errors as ModelFile::Read.
  static Result<std::shared_ptr<const Model>> Open(std::span<const std::byte> bytes, const kernels::KernelSet& kernels);

  // The name as the file lists it; an empty guess for any other word, which is Pronounce's.
  Guess FindName(std::string_view word, Language language) const;
  // word: 1 to kMaxWordLetters characters of a-z ' and -; an empty guess for anything else.
  Guess Pronounce(std::string_view word, Language language, Manner manner) const;

 private:
  static constexpr size_t kBeam = 4;  // hypotheses kept per tier
  struct Hypothesis;
  struct Beams;
  Model(const ModelFile& file, const kernels::KernelSet& kernels);
  // One layer, both directions: gates [T][8 * hidden] -> y [T][2 * hidden].
  void RunLstm(size_t layer, ConstMatrix gates, Matrix y, float* scratch) const;
  std::vector<Hypothesis> Decode(ConstMatrix encoded, size_t stream) const;

  const kernels::KernelSet& kernels_;
  size_t hidden_, width_;
  std::vector<std::string> labels_;
  std::unordered_map<std::string, std::array<std::string, 2>> names_;
  std::vector<std::array<uint8_t, kNumStates>> next_state_;  // by label
  AlignedBuffer<float> letter_gates_;  // [kNumLetters][8 * hidden]: first layer's input with its bias
  std::array<std::array<AlignedBuffer<float>, 2>, 2> recurrent_;
  AlignedBuffer<float> input_, input_bias_;  // second layer, both directions
  AlignedBuffer<float> encoded_, encoded_bias_;
  std::array<std::vector<float>, kHistory> history_;
  std::vector<float> state_, stream_;
  AlignedBuffer<float> output_, output_bias_;
  std::vector<float> tier_, tier_bias_;
  std::array<float, 2> calibration_;
};

}  // namespace koe::g2p::letter_to_sound

#endif  // KOE_G2P_LETTER_TO_SOUND_MODEL_H_
