// SPDX-License-Identifier: Apache-2.0
// The averaged perceptron while it learns, and how its weights get into a file.
#ifndef KOE_TOOLS_TRAIN_TAGGER_PERCEPTRON_H_
#define KOE_TOOLS_TRAIN_TAGGER_PERCEPTRON_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <unordered_map>
#include <vector>

#include "corpus.h"
#include "g2p/en/tagger_dictionary.h"
#include "g2p/en/tagger_features.h"
#include "g2p/tagger_file.h"

namespace koe::g2p::training {

// A sentence as the tagger sees it.
struct Example {
  std::vector<en::TokenForm> forms;
  std::vector<uint8_t> gold;  // index into the dictionary's tags; kNothing: nothing to learn
};
inline constexpr uint8_t kNothing = 0xFF;
Example MakeExample(const Sentence& sentence, const en::TaggerDictionary& dictionary);

// Hides rare words now and then while learning, so that what their neighbours and endings say gets learnt too.
struct WordDropout {
  std::unordered_map<uint64_t, uint32_t> counts;  // by TokenForm::word
  double strength = 0;  // a word of count n is hidden with probability strength / (strength + n)
};

class Perceptron {
 public:
  Perceptron(std::vector<Tag> tags, int margin, WordDropout dropout, uint64_t seed);

  // Tags the sentence with the weights so far and corrects them where the right tag does not lead by the margin.
  // Returns how many tags were wrong.
  size_t Learn(const Example& example);
  // Forgets every weight that the file would not hold, and learns no new ones from here on.
  void KeepOnly(double min_weight);

  // Sections slots and weights, of the averages. The smallest are dropped until both take at most max_bytes together.
  // *min_weight: the smallest average that was kept.
  std::vector<TaggerSection> Pack(size_t max_bytes, double* min_weight) const;
  size_t num_features() const { return num_features_; }

 private:
  // A feature and where its weights lie.
  struct Feature {
    uint64_t key;
    uint32_t begin;
    uint16_t count;     // 0: free
    uint16_t capacity;  // a power of two
  };
  struct Weight {
    int32_t value;
    uint32_t tag;
  };
  struct History {
    int64_t sum;    // of the values at all steps before `step`
    uint64_t step;  // of the last change
  };
  struct Packed {
    uint64_t key;
    std::vector<std::pair<uint8_t, double>> weights;
  };

  Feature* Find(uint64_t key);  // the feature, or the free place for it
  void Grow();
  void Update(uint64_t key, uint8_t tag, int32_t delta);
  double Average(size_t weight) const;
  void HideWord(en::TokenForm* form);

  std::vector<Tag> tags_;
  int margin_;
  WordDropout dropout_;
  std::mt19937_64 random_;
  bool is_frozen_ = false;
  uint64_t step_ = 0;
  std::vector<Feature> table_;
  std::vector<Weight> weights_;
  std::vector<History> histories_;  // of each weight; apart, since only a change needs them
  size_t num_features_ = 0;
};

}  // namespace koe::g2p::training

#endif  // KOE_TOOLS_TRAIN_TAGGER_PERCEPTRON_H_
