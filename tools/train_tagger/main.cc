// SPDX-License-Identifier: Apache-2.0
// Trains the perceptron tagger and writes its weight file (docs/tagger.md). Equal input gives equal bytes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "corpus.h"
#include "dictionary_builder.h"
#include "g2p/en/rule_tagger.h"
#include "g2p/tagger_file.h"
#include "text/unicode.h"
#include "training.h"

namespace {

using koe::g2p::Tag;
using koe::g2p::TagName;
using koe::g2p::Token;
using koe::g2p::training::Corpus;
using koe::g2p::training::Homographs;
using koe::g2p::training::Sentence;

constexpr size_t kBlock = 500;  // sentences; documents of MASC lie one after another

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream out;
  out << stream.rdbuf();
  return out.str();
}

int Fail(const koe::Error& error) {
  std::cerr << "train_tagger: error: " << error.message() << "\n";
  return 4;
}

struct HeldOut {
  Sentence* sentence;
  std::vector<Tag> tags;
};

// Takes the tags away from every tenth block of sentences, so that nothing is learnt there.
std::vector<HeldOut> HoldOut(Corpus* corpus, size_t which) {
  std::vector<HeldOut> all;
  for (size_t s = 0; which > 0 && s < corpus->size(); ++s) {
    if (s / kBlock % 10 != which - 1) continue;
    HeldOut& held = all.emplace_back(HeldOut{&(*corpus)[s], {}});
    for (Token& token : held.sentence->tokens) held.tags.push_back(std::exchange(token.tag, Tag::kNone));
  }
  return all;
}

// All words, those whose sound depends on their tag, and which of these are wrong how often.
void Report(const std::string& name, const koe::g2p::Tagger& tagger, const std::vector<HeldOut>& all,
            const Homographs& homographs) {
  size_t num_tags = 0, num_right = 0, num_words = 0, num_words_right = 0, num_homographs = 0, num_homographs_right = 0;
  std::map<std::string, std::pair<size_t, size_t>> by_word;
  for (const HeldOut& held : all) {
    std::vector<Token> tokens = held.sentence->tokens;
    tagger.TagTokens(tokens);
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (held.tags[i] == Tag::kNone) continue;
      const bool is_right = tokens[i].tag == held.tags[i];
      const bool is_word = koe::text::IsLetter(static_cast<unsigned char>(tokens[i].text[0]));
      ++num_tags;
      num_right += is_right ? 1 : 0;
      num_words += is_word ? 1 : 0;
      num_words_right += is_word && is_right ? 1 : 0;
      const std::string lower = koe::text::ToLower(tokens[i].text);
      if (!homographs.contains(lower) && lower != "that" && lower != "in" && lower != "by" && lower != "a") continue;
      ++num_homographs;
      num_homographs_right += is_right ? 1 : 0;
      ++by_word[lower].second;
      by_word[lower].first += is_right ? 0 : 1;
    }
  }
  const auto print = [](const char* what, size_t part, size_t whole) {
    std::printf("  %-28s %6zu of %6zu (%.2f %%)\n", what, part, whole,
                100.0 * static_cast<double>(part) / static_cast<double>(std::max<size_t>(1, whole)));
  };
  std::printf("%s\n", name.c_str());
  print("tags right", num_right, num_tags);
  print("of words", num_words_right, num_words);
  print("of words that sound by class", num_homographs_right, num_homographs);
  std::vector<std::pair<size_t, std::string>> worst;
  for (const auto& [word, counts] : by_word) worst.emplace_back(counts.first, word);
  std::sort(worst.rbegin(), worst.rend());
  std::printf("  most often wrong:");
  for (size_t i = 0; i < std::min<size_t>(30, worst.size()); ++i) {
    const auto& [wrong, word] = worst[i];
    if (wrong > 0) std::printf(" %s %zu/%zu", word.c_str(), wrong, by_word[word].second);
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains the perceptron tagger (docs/tagger.md).");
  std::string corpus_path, trace_path, out_path;
  std::vector<std::string> homograph_paths;
  koe::g2p::training::TrainingOptions options;
  size_t held_out = 0;
  app.add_option("--masc", corpus_path, "token<TAB>tag lines")->check(CLI::ExistingFile);
  app.add_option("--trace", trace_path, "Trace of the reference front end, JSON lines")->check(CLI::ExistingFile);
  app.add_option("--homographs", homograph_paths, "Dictionaries (JSON) that say which words sound by class");
  app.add_option("--out", out_path)->required();
  app.add_option("--passes", options.passes)->capture_default_str();
  app.add_option("--refine", options.refine, "Passes after pruning, over what is left")->capture_default_str();
  app.add_option("--trace-weight", options.trace_weight, "How often a pass sees the trace")->capture_default_str();
  app.add_option("--margin", options.margin, "By how much the right tag must lead")->capture_default_str();
  app.add_option("--dropout", options.dropout, "How often rare words are hidden; 0: never")->capture_default_str();
  app.add_option("--max-bytes", options.max_bytes, "Of the file")->capture_default_str();
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--certain-count", options.dictionary.certain_count)->capture_default_str();
  app.add_option("--certain-share", options.dictionary.certain_share)->capture_default_str();
  app.add_option("--class-share", options.dictionary.class_share)->capture_default_str();
  app.add_option("--homograph-count", options.dictionary.homograph_count)->capture_default_str();
  app.add_option("--min-count", options.dictionary.min_count)->capture_default_str();
  app.add_option("--origin", options.origin, "A line of text that goes into the file");
  app.add_option("--hold-out", held_out,
                 "Do not learn from every tenth block of 500 sentences, from this one on, but "
                 "report how they are tagged; 1 to 10")
      ->check(CLI::Range(1, 10));
  CLI11_PARSE(app, argc, argv);

  Homographs homographs;
  for (const std::string& path : homograph_paths) {
    if (auto read = koe::g2p::training::ReadHomographs(ReadFile(path), &homographs); !read)
      return Fail(read.error().WithContext(path));
  }
  auto corpus = koe::g2p::training::ReadTaggedLines(corpus_path.empty() ? "" : ReadFile(corpus_path));
  if (!corpus) return Fail(corpus.error());
  auto trace = koe::g2p::training::ReadTrace(trace_path.empty() ? "" : ReadFile(trace_path));
  if (!trace) return Fail(trace.error());
  const std::vector<HeldOut> tests = HoldOut(&*corpus, held_out);
  const auto file = TrainTagger(*corpus, *trace, homographs, options, stderr);
  if (!file) return Fail(file.error());
  std::ofstream(out_path, std::ios::binary) << *file;
  std::fprintf(stderr, "%s: %zu bytes\n", out_path.c_str(), file->size());

  if (!tests.empty()) {
    const auto tagger = koe::g2p::OpenTagger(out_path);
    if (!tagger) return Fail(tagger.error());
    Report("perceptron", **tagger, tests, homographs);
    Report("built-in rules", koe::g2p::en::RuleTagger(), tests, homographs);
  }
  return 0;
}
