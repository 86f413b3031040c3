// SPDX-License-Identifier: Apache-2.0
#include "training.h"

#include <algorithm>
#include <random>
#include <span>
#include <vector>

#include "g2p/en/tagger_dictionary.h"
#include "g2p/tagger_file.h"
#include "perceptron.h"

namespace koe::g2p::training {

Result<std::string> TrainTagger(const Corpus& corpus, const Corpus& trace, const Homographs& homographs,
                                const TrainingOptions& options, std::FILE* progress) {
  std::vector<TaggerSection> sections = BuildDictionary(
      {&corpus, &trace}, {1, static_cast<double>(options.trace_weight)}, options.dictionary, homographs);
  sections.push_back({"origin", options.origin});
  KOE_TRY(const std::string dictionary_file, WriteTaggerFile(TaggerKind::kPerceptron, sections));
  KOE_TRY(const TaggerFile opened, TaggerFile::Open(std::as_bytes(std::span(dictionary_file))));
  KOE_TRY(const en::TaggerDictionary dictionary, en::TaggerDictionary::Open(opened));
  // Two more entries in the section table, and where the two sections begin.
  const size_t overhead = dictionary_file.size() + 2 * (tagger_file::kEntryBytes + tagger_file::kAlignment) + 64;
  if (overhead > options.max_bytes) return Error(ErrorCode::kInvalidArgument, "training: the dictionary is too large");

  std::vector<Example> examples;
  std::vector<uint32_t> order;
  const auto add = [&](const Sentence& sentence, size_t times) {
    Example example = MakeExample(sentence, dictionary);
    if (std::all_of(example.gold.begin(), example.gold.end(), [](uint8_t tag) { return tag == kNothing; })) return;
    order.insert(order.end(), times, static_cast<uint32_t>(examples.size()));
    examples.push_back(std::move(example));
  };
  for (const Sentence& sentence : corpus) add(sentence, 1);
  for (const Sentence& sentence : trace) add(sentence, options.trace_weight);

  WordDropout dropout;
  dropout.strength = options.dropout;
  for (const Example& example : examples) {
    for (size_t i = 0; i < example.forms.size(); ++i) {
      const en::TokenForm& form = example.forms[i];
      if (form.fixed == Tag::kNone && example.gold[i] != kNothing) ++dropout.counts[form.word];
    }
  }
  Perceptron perceptron(dictionary.tags(), options.margin, std::move(dropout), options.seed + 1);
  std::mt19937_64 random(options.seed);
  double min_weight = 0;
  for (size_t pass = 0; pass < options.passes + options.refine; ++pass) {
    if (pass == options.passes) {
      perceptron.Pack(options.max_bytes - overhead, &min_weight);
      perceptron.KeepOnly(min_weight);
    }
    // std::shuffle differs between libraries.
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    size_t wrong = 0;
    for (const uint32_t i : order) wrong += perceptron.Learn(examples[i]);
    if (progress != nullptr) {
      std::fprintf(progress, "pass %zu: %zu tags wrong, %zu features\n", pass + 1, wrong, perceptron.num_features());
    }
  }
  for (TaggerSection& section : perceptron.Pack(options.max_bytes - overhead, &min_weight)) {
    sections.push_back(std::move(section));
  }
  if (progress != nullptr) std::fprintf(progress, "kept weights of at least %.4f\n", min_weight);
  return WriteTaggerFile(TaggerKind::kPerceptron, sections);
}

}  // namespace koe::g2p::training
