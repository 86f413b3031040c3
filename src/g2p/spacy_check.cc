// SPDX-License-Identifier: Apache-2.0
// Prints what spaCy's network computes here, for comparing it with spaCy or numpy (tests/spacy_tagger_test.py).
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "g2p/en/spacy_tagger.h"
#include "g2p/en/tokenizer.h"
#include "g2p/tagger_file.h"
#include "kernels/kernel_set.h"

using nlohmann::json;

namespace {

int Fail(const koe::Error& error) {
  std::cerr << "koe_spacy_check: error: " << error.message() << "\n";
  return 4;
}

int Run(const std::string& path, const std::string& target_name) {
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  const auto file = koe::g2p::TaggerFile::Open(std::as_bytes(std::span(bytes)));
  if (!file) return Fail(file.error());
  const auto target = koe::kernels::ParseTarget(target_name);
  if (!target) return Fail(target.error());
  const auto tagger = koe::g2p::en::SpacyTagger::Open(*file, koe::kernels::KernelsFor(*target));
  if (!tagger) return Fail(tagger.error());
  const auto opened = koe::g2p::OpenTagger(std::as_bytes(std::span(bytes)));  // the way that programs take
  if (!opened) return Fail(opened.error());
  const size_t num_tags = (*tagger)->num_tags();
  for (std::string line; std::getline(std::cin, line);) {
    const json text = json::parse(line, nullptr, false);
    if (!text.is_string()) return Fail({koe::ErrorCode::kInvalidArgument, "input: not one JSON string a line"});
    std::vector<koe::g2p::Token> tokens = koe::g2p::en::Tokenize(text.get_ref<const std::string&>(), {true});
    const std::vector<float> logits = (*tagger)->Logits(tokens);
    (*opened)->TagTokens(tokens);
    json out = {{"tokens", json::array()}, {"logits", json::array()}};
    for (size_t i = 0; i < tokens.size(); ++i) {
      const auto row = logits.begin() + static_cast<ptrdiff_t>(i * num_tags);
      out["tokens"].push_back({tokens[i].text, koe::g2p::TagName(tokens[i].tag), tokens[i].space_after});
      out["logits"].push_back(std::vector<float>(row, row + static_cast<ptrdiff_t>(num_tags)));
    }
    std::cout << out << "\n";
  }
  return 0;
}

}  // namespace

// koe_spacy_check WEIGHTS [TARGET]: reads one JSON string a line, writes {tokens: [[text, tag, space_after]], logits}.
int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: koe_spacy_check WEIGHTS [TARGET] < TEXTS\n";
    return 2;
  }
  return Run(argv[1], argc > 2 ? argv[2] : "");
}
