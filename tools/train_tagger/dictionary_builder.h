// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_TOOLS_TRAIN_TAGGER_DICTIONARY_BUILDER_H_
#define KOE_TOOLS_TRAIN_TAGGER_DICTIONARY_BUILDER_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "corpus.h"
#include "g2p/tagger_file.h"
#include "koe/result.h"

namespace koe::g2p::training {

struct DictionaryOptions {
  double min_count = 2;          // weighted occurrences that make a word known
  double certain_count = 40;     // and that make its only tag certain
  double certain_share = 0.995;  // of its occurrences
  bool sort_classes = true;      // classes are sets of tags, whichever is the commonest
  double homograph_count = 10;   // a homograph's known classes count where it occurs less than this
  double class_share = 0.06;     // of a word's occurrences that put a tag into its class
  size_t min_class_words = 3;    // a rarer class keeps its first tags only
};

// Word as written -> the classes it is known to have ("NOUN", "VERB", "ADJ", "ADV").
using Homographs = std::map<std::string, std::set<std::string>>;

// The sections settings, tags, words and classes. counts: how much an occurrence in each corpus counts.
std::vector<TaggerSection> BuildDictionary(const std::vector<const Corpus*>& corpora, const std::vector<double>& counts,
                                           const DictionaryOptions& options, const Homographs& homographs);

// Words that a pronouncing dictionary in misaki's form (an object; strings, or objects of a string for each tag) knows
// to sound different by class. Adds to *homographs. kInvalidArgument, kCorruptBundle.
Result<void> ReadHomographs(std::string_view json, Homographs* homographs);

}  // namespace koe::g2p::training

#endif  // KOE_TOOLS_TRAIN_TAGGER_DICTIONARY_BUILDER_H_
