// SPDX-License-Identifier: Apache-2.0
// Compares the front end with a corpus of the reference's phonemes and every step to them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "g2p/en/tokenizer.h"
#include "g2p/g2p.h"
#include "g2p/letter_to_sound/neural_fallback.h"
#include "g2p/lexicon.h"
#include "g2p/tagger_file.h"
#include "text/normalize.h"

namespace {

using koe::g2p::Tag;
using koe::g2p::Token;
using nlohmann::json;

// Gives the trace's tags when the tokens are the trace's; one row at a time.
class TraceTagger : public koe::g2p::Tagger {
 public:
  void SetRow(const json* tokens) { tokens_ = tokens; }
  void TagTokens(std::span<Token> tokens) const override {
    for (size_t i = 0; i < tokens.size() && i < tokens_->size(); ++i) {
      const auto tag = koe::g2p::ParseTag((*tokens_)[i][1].get<std::string>());
      tokens[i].tag = tag.value_or(Tag::kXX);
    }
  }

 private:
  const json* tokens_ = nullptr;
};

class TraceFallback : public koe::g2p::Fallback {
 public:
  void SetRow(const json& calls) {
    results_.clear();
    for (const json& call : calls) {
      results_[call[0].get<std::string>()] = call[1].is_string() ? call[1].get<std::string>() : "";
    }
  }
  std::optional<koe::g2p::Pronunciation> Pronounce(std::string_view text) const override {
    const auto found = results_.find(std::string(text));
    if (found == results_.end()) return std::nullopt;
    return koe::g2p::Pronunciation{found->second, koe::g2p::Source::kEspeak, 1};
  }

 private:
  std::map<std::string, std::string> results_;
};

struct Counts {
  size_t rows = 0, same_rows = 0, words = 0, same_words = 0, tags = 0, same_tags = 0;
  void Add(const Counts& other) {
    rows += other.rows;
    same_rows += other.same_rows;
    words += other.words;
    same_words += other.same_words;
    tags += other.tags;
    same_tags += other.same_tags;
  }
  json ToJson() const {
    const auto share = [](size_t part, size_t all) {
      return all == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(all);
    };
    return {{"rows", rows},
            {"rows_equal", same_rows},
            {"sentences", share(same_rows, rows)},
            {"words", words},
            {"words_equal", same_words},
            {"words_share", share(same_words, words)},
            {"tags_share", share(same_tags, tags)}};
  }
};

std::vector<std::string> SplitWords(const std::string& s) {
  std::vector<std::string> words;
  std::istringstream stream(s);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// Words of the longest common subsequence; quadratic, for sentences.
size_t SameWords(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<size_t> row(b.size() + 1);
  for (const std::string& word : a) {
    size_t diagonal = 0;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t above = row[j + 1];
      row[j + 1] = word == b[j] ? diagonal + 1 : std::max(row[j + 1], row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return "";
  std::ostringstream out;
  out << stream.rdbuf();
  return out.str();
}

std::string LexiconDir() {
  if (const char* cache = std::getenv("KOE_MODEL_CACHE")) return std::string(cache) + "/lexicon";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : ".") + "/.cache/koe/lexicon";
}

int Fail(const std::string& message) {
  std::cerr << "koe_g2p_check: error: " << message << "\n";
  return 4;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Compares the English front end with a phoneme corpus: TRACE holds tokens, tags and fallback results, "
      "GOLD text and phonemes, both one JSON object a line with the same ids.");
  std::string trace_path, gold_path, tagger_path, model_path, lexicon_dir = LexiconDir();
  bool force_tags = false, force_oov = false, as_json = false, without_quirks = false;
  size_t show = 0;
  app.add_option("TRACE", trace_path)->required()->check(CLI::ExistingFile);
  app.add_option("GOLD", gold_path)->required()->check(CLI::ExistingFile);
  app.add_option("--lexicons", lexicon_dir, "Folder of {us,gb}_{gold,silver}.json");
  app.add_option("--tagger", tagger_path, "A tagger's weight file; without it the built-in rules tag");
  app.add_option("--letter-to-sound", model_path, "A letter-to-sound model; without it unknown words are spelled");
  app.add_flag("--force-tags", force_tags, "Take the tags from the trace");
  app.add_flag("--force-oov", force_oov, "Take the fallback's results from the trace");
  app.add_flag("--no-quirks", without_quirks, "Without the reference's known faults");
  app.add_flag("--json", as_json);
  app.add_option("--show", show, "Print so many differing rows");
  CLI11_PARSE(app, argc, argv);

  std::map<std::string, json> gold;
  {
    std::ifstream stream(gold_path);
    for (std::string line; std::getline(stream, line);) {
      json row = json::parse(line, nullptr, false);
      if (!row.is_object()) return Fail(gold_path + ": not one JSON object a line");
      std::string id = row.value("id", "");
      gold[id] = std::move(row);
    }
  }
  const auto tagger = std::make_shared<TraceTagger>();
  const auto fallback = std::make_shared<TraceFallback>();
  std::shared_ptr<const koe::g2p::Tagger> trained;
  std::shared_ptr<const koe::g2p::letter_to_sound::Model> model;
  if (!model_path.empty()) {
    const std::string bytes = ReadFile(model_path);
    const auto target = koe::kernels::ParseTarget("");
    if (!target) return Fail(target.error().message());
    auto opened =
        koe::g2p::letter_to_sound::Model::Open(std::as_bytes(std::span(bytes)), koe::kernels::KernelsFor(*target));
    if (!opened) return Fail(model_path + ": " + opened.error().message());
    model = std::move(*opened);
  }
  if (!tagger_path.empty()) {
    auto opened = koe::g2p::OpenTagger(tagger_path);
    if (!opened) return Fail(opened.error().message());
    trained = std::move(*opened);
  }
  std::map<std::string, std::string> blobs;
  std::map<std::string, std::unique_ptr<koe::g2p::EnglishG2P>> front_ends;
  const std::pair<const char*, koe::Language> languages[] = {{"us", koe::Language::kAmericanEnglish},
                                                             {"gb", koe::Language::kBritishEnglish}};
  for (const auto& [accent, language] : languages) {
    auto blob = koe::g2p::CompileLexicon(ReadFile(lexicon_dir + "/" + accent + "_gold.json"),
                                         ReadFile(lexicon_dir + "/" + accent + "_silver.json"));
    if (!blob) return Fail(lexicon_dir + ": " + blob.error().message());
    const std::string& bytes = blobs[accent] = std::move(*blob);
    koe::g2p::EnglishOptions options;
    options.misaki_quirks = !without_quirks;
    options.tagger = trained;
    if (force_tags) options.tagger = tagger;
    if (model != nullptr) {
      auto made = koe::g2p::MakeNeuralFallback(model, std::as_bytes(std::span(bytes)), language);
      if (!made) return Fail(made.error().message());
      options.fallback = std::move(*made);
    }
    if (force_oov) options.fallback = fallback;
    auto opened = koe::g2p::EnglishG2P::Open(std::as_bytes(std::span(bytes)), language, options);
    if (!opened) return Fail(opened.error().message());
    front_ends[accent] = std::make_unique<koe::g2p::EnglishG2P>(std::move(*opened));
  }

  Counts all, stable, tokens;
  std::map<std::string, Counts> by_category, by_accent;
  std::map<std::string, size_t> differing_words;
  std::ifstream stream(trace_path);
  for (std::string line; std::getline(stream, line);) {
    const json trace = json::parse(line, nullptr, false);
    if (!trace.is_object()) return Fail(trace_path + ": not one JSON object a line");
    const std::string id = trace.value("id", "");
    const auto found = gold.find(id);
    if (found == gold.end()) return Fail(gold_path + ": no row " + id);
    const std::string text = found->second.value("text", "");
    const std::string expected = found->second.value("phonemes", "");
    const std::string accent = found->second.value("lang", "en-us") == "en-gb" ? "gb" : "us";

    Counts row;
    row.rows = 1;
    // T1: tokens and white space.
    std::string_view stripped = text;
    while (!stripped.empty() && stripped.front() == ' ') stripped.remove_prefix(1);
    while (!stripped.empty() && stripped.back() == ' ') stripped.remove_suffix(1);
    const json& expected_tokens = trace["tokens"];
    if (stripped.find("](") == std::string_view::npos) {
      const auto own = koe::g2p::en::Tokenize(stripped, {true});
      bool same = own.size() == expected_tokens.size();
      for (size_t i = 0; same && i < own.size(); ++i) {
        same = own[i].text == expected_tokens[i][0].get<std::string>() &&
               own[i].space_after == (expected_tokens[i][2].get<std::string>() == " ");
      }
      tokens.rows += 1;
      tokens.same_rows += same ? 1 : 0;
      if (!same && show > 0) std::cout << id << " tokens differ: " << text << "\n";
    }
    tagger->SetRow(&expected_tokens);
    if (force_oov) fallback->SetRow(trace["espeak"]);
    const auto result = front_ends[accent]->Phonemize(text);
    if (!result) return Fail(id + ": " + result.error().message());
    const auto expected_words = SplitWords(expected), own_words = SplitWords(result->phonemes);
    row.words = std::max(expected_words.size(), own_words.size());
    row.same_words = SameWords(expected_words, own_words);
    row.same_rows = result->phonemes == expected ? 1 : 0;
    const json& words = trace["words"];
    if (words.size() == result->words.size()) {
      for (size_t i = 0; i < words.size(); ++i) {
        ++row.tags;
        row.same_tags += words[i][1].get<std::string>() == result->words[i].tag ? 1 : 0;
        const std::string phonemes = words[i][2].is_string() ? words[i][2].get<std::string>() : "";
        if (phonemes != result->words[i].phonemes) ++differing_words[words[i][0].get<std::string>()];
      }
    }
    if (row.same_rows == 0 && show > 0) {
      --show;
      std::cout << id << " [" << trace.value("cat", "") << "] " << text << "\n  want " << expected << "\n  have "
                << result->phonemes << "\n";
      for (size_t i = 0; words.size() == result->words.size() && i < words.size(); ++i) {
        const std::string phonemes = words[i][2].is_string() ? words[i][2].get<std::string>() : "";
        if (phonemes == result->words[i].phonemes) continue;
        std::cout << "    " << words[i][0].get<std::string>() << ": want " << words[i][1].get<std::string>() << " "
                  << phonemes << ", have " << result->words[i].tag << " " << result->words[i].phonemes << " ("
                  << result->words[i].source << ")\n";
      }
    }
    all.Add(row);
    if (trace.value("stable", false)) stable.Add(row);
    by_category[trace.value("cat", "")].Add(row);
    by_accent[accent].Add(row);
  }

  json report = {{"all", all.ToJson()},
                 {"stable", stable.ToJson()},
                 {"token_rows", tokens.rows},
                 {"token_rows_equal", tokens.same_rows}};
  for (const auto& [name, counts] : by_category) report["categories"][name] = counts.ToJson();
  for (const auto& [name, counts] : by_accent) report["accents"][name] = counts.ToJson();
  std::vector<std::pair<size_t, std::string>> worst;
  for (const auto& [word, count] : differing_words) worst.emplace_back(count, word);
  std::sort(worst.rbegin(), worst.rend());
  for (size_t i = 0; i < std::min<size_t>(worst.size(), 40); ++i)
    report["differing_words"][worst[i].second] = worst[i].first;
  if (as_json) {
    std::cout << report.dump(2) << "\n";
    return 0;
  }
  const auto print = [](const std::string& name, const Counts& c) {
    std::printf("%-20s rows %5zu of %5zu equal (%6.2f %%)   words %6zu of %6zu (%6.2f %%)   tags %6.2f %%\n",
                name.c_str(), c.same_rows, c.rows,
                100.0 * static_cast<double>(c.same_rows) / static_cast<double>(std::max<size_t>(1, c.rows)),
                c.same_words, c.words,
                100.0 * static_cast<double>(c.same_words) / static_cast<double>(std::max<size_t>(1, c.words)),
                100.0 * static_cast<double>(c.same_tags) / static_cast<double>(std::max<size_t>(1, c.tags)));
  };
  std::printf("tokens equal in %zu of %zu rows without markup\n", tokens.same_rows, tokens.rows);
  print("all", all);
  print("stable", stable);
  for (const auto& [name, counts] : by_accent) print(name, counts);
  for (const auto& [name, counts] : by_category) print("  " + name, counts);
  std::printf("words that differ most:");
  for (size_t i = 0; i < std::min<size_t>(worst.size(), 60); ++i)
    std::printf(" %s %zu", worst[i].second.c_str(), worst[i].first);
  std::printf("\n");
  return 0;
}
