// SPDX-License-Identifier: Apache-2.0
#include "perceptron.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "g2p/en/perceptron_format.h"
#include "g2p/en/perceptron_tagger.h"

namespace koe::g2p::training {

namespace format = en::perceptron_format;

Example MakeExample(const Sentence& sentence, const en::TaggerDictionary& dictionary) {
  Example example;
  en::TaggerDictionary::State state;
  const auto& tags = dictionary.tags();
  for (size_t i = 0; i < sentence.tokens.size(); ++i) {
    example.forms.push_back(dictionary.Describe(sentence.tokens, i, &state));
    const auto found = std::find(tags.begin(), tags.end(), sentence.tokens[i].tag);
    example.gold.push_back(found == tags.end() ? kNothing : static_cast<uint8_t>(found - tags.begin()));
  }
  return example;
}

Perceptron::Perceptron(std::vector<Tag> tags, int margin, WordDropout dropout, uint64_t seed)
    : tags_(std::move(tags)), margin_(margin), dropout_(std::move(dropout)), random_(seed), table_(size_t{1} << 20) {}

void Perceptron::HideWord(en::TokenForm* form) {
  const auto found = dropout_.counts.find(form->word);
  if (found == dropout_.counts.end()) return;
  const double strength = dropout_.strength, n = found->second;
  const auto uniform = [&] { return static_cast<double>(random_() >> 11) * 0x1.0p-53; };
  if (uniform() >= strength / (strength + n)) return;
  form->word = en::kUnknownWord;
  if (uniform() < 0.5) form->word_class = en::GuessClass(*form);
}

Perceptron::Feature* Perceptron::Find(uint64_t key) {
  const size_t mask = table_.size() - 1;
  size_t slot = key & mask;
  while (table_[slot].count != 0 && table_[slot].key != key) slot = (slot + 1) & mask;
  return &table_[slot];
}

void Perceptron::Grow() {
  std::vector<Feature> old(table_.size() * 2);
  old.swap(table_);
  for (const Feature& feature : old) {
    if (feature.count != 0) *Find(feature.key) = feature;
  }
}

double Perceptron::Average(size_t weight) const {
  const History& history = histories_[weight];
  const auto sum = static_cast<double>(history.sum) +
                   static_cast<double>(weights_[weight].value) * static_cast<double>(step_ - history.step);
  return sum / static_cast<double>(std::max<uint64_t>(step_, 1));
}

void Perceptron::Update(uint64_t key, uint8_t tag, int32_t delta) {
  Feature* const feature = Find(key);
  for (size_t w = feature->begin; w < feature->begin + feature->count; ++w) {
    if (weights_[w].tag != tag) continue;
    histories_[w].sum += static_cast<int64_t>(weights_[w].value) * static_cast<int64_t>(step_ - histories_[w].step);
    histories_[w].step = step_;
    weights_[w].value += delta;
    return;
  }
  if (is_frozen_) return;
  if (feature->count == feature->capacity) {  // moves to the end, with room to double
    const size_t begin = weights_.size(), capacity = feature->count == 0 ? 2 : 2 * size_t{feature->count};
    weights_.resize(begin + capacity);
    histories_.resize(begin + capacity);
    std::copy_n(weights_.begin() + feature->begin, feature->count, weights_.begin() + static_cast<ptrdiff_t>(begin));
    std::copy_n(histories_.begin() + feature->begin, feature->count,
                histories_.begin() + static_cast<ptrdiff_t>(begin));
    feature->begin = static_cast<uint32_t>(begin);
    feature->capacity = static_cast<uint16_t>(capacity);
  }
  feature->key = key;
  weights_[feature->begin + feature->count] = {delta, tag};
  histories_[feature->begin + feature->count] = {0, step_};
  if (++feature->count == 1 && ++num_features_ * 2 > table_.size()) Grow();
}

size_t Perceptron::Learn(const Example& example) {
  size_t num_wrong = 0;
  en::Features features;
  std::array<int32_t, format::kMaxTags> scores{};
  en::TagLeftToRight(
      example.forms.size(), [&](size_t i) { return example.forms[i]; },
      [&](size_t i, const en::FeatureWindow& full) {
        en::FeatureWindow window = full;
        en::TokenForm form = *full.at;
        HideWord(&form);
        window.at = &form;
        en::ExtractFeatures(window, &features);
        std::fill(scores.begin(), scores.end(), 0);
        for (const uint64_t key : features) __builtin_prefetch(&table_[key & (table_.size() - 1)]);
        for (const uint64_t key : features) {
          const Feature* const feature = Find(key);
          for (size_t w = feature->begin; w < feature->begin + feature->count; ++w) {
            scores[weights_[w].tag] += weights_[w].value;
          }
        }
        const uint8_t gold = example.gold[i];
        size_t best = 0, rival = tags_.size();
        for (size_t t = 1; t < tags_.size(); ++t) {
          if (scores[t] > scores[best]) best = t;
        }
        for (size_t t = 0; t < tags_.size(); ++t) {
          if (t != gold && (rival == tags_.size() || scores[t] > scores[rival])) rival = t;
        }
        if (gold != kNothing) {
          ++step_;
          if (best != gold) ++num_wrong;
          if (scores[rival] + margin_ >= scores[gold]) {
            for (const uint64_t key : features) {
              Update(key, gold, 1);
              Update(key, static_cast<uint8_t>(rival), -1);
            }
          }
        }
        return tags_[best];
      },
      [](size_t, Tag) {});
  return num_wrong;
}

void Perceptron::KeepOnly(double min_weight) {
  for (Feature& feature : table_) {
    size_t kept = feature.begin;
    for (size_t w = feature.begin; w < feature.begin + feature.count; ++w) {
      if (std::abs(Average(w)) < min_weight) continue;
      weights_[kept] = weights_[w];
      histories_[kept++] = histories_[w];
    }
    feature.count = static_cast<uint16_t>(kept - feature.begin);
  }
  Grow();  // a place that became free must not end the search for another key
  is_frozen_ = true;
}

std::vector<TaggerSection> Perceptron::Pack(size_t max_bytes, double* min_weight) const {
  std::vector<Packed> all;
  std::vector<double> sizes;
  for (const Feature& feature : table_) {
    Packed packed = {feature.key, {}};
    for (size_t w = feature.begin; w < feature.begin + feature.count; ++w) {
      const double average = Average(w);
      if (average == 0) continue;
      packed.weights.emplace_back(static_cast<uint8_t>(weights_[w].tag), average);
      sizes.push_back(std::abs(average));
    }
    std::sort(packed.weights.begin(), packed.weights.end());
    if (!packed.weights.empty()) all.push_back(std::move(packed));
  }
  std::sort(all.begin(), all.end(), [](const Packed& a, const Packed& b) { return a.key < b.key; });
  std::sort(sizes.rbegin(), sizes.rend());
  // An int8 holds all but the largest one in a thousand, which are cut.
  const double step = sizes.empty() ? 1 : std::max(sizes[sizes.size() / 1000] / 127, 1e-9);

  for (size_t keep = sizes.size();; keep -= keep / 32 + 1) {
    *min_weight = keep == 0 ? 0 : std::max(sizes[keep - 1], step / 2);
    std::string weights;
    std::vector<std::pair<uint64_t, uint32_t>> entries;
    for (const Packed& packed : all) {
      std::string list;
      for (const auto& [tag, average] : packed.weights) {
        const double quantised = std::clamp(std::round(average / step), -127.0, 127.0);
        if (std::abs(average) < *min_weight || quantised == 0) continue;
        list += static_cast<char>(tag);
        list += static_cast<char>(static_cast<int8_t>(quantised));
      }
      if (list.empty()) continue;
      entries.emplace_back(packed.key, static_cast<uint32_t>(weights.size() / 2));
      weights += static_cast<char>(list.size() / 2);
      weights += static_cast<char>(format::ListCheck(packed.key));
      weights += list;
    }
    size_t table_size = 64;
    while (table_size * 9 < entries.size() * 10) table_size *= 2;
    const bool fits =
        weights.size() + 4 * table_size <= max_bytes && weights.size() / 2 < (1U << format::kOffsetBits) - 1;
    if (!fits && keep > 0) continue;
    std::vector<uint32_t> table(table_size, format::kEmpty);
    for (const auto& [key, offset] : entries) {
      size_t probe = 0;
      while (probe < format::kMaxProbes && table[(key + probe) & (table_size - 1)] != format::kEmpty) ++probe;
      // Too far from its place: lost, which happens to few.
      if (probe < format::kMaxProbes) {
        table[(key + probe) & (table_size - 1)] = format::SlotCheck(key) << format::kOffsetBits | offset;
      }
    }
    return {{format::kSlots, {reinterpret_cast<const char*>(table.data()), table.size() * sizeof(uint32_t)}},
            {format::kWeights, weights}};
  }
}

}  // namespace koe::g2p::training
