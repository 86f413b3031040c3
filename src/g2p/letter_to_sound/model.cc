// SPDX-License-Identifier: Apache-2.0
#include "g2p/letter_to_sound/model.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

#include "base/utf8.h"
#include "g2p/phonemes.h"

namespace koe::g2p::letter_to_sound {
namespace {

// The stress state: bits 0 and 1 count the vowels since the last mark (3: or more), bit 2: there was a mark, bit 3: a
// primary one.
constexpr uint8_t kAnyMark = 4, kPrimaryMark = 8;

uint8_t NextState(uint8_t state, const std::string& label) {
  uint8_t vowels = state & 3, rest = state & (kAnyMark | kPrimaryMark);
  char32_t previous = 0;
  for (size_t position = 0; position < label.size();) {
    const char32_t c = DecodeUtf8(label, &position).value_or(0);
    if (IsVowel(c) || c == U'\u1D4A') {
      const bool is_primary = previous == U'\u02C8', is_secondary = previous == U'\u02CC';
      if (is_primary || is_secondary) {
        vowels = 0;
        rest = static_cast<uint8_t>(rest | kAnyMark | (is_primary ? kPrimaryMark : 0));
      } else {
        vowels = std::min<uint8_t>(3, static_cast<uint8_t>(vowels + 1));
      }
    }
    previous = c;
  }
  return vowels | rest;
}

AlignedBuffer<float> Copy(std::span<const float> values) {
  AlignedBuffer<float> copy(values.size());
  std::copy(values.begin(), values.end(), copy.data());
  return copy;
}

// [out][in] -> panels.
AlignedBuffer<float> Pack(const kernels::KernelSet& kernels, std::span<const float> weight, size_t in, size_t out) {
  AlignedBuffer<float> packed(kernels::PackedSize(1, in, out));
  kernels.gemm.pack(weight.data(), 1, in, out, 0, 1, in, packed.data());
  return packed;
}

void Multiply(const kernels::KernelSet& kernels, ConstMatrix x, const AlignedBuffer<float>& packed, const float* bias,
              Matrix y) {
  kernels.gemm.gemm({.a = x.data,
                     .a_stride = x.stride,
                     .b = packed.data(),
                     .bias = bias,
                     .c = y.data,
                     .c_stride = y.stride,
                     .m = x.rows,
                     .k = x.cols,
                     .n = y.cols});
}

// Of a name that people wrote down; some have more than one sound.
constexpr float kNameConfidence = 0.95f;

std::string WithoutStress(std::string_view phonemes) {
  std::string rest;
  for (size_t position = 0; position < phonemes.size();) {
    const size_t start = position;
    (void)DecodeUtf8(phonemes, &position);
    const std::string_view symbol = phonemes.substr(start, position - start);
    if (symbol != kPrimaryStress && symbol != kSecondaryStress) rest += symbol;
  }
  return rest;
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

struct Model::Hypothesis {
  double log_probability = 0;
  std::string phonemes;
  std::array<uint16_t, kHistory> last{};  // labels, the newest first
  uint8_t state = 0;
};

Result<std::shared_ptr<const Model>> Model::Open(std::span<const std::byte> bytes, const kernels::KernelSet& kernels) {
  KOE_TRY(const ModelFile file, ModelFile::Read(bytes));
  return std::shared_ptr<const Model>(new Model(file, kernels));
}

Model::Model(const ModelFile& file, const kernels::KernelSet& kernels)
    : kernels_(kernels),
      hidden_(file.hidden),
      width_(file.width),
      labels_(file.labels),
      names_(file.names),
      next_state_(file.labels.size()),
      letter_gates_(kNumLetters * 8 * file.hidden),
      encoded_(Pack(kernels, file.encoded, 2 * file.hidden, file.width)),
      encoded_bias_(Copy(file.encoded_bias)),
      history_(file.history),
      state_(file.state),
      stream_(file.stream),
      output_(Pack(kernels, file.output, file.width, file.labels.size())),
      output_bias_(Copy(file.output_bias)),
      tier_(file.tier),
      tier_bias_(file.tier_bias),
      calibration_(file.calibration) {
  for (size_t label = 0; label < labels_.size(); ++label) {
    for (uint8_t state = 0; state < kNumStates; ++state) next_state_[label][state] = NextState(state, labels_[label]);
  }
  const size_t gates = 4 * hidden_;
  std::vector<float> both, bias;
  for (size_t direction = 0; direction < 2; ++direction) {
    for (size_t layer = 0; layer < 2; ++layer) {
      recurrent_[layer][direction] = Pack(kernels, file.lstms[layer][direction].recurrent, hidden_, gates);
    }
    const LstmWeights& first = file.lstms[0][direction];
    const auto packed = Pack(kernels, first.input, file.embedding, gates);
    Multiply(kernels, ConstMatrix(file.letters.data(), kNumLetters, file.embedding), packed, first.bias.data(),
             Matrix(letter_gates_.data() + direction * gates, kNumLetters, gates, 2 * gates));
    const LstmWeights& second = file.lstms[1][direction];
    both.insert(both.end(), second.input.begin(), second.input.end());
    bias.insert(bias.end(), second.bias.begin(), second.bias.end());
  }
  input_ = Pack(kernels, both, 2 * hidden_, 2 * gates);
  input_bias_ = Copy(bias);
}

void Model::RunLstm(size_t layer, ConstMatrix gates, Matrix y, float* scratch) const {
  for (size_t direction = 0; direction < 2; ++direction) {
    kernels_.lstm.lstm({.gates = gates.data + direction * 4 * hidden_,
                        .gates_stride = gates.stride,
                        .w_hh = recurrent_[layer][direction].data(),
                        .dst = y.data + direction * hidden_,
                        .dst_stride = y.stride,
                        .steps = y.rows,
                        .hidden = hidden_,
                        .reverse = direction == 1,
                        .scratch = scratch});
  }
}

// Beam search over the letters; hypotheses that say the same after the last letter are one.
std::vector<Model::Hypothesis> Model::Decode(ConstMatrix encoded, size_t stream) const {
  constexpr size_t kChoices = 5;        // labels considered after one hypothesis
  constexpr float kNegligible = 1e-4f;  // of a label's probability, against the best one's
  const size_t num_labels = labels_.size();
  AlignedBuffer<float> x(kBeam * width_), probabilities(kBeam * num_labels);
  std::vector<Hypothesis> beam(1), next;
  beam[0].last.fill(static_cast<uint16_t>(num_labels));
  struct Choice {
    double log_probability;
    size_t from;
    uint16_t label;
  };
  std::vector<Choice> choices;
  std::vector<uint16_t> order(num_labels);
  for (size_t t = 0; t < encoded.rows; ++t) {
    for (size_t b = 0; b < beam.size(); ++b) {
      const float* state = state_.data() + beam[b].state * width_;
      const float* tier = stream_.data() + stream * width_;
      float* row = x.data() + b * width_;
      for (size_t i = 0; i < width_; ++i) row[i] = encoded.Row(t)[i] + state[i] + tier[i];
      for (size_t h = 0; h < kHistory; ++h) {
        const float* table = history_[h].data() + beam[b].last[h] * width_;
        for (size_t i = 0; i < width_; ++i) row[i] += table[i];
      }
    }
    kernels_.activation.gelu(x.data(), beam.size() * width_, x.data());
    const Matrix p(probabilities.data(), beam.size(), num_labels);
    Multiply(kernels_, ConstMatrix(x.data(), beam.size(), width_), output_, output_bias_.data(), p);
    kernels_.softmax.softmax_rows(p.data, p.stride, p.rows, p.cols, 1);
    choices.clear();
    for (size_t b = 0; b < beam.size(); ++b) {
      const float* row = p.Row(b);
      order.clear();
      const float enough = kNegligible * *std::max_element(row, row + num_labels);
      for (size_t label = 0; label < num_labels; ++label) {
        if (row[label] < enough || !(row[label] > 0)) continue;
        // A word has one primary stress.
        if ((beam[b].state & kPrimaryMark) != 0 && labels_[label].find(kPrimaryStress) != std::string::npos) continue;
        order.push_back(static_cast<uint16_t>(label));
      }
      const auto middle = order.begin() + static_cast<std::ptrdiff_t>(std::min(kChoices, order.size()));
      std::partial_sort(order.begin(), middle, order.end(),
                        [&](uint16_t l, uint16_t r) { return row[l] != row[r] ? row[l] > row[r] : l < r; });
      for (auto label = order.begin(); label != middle; ++label) {
        choices.push_back({beam[b].log_probability + std::log(static_cast<double>(row[*label])), b, *label});
      }
    }
    if (choices.empty()) return {};
    const auto end = choices.begin() + static_cast<std::ptrdiff_t>(std::min(kBeam, choices.size()));
    std::partial_sort(choices.begin(), end, choices.end(), [](const Choice& l, const Choice& r) {
      if (l.log_probability != r.log_probability) return l.log_probability > r.log_probability;
      return l.from != r.from ? l.from < r.from : l.label < r.label;
    });
    next.clear();
    for (auto choice = choices.begin(); choice != end; ++choice) {
      Hypothesis hypothesis = beam[choice->from];
      hypothesis.log_probability = choice->log_probability;
      hypothesis.phonemes += labels_[choice->label];
      std::copy_backward(hypothesis.last.begin(), hypothesis.last.end() - 1, hypothesis.last.end());
      hypothesis.last[0] = choice->label;
      hypothesis.state = next_state_[choice->label][hypothesis.state];
      next.push_back(std::move(hypothesis));
    }
    beam.swap(next);
  }
  return beam;
}

Guess Model::FindName(std::string_view word, Language language) const {
  const auto found = names_.find(std::string(word));
  if (found == names_.end()) return {};
  return {found->second[language == Language::kBritishEnglish ? 1 : 0], kNameConfidence, 1};
}

Guess Model::Pronounce(std::string_view word, Language language, Manner manner) const {
  if (word.empty() || word.size() > kMaxWordLetters) return {};
  const size_t steps = word.size(), both = 2 * hidden_;
  AlignedBuffer<float> memory(steps * (4 * both + both + both + width_) + kernels::LstmScratchSize(hidden_));
  float* free = memory.data();
  const auto take = [&](size_t cols) {
    const Matrix matrix(free, steps, cols);
    free += steps * cols;
    return matrix;
  };
  // The scratch first: it is aligned then, as its size keeps the rest.
  float* scratch = free;
  free += kernels::LstmScratchSize(hidden_);
  const Matrix gates = take(4 * both), first = take(both), second = take(both), encoded = take(width_);
  for (size_t t = 0; t < steps; ++t) {
    const size_t letter = kAlphabet.find(word[t]);
    if (letter == std::string_view::npos) return {};
    const float* from = letter_gates_.data() + (letter + 1) * 4 * both;
    std::copy(from, from + 4 * both, gates.Row(t));
  }
  RunLstm(0, gates, first, scratch);
  Multiply(kernels_, first, input_, input_bias_.data(), gates);
  RunLstm(1, gates, second, scratch);
  Multiply(kernels_, second, encoded_, encoded_bias_.data(), encoded);

  const size_t accent = language == Language::kBritishEnglish ? 1 : 0;
  double odds = 0;
  for (size_t t = 0; t < steps; ++t) {
    for (size_t i = 0; i < both; ++i) odds += double{second.Row(t)[i]} * double{tier_[accent * both + i]};
  }
  const double gold =
      manner == Manner::kSilver ? 0 : Sigmoid(odds / static_cast<double>(steps) + double{tier_bias_[accent]});
  struct Candidate {
    std::string phonemes;
    double probability;
    bool has_primary;
    double sounds_probability = 0;  // of all candidates that differ in stress only
  };
  std::vector<Candidate> candidates;
  for (size_t tier = gold > 0 ? 0 : 1; tier < 2; ++tier) {
    for (Hypothesis& hypothesis : Decode(encoded, 2 * accent + tier)) {
      const double probability = std::exp(hypothesis.log_probability) * (tier == 0 ? gold : 1 - gold);
      const auto same = std::find_if(candidates.begin(), candidates.end(),
                                     [&](const Candidate& c) { return c.phonemes == hypothesis.phonemes; });
      if (same != candidates.end()) {
        same->probability += probability;
      } else {
        candidates.push_back({std::move(hypothesis.phonemes), probability, (hypothesis.state & kPrimaryMark) != 0});
      }
    }
  }
  // First the sounds, then their stress: the likeliest word may have one stress where likelier sounds are split over
  // two.
  for (Candidate& c : candidates) {
    const std::string sounds = WithoutStress(c.phonemes);
    for (const Candidate& other : candidates) {
      if (WithoutStress(other.phonemes) == sounds) c.sounds_probability += other.probability;
    }
  }
  const Candidate* best = nullptr;
  const auto rank = [](const Candidate& c) {
    return std::make_tuple(c.has_primary, c.sounds_probability, c.probability);
  };
  for (const Candidate& c : candidates) {
    if (c.phonemes.empty()) continue;
    if (best == nullptr || rank(c) > rank(*best)) best = &c;
  }
  if (best == nullptr) return {};
  Guess guess;
  guess.phonemes = best->has_primary ? best->phonemes : ApplyStress(best->phonemes, 2);
  const double p = std::clamp(best->probability, 1e-6, 1 - 1e-6);
  guess.posterior = static_cast<float>(p);
  guess.confidence =
      static_cast<float>(Sigmoid(double{calibration_[0]} * std::log(p / (1 - p)) + double{calibration_[1]}));
  return guess;
}

}  // namespace koe::g2p::letter_to_sound
