// SPDX-License-Identifier: Apache-2.0
#include "g2p/letter_to_sound/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "g2p/letter_to_sound/testing/model_builder.h"

namespace koe::g2p::letter_to_sound {
namespace {

using testing::BuildModel;
using testing::ModelShape;
using testing::SealModel;

std::function<int8_t()> RandomWeights(uint32_t seed) {
  return
      [random = std::mt19937(seed)]() mutable { return static_cast<int8_t>(static_cast<int>(random() % 255) - 127); };
}
std::string TinyModel(uint32_t seed) { return BuildModel({}, 0.01f, RandomWeights(seed)); }
const kernels::KernelSet& BestKernels() { return kernels::KernelsFor(kernels::SupportedTargets().front()); }
Result<std::shared_ptr<const Model>> Open(const std::string& file, const kernels::KernelSet& kernels = BestKernels()) {
  return Model::Open(std::as_bytes(std::span(file)), kernels);
}

using Vector = std::vector<double>;

// rows [out][in] times x.
Vector Times(const std::vector<float>& rows, const Vector& x) {
  Vector y(rows.size() / x.size());
  for (size_t r = 0; r < y.size(); ++r) {
    for (size_t i = 0; i < x.size(); ++i) y[r] += double{rows[r * x.size() + i]} * x[i];
  }
  return y;
}
double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// One direction of torch.nn.LSTM in double, from its definition.
std::vector<Vector> Lstm(const LstmWeights& weights, const std::vector<Vector>& x, size_t hidden, bool reverse) {
  std::vector<Vector> y(x.size());
  Vector h(hidden), c(hidden);
  for (size_t step = 0; step < x.size(); ++step) {
    const size_t t = reverse ? x.size() - 1 - step : step;
    const Vector in = Times(weights.input, x[t]), back = Times(weights.recurrent, h);
    const auto gate = [&](size_t block, size_t i) {
      const size_t at = block * hidden + i;
      return in[at] + back[at] + double{weights.bias[at]};
    };
    for (size_t i = 0; i < hidden; ++i) {
      c[i] = Sigmoid(gate(1, i)) * c[i] + Sigmoid(gate(0, i)) * std::tanh(gate(2, i));
      h[i] = Sigmoid(gate(3, i)) * std::tanh(c[i]);
    }
    y[t] = h;
  }
  return y;
}

std::vector<Vector> BiLstm(const std::array<LstmWeights, 2>& layer, const std::vector<Vector>& x, size_t hidden) {
  std::vector<Vector> y = Lstm(layer[0], x, hidden, false);
  const std::vector<Vector> back = Lstm(layer[1], x, hidden, true);
  for (size_t t = 0; t < y.size(); ++t) y[t].insert(y[t].end(), back[t].begin(), back[t].end());
  return y;
}

// The probability of every sequence of labels of `word`, by enumeration, for the labels of ModelShape's default: the
// third is stressed, the third and fourth are vowels.
class Enumeration {
 public:
  Enumeration(const ModelFile& file, const std::string& word, size_t accent) : file_(file), accent_(accent) {
    std::vector<Vector> x;
    for (const char c : word) {
      const float* row = file.letters.data() + (kAlphabet.find(c) + 1) * file.embedding;
      x.emplace_back(row, row + file.embedding);
    }
    x = BiLstm(file.lstms[1], BiLstm(file.lstms[0], x, file.hidden), file.hidden);
    Vector mean(2 * file.hidden);
    for (const Vector& row : x) {
      for (size_t i = 0; i < mean.size(); ++i) mean[i] += row[i] / static_cast<double>(x.size());
      encoded_.push_back(Times(file.encoded, row));
    }
    gold_ = Sigmoid(Times(file.tier, mean)[accent]);
    for (size_t tier = 0; tier < 2; ++tier) {
      tier_ = tier;
      Visit({}, 0, tier == 0 ? gold_ : 1 - gold_, "");
    }
  }
  const std::map<std::string, double>& by_phonemes() const { return by_phonemes_; }

 private:
  void Visit(std::vector<size_t> labels, size_t state, double probability, const std::string& phonemes) {
    const size_t t = labels.size();
    if (t == encoded_.size()) {
      by_phonemes_[phonemes] += probability;
      return;
    }
    Vector x = encoded_[t];
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] += double{file_.state[state * x.size() + i]} + double{file_.stream[(2 * accent_ + tier_) * x.size() + i]};
      for (size_t h = 0; h < kHistory; ++h) {
        const size_t label = h < t ? labels[t - 1 - h] : file_.labels.size();
        x[i] += double{file_.history[h][label * x.size() + i]};
      }
      x[i] = 0.5 * x[i] * (1 + std::tanh(std::sqrt(2 / M_PI) * (x[i] + 0.044715 * x[i] * x[i] * x[i])));
    }
    Vector logits = Times(file_.output, x);
    double sum = 0;
    for (double& logit : logits) sum += logit = std::exp(logit);
    for (size_t label = 0; label < logits.size(); ++label) {
      if (label == 2 && (state & 8) != 0) continue;  // one primary stress
      const size_t next = label == 2 ? 12 : (label == 3 ? (state & 12) | std::min<size_t>((state & 3) + 1, 3) : state);
      labels.push_back(label);
      Visit(labels, next, probability * logits[label] / sum, phonemes + file_.labels[label]);
      labels.pop_back();
    }
  }

  const ModelFile& file_;
  size_t accent_, tier_ = 0;
  double gold_ = 0;
  std::vector<Vector> encoded_;
  std::map<std::string, double> by_phonemes_;
};

// For words of one letter the beam holds everything: the guess is the likeliest string with a primary stress and its
// posterior the sum over tiers. For longer words the beam may miss labellings of a string, or the best string, but not
// often, and never gives a string more than it has.
TEST(LetterToSoundModel, AgreesWithEnumeration) {
  double found = 0, best_there_is = 0;
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    const std::string bytes = TinyModel(seed);
    const auto file = ModelFile::Read(std::as_bytes(std::span(bytes)));
    ASSERT_TRUE(file) << file.error().message();
    for (const kernels::Target target : kernels::SupportedTargets()) {
      const auto model = Open(bytes, kernels::KernelsFor(target));
      ASSERT_TRUE(model);
      for (const std::string word : {"a", "-", "zq", "the", "o'k"}) {
        for (size_t accent = 0; accent < 2; ++accent) {
          const Enumeration all(*file, word, accent);
          double best = 0;
          for (const auto& [phonemes, p] : all.by_phonemes()) {
            if (phonemes.find("\u02C8") != std::string::npos) best = std::max(best, p);
          }
          const auto language = accent == 0 ? Language::kAmericanEnglish : Language::kBritishEnglish;
          const Guess guess = (*model)->Pronounce(word, language, Manner::kLikelier);
          best_there_is += best;
          // Where nothing in the beam had a primary stress it was added: no string of the enumeration.
          const auto exact = all.by_phonemes().find(guess.phonemes);
          if (exact == all.by_phonemes().end()) continue;
          // Six hundred float32 operations with |values| below 2: 1e-4 is a hundred times their error.
          EXPECT_LE(guess.posterior, exact->second + 1e-4);
          if (word.size() == 1) {
            EXPECT_NEAR(guess.posterior, best, 1e-4) << word;
          }
          found += double{guess.posterior};
        }
      }
    }
  }
  EXPECT_GT(found, 0.8 * best_there_is);
}

TEST(LetterToSoundModel, RefusesOtherWords) {
  const std::string bytes = TinyModel(1);
  const auto model = Open(bytes);
  ASSERT_TRUE(model);
  for (const std::string& word : {std::string(), std::string("A"), std::string("a b"), std::string("caf\u00E9"),
                                  std::string("a1"), std::string(kMaxWordLetters + 1, 'a'), std::string("a\0b", 3)}) {
    EXPECT_TRUE((*model)->Pronounce(word, Language::kAmericanEnglish, Manner::kSilver).phonemes.empty()) << word;
  }
  EXPECT_FALSE((*model)
                   ->Pronounce(std::string(kMaxWordLetters, 'a'), Language::kAmericanEnglish, Manner::kSilver)
                   .phonemes.empty());
}

TEST(LetterToSoundModel, RefusesDamagedFiles) {
  const std::string bytes = TinyModel(3);
  for (size_t size = 0; size < bytes.size(); size += size < 200 ? 1 : 97) {
    const auto model = Open(bytes.substr(0, size));
    ASSERT_FALSE(model) << size;
    EXPECT_EQ(model.error().code(), ErrorCode::kCorruptBundle);
  }
  EXPECT_FALSE(Open(bytes + std::string(4, '\0')));
  for (size_t at = 0; at < bytes.size(); at += at < 200 ? 1 : 41) {
    if (at >= kNameBytesAt + 4 && at < kHeaderBytes) continue;  // not used
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_FALSE(Open(damaged)) << at;
  }
  std::string other = bytes;
  other[kVersionAt] = 7;
  const auto version = Open(other);
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code(), ErrorCode::kUnsupported);
  EXPECT_NE(version.error().message().find("version 7"), std::string::npos);
}

TEST(LetterToSoundModel, RefusesShapesAndValuesOutOfBounds) {
  const auto with = [](size_t at, uint32_t value) {
    std::string file = TinyModel(4);
    std::memcpy(file.data() + at, &value, sizeof(value));
    SealModel(&file);
    return file;
  };
  EXPECT_TRUE(Open(with(kEmbeddingAt, 4)));
  for (const size_t at : {kEmbeddingAt, kHiddenAt, kWidthAt, kNumLabelsAt, kLabelBytesAt, kNameBytesAt}) {
    for (const uint32_t value : {3u, 12u, 16u, 4096u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
      EXPECT_FALSE(Open(with(at, value))) << at << ' ' << value;
    }
  }
  const size_t first_scale = kHeaderBytes + 12;
  for (const float value : {1e9f, -1e9f, HUGE_VALF, NAN})
    EXPECT_FALSE(Open(with(first_scale, std::bit_cast<uint32_t>(value))));
  std::string labels = TinyModel(4);
  labels[kHeaderBytes + 1] = '\xFF';  // not UTF-8
  SealModel(&labels);
  EXPECT_FALSE(Open(labels));
}

// Damage that the checksum does not see gives wrong sounds, never a crash or ill-formed text.
TEST(LetterToSoundModel, SurvivesAnyWeights) {
  std::mt19937 random(11);
  size_t opened = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string file = TinyModel(5);
    for (unsigned n = 1 + random() % 8; n > 0; --n) {
      file[kVersionAt + 4 + random() % (file.size() - kVersionAt - 4)] = static_cast<char>(random());
    }
    SealModel(&file);
    const auto model = Open(file);
    if (!model) continue;
    ++opened;
    const Guess guess = (*model)->Pronounce("quixotic-ly", Language::kBritishEnglish, Manner::kLikelier);
    EXPECT_FALSE(FindInvalidUtf8(guess.phonemes));
    EXPECT_TRUE(guess.confidence >= 0 && guess.confidence <= 1);
  }
  EXPECT_GT(opened, 300u);  // or only refusals would be tested
}

}  // namespace
}  // namespace koe::g2p::letter_to_sound
