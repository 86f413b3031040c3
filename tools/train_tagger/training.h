// SPDX-License-Identifier: Apache-2.0
#ifndef KOE_TOOLS_TRAIN_TAGGER_TRAINING_H_
#define KOE_TOOLS_TRAIN_TAGGER_TRAINING_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "corpus.h"
#include "dictionary_builder.h"
#include "koe/result.h"

namespace koe::g2p::training {

struct TrainingOptions {
  size_t passes = 4;
  size_t refine = 0;        // passes after pruning, over the weights that are left
  size_t trace_weight = 6;  // how often a pass sees each sentence of the trace
  int margin = 4;           // by which the right tag must lead, or the weights change
  double dropout = 3;       // WordDropout::strength
  size_t max_bytes = 2000000;
  uint64_t seed = 1;
  DictionaryOptions dictionary;
  std::string origin;  // goes into the file
};

// The bytes of a weight file. Sentences without a tag to learn are left out. progress: a line a pass; may be null.
// Equal input gives equal bytes. kInvalidArgument: max_bytes does not even hold the dictionary.
Result<std::string> TrainTagger(const Corpus& corpus, const Corpus& trace, const Homographs& homographs,
                                const TrainingOptions& options, std::FILE* progress);

}  // namespace koe::g2p::training

#endif  // KOE_TOOLS_TRAIN_TAGGER_TRAINING_H_
