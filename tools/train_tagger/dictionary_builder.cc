// SPDX-License-Identifier: Apache-2.0
#include "dictionary_builder.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "bundle/json.h"
#include "g2p/en/perceptron_format.h"
#include "g2p/en/rule_tagger.h"
#include "g2p/en/tagger_features.h"
#include "text/unicode.h"

namespace koe::g2p::training {
namespace {

namespace format = en::perceptron_format;

constexpr size_t kNumTagValues = static_cast<size_t>(Tag::kGW) + 1;
using TagCounts = std::array<double, kNumTagValues>;

// Sound by their tag (docs/g2p_en.md): however rare the other tag is, context must decide.
constexpr std::array<std::string_view, 10> kNeverCertain = {"a",  "an",   "am", "by", "i",
                                                            "in", "that", "to", "us", "used"};

struct Word {
  uint64_t key;
  TagCounts counts{};
  double total = 0;
  bool may_be_certain = true;
  std::string known;  // tags that the pronouncing dictionary implies
};

std::string TagsOf(const Word& word, double min_share) {
  std::string tags;
  for (size_t t = 0; t < kNumTagValues; ++t) {
    if (word.counts[t] > 0 && word.counts[t] >= min_share * word.total) tags += static_cast<char>(t);
  }
  std::stable_sort(tags.begin(), tags.end(), [&](char a, char b) {
    return word.counts[static_cast<size_t>(a)] > word.counts[static_cast<size_t>(b)];
  });
  if (tags.size() > 4) tags.resize(4);
  return tags;
}

// The dictionary names some of a word's classes and calls the rest DEFAULT, which is nearly always noun or verb.
std::string KnownTags(std::string_view word, const std::set<std::string>& kinds) {
  const bool is_plural = word.ends_with('s') && !word.ends_with("ss");
  std::string tags;
  if (kinds.contains("ADJ")) tags += static_cast<char>(Tag::kJJ);
  if (kinds.contains("ADV")) tags += static_cast<char>(Tag::kRB);
  tags += static_cast<char>(is_plural ? Tag::kNNS : Tag::kNN);
  tags += static_cast<char>(is_plural ? Tag::kVBZ : Tag::kVB);
  if (!is_plural) tags += static_cast<char>(Tag::kVBP);
  return tags;
}

// Empty where some key lies too far from its place.
std::vector<uint32_t> FillTable(const std::vector<std::pair<uint64_t, uint16_t>>& entries, size_t size) {
  std::vector<uint32_t> table(size, format::kEmpty);
  for (const auto& [key, word_class] : entries) {
    size_t probe = 0;
    while (probe < format::kMaxProbes && table[(key + probe) & (size - 1)] != format::kEmpty) ++probe;
    if (probe == format::kMaxProbes) return {};
    table[(key + probe) & (size - 1)] = format::WordCheck(key) << 16 | word_class;
  }
  return table;
}

template <typename T>
std::string AsBytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

std::vector<TaggerSection> BuildDictionary(const std::vector<const Corpus*>& corpora, const std::vector<double>& counts,
                                           const DictionaryOptions& options, const Homographs& homographs) {
  std::map<std::string, Word> words;
  std::set<Tag> used;
  for (size_t k = 0; k < corpora.size(); ++k) {
    for (const Sentence& sentence : *corpora[k]) {
      bool inside_quote = false, is_shouted = false;
      size_t end = 0;
      for (size_t i = 0; i < sentence.tokens.size(); ++i) {
        const Token& token = sentence.tokens[i];
        if (i >= end) is_shouted = en::IsShouted(sentence.tokens, i, &end);
        const bool is_fixed = en::TagByShape(sentence.tokens, i, &inside_quote) != Tag::kNone;
        if (is_fixed || token.tag == Tag::kNone) continue;
        en::TokenForm form = en::DescribeToken(token.text);
        if (is_shouted && token.text != "I") form.casing = en::Casing::kLower;
        // Words of one form and casing share an entry.
        std::string name = text::ToLower(token.text);
        const bool never = std::find(kNeverCertain.begin(), kNeverCertain.end(), name) != kNeverCertain.end();
        name += static_cast<char>('0' + static_cast<int>(form.casing));
        Word& word = words[name];
        word.key = en::DictionaryKey(form.word, form.casing);
        word.counts[static_cast<size_t>(token.tag)] += counts[k];
        word.total += counts[k];
        word.may_be_certain = word.may_be_certain && !never;
        used.insert(token.tag);
      }
    }
  }

  for (const auto& [name, kinds] : homographs) {
    const en::TokenForm form = en::DescribeToken(name);
    const std::string lower = text::ToLower(name) + static_cast<char>('0' + static_cast<int>(form.casing));
    Word& word = words[lower];
    word.key = en::DictionaryKey(form.word, form.casing);
    word.known = KnownTags(name, kinds);
    word.may_be_certain = false;
  }

  const std::vector<Tag> tags(used.begin(), used.end());
  std::string tag_names;
  for (const Tag tag : tags) {
    std::string name = TagName(tag);
    name.resize(format::kTagBytes);
    tag_names += name;
  }

  // A class: tags by falling share, and whether the first one is certain.
  struct Key {
    std::string tags;
    bool certain;
    bool operator<(const Key& other) const { return std::tie(tags, certain) < std::tie(other.tags, other.certain); }
  };
  std::map<Key, size_t> class_sizes;
  struct Known {
    uint64_t word_key;
    Key key;
    bool is_anonymous;
  };
  std::vector<Known> known;
  for (const auto& [name, word] : words) {
    const bool is_homograph = !word.known.empty();
    if (word.total < options.min_count && !is_homograph) continue;
    Key key = {TagsOf(word, options.class_share), false};
    if (is_homograph && word.total < options.homograph_count) {
      for (const char tag : word.known) {
        if (key.tags.find(tag) == std::string::npos) key.tags += tag;
      }
    }
    const double share = word.total == 0 ? 0 : word.counts[static_cast<size_t>(key.tags[0])] / word.total;
    if (word.may_be_certain && word.total >= options.certain_count && share >= options.certain_share) {
      key = {key.tags.substr(0, 1), true};
    }
    if (options.sort_classes) std::sort(key.tags.begin(), key.tags.end());
    ++class_sizes[key];
    known.push_back({word.key, std::move(key), word.total < options.min_count});
  }
  std::map<Key, uint16_t> numbers;
  std::vector<uint8_t> classes;
  std::vector<std::pair<uint64_t, uint16_t>> entries;
  for (auto& [word_key, key, is_anonymous] : known) {
    while (key.tags.size() > 1 && class_sizes[key] < options.min_class_words) {
      key.tags.pop_back();
      ++class_sizes[key];
    }
    const auto [place, is_new] = numbers.emplace(key, static_cast<uint16_t>(classes.size()));
    if (is_new) {
      const auto index = std::lower_bound(tags.begin(), tags.end(), static_cast<Tag>(key.tags[0])) - tags.begin();
      classes.push_back(key.certain ? static_cast<uint8_t>(index) : format::kAmbiguous);
    }
    entries.emplace_back(word_key, is_anonymous ? place->second | format::kAnonymous : place->second);
  }
  std::sort(entries.begin(), entries.end());
  std::vector<uint32_t> table;
  size_t size = 64;
  while (size < entries.size() * 5 / 4) size *= 2;
  for (; table.empty(); size *= 2) table = FillTable(entries, size);

  return {{format::kSettings, AsBytes(std::vector<uint32_t>{en::kFeatureVersion})},
          {format::kTags, tag_names},
          {format::kWords, AsBytes(table)},
          {format::kClasses, AsBytes(classes)}};
}

Result<void> ReadHomographs(std::string_view json, Homographs* homographs) {
  KOE_TRY(const bundle::Json object, bundle::ParseJson(json, {8, 1U << 22}, "dictionary"));
  if (!object.is(bundle::Json::Type::kObject)) {
    return Error(ErrorCode::kInvalidArgument, "dictionary: not an object");
  }
  for (const auto& [word, value] : object.members) {
    if (!value.is(bundle::Json::Type::kObject) || text::ToLower(word) != word || word.size() < 3) continue;
    for (const auto& [kind, sound] : value.members) {
      if (kind == "NOUN" || kind == "VERB" || kind == "ADJ" || kind == "ADV") (*homographs)[word].insert(kind);
    }
  }
  return {};
}

}  // namespace koe::g2p::training
