// SPDX-License-Identifier: Apache-2.0
// What tagging costs: bytes of prose a second, tokens already cut.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "g2p/en/rule_tagger.h"
#include "g2p/en/tokenizer.h"
#include "g2p/tagger_file.h"

namespace {

using koe::g2p::Tagger;
using koe::g2p::Token;

constexpr char kProse[] =
    "My grandfather used to say that a sharp knife is safer than a dull one, and he had nine fingers to prove it. The "
    "road winds down to the harbour, where the fishermen record every boat that comes close to the old lighthouse; "
    "nobody has read the book since 1987. \"Do you live here?\" she asked, but he didn't answer: the wind had risen, "
    "and what he wanted to tell her would have to wait until the estimates were complete. Most of the produce in the "
    "market - apples, pears, a few late plums - is sold before noon, and the rest is left for the birds. They present "
    "their findings in Geneva next month, although the committee objects to the use of such methods. ";

void TagProse(benchmark::State& state, const Tagger& tagger) {
  const std::vector<Token> tokens = koe::g2p::en::Tokenize(kProse, {true});
  std::vector<Token> tagged;
  for (auto _ : state) {
    tagged = tokens;
    tagger.TagTokens(tagged);
    benchmark::DoNotOptimize(tagged.data());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * (sizeof(kProse) - 1)));
  state.counters["per_token"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(tokens.size()) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void BM_Rules(benchmark::State& state) { TagProse(state, koe::g2p::en::RuleTagger()); }
BENCHMARK(BM_Rules);

void BM_Perceptron(benchmark::State& state) {
  const auto tagger = koe::g2p::OpenTagger(std::string(KOE_SOURCE_DIR) + "/data/g2p/en.tagger");
  if (!tagger) {
    state.SkipWithError(tagger.error().message().c_str());
    return;
  }
  TagProse(state, **tagger);
}
BENCHMARK(BM_Perceptron);

void BM_OpenPerceptron(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(koe::g2p::OpenTagger(std::string(KOE_SOURCE_DIR) + "/data/g2p/en.tagger"));
  }
}
BENCHMARK(BM_OpenPerceptron);

}  // namespace
