// SPDX-License-Identifier: Apache-2.0
// The bundle functions of koe.h: src/bundle, plus the dictionaries that src/g2p compiles.
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/front_end.h"
#include "api/guard.h"
#include "bundle/bundle.h"
#include "bundle/files.h"
#include "bundle/limits.h"
#include "g2p/letter_to_sound/model_file.h"
#include "g2p/lexicon.h"
#include "g2p/tagger_file.h"
#include "koe/koe.h"

namespace koe {
namespace {

Result<std::vector<bundle::ExtraFile>> CompileLexicons(const std::string& dir) {
  std::vector<bundle::ExtraFile> files;
  for (const std::string accent : {"us", "gb"}) {
    const std::string gold_path = dir + "/" + accent + "_gold.json", silver_path = dir + "/" + accent + "_silver.json";
    KOE_TRY(const std::string gold, bundle::ReadInputFile(gold_path, bundle::kMaxDictionaryBytes));
    KOE_TRY(const std::string silver, bundle::ReadInputFile(silver_path, bundle::kMaxDictionaryBytes));
    auto bytes = g2p::CompileLexicon(gold, silver);
    if (!bytes) return Error(ErrorCode::kCorruptBundle, "dictionary: " + gold_path + ": " + bytes.error().message());
    files.push_back({"lexicon/" + accent + ".lex", std::move(*bytes)});
  }
  return files;
}

template <typename T>
Result<void> Check(const Result<T>& result) {
  if (!result) return result.error();
  return {};
}

// The front end's trained models, each where the folder has it.
Result<void> AddG2pModels(const std::string& dir, std::vector<bundle::ExtraFile>* files) {
  bool found = false;
  for (const std::string path : {bundle::kTaggerPath, bundle::kLetterToSoundPath}) {
    const std::string input = dir + path.substr(path.rfind('/'));
    std::error_code error;
    if (!std::filesystem::exists(std::filesystem::symlink_status(input, error))) continue;
    KOE_TRY(std::string bytes, bundle::ReadInputFile(input, bundle::kMaxExtraFileBytes));
    const auto view = std::as_bytes(std::span(bytes));
    const Result<void> usable =
        path == bundle::kTaggerPath ? Check(g2p::OpenTagger(view)) : Check(g2p::letter_to_sound::ModelFile::Read(view));
    if (!usable) return usable.error().WithContext(input);
    files->push_back({path, std::move(bytes)});
    found = true;
  }
  if (!found) return Error(ErrorCode::kNotFound, "g2p: '" + dir + "': has neither en.tagger nor en.l2s");
  return {};
}

}  // namespace

Result<void> BuildBundle(const BundleBuildOptions& options) {
  return api::Guard([&]() -> Result<void> {
    std::vector<bundle::ExtraFile> files;
    if (!options.lexicons_dir.empty()) {
      if (options.progress) options.progress(0, "dictionaries");
      KOE_TRY(files, CompileLexicons(options.lexicons_dir));
    }
    if (!options.g2p_dir.empty()) KOE_CHECK_OK(AddG2pModels(options.g2p_dir, &files));
    return bundle::BuildBundle(options, files);
  });
}

Result<BundleReport> ReadBundle(const std::string& dir) {
  return api::Guard([&] { return bundle::ReadBundle(dir); });
}

Result<BundleReport> ValidateBundle(const std::string& dir) {
  return api::Guard([&]() -> Result<BundleReport> {
    KOE_TRY(BundleReport report, bundle::ValidateBundle(dir));
    KOE_TRY(const auto opened, bundle::Bundle::Open(dir));
    for (const Language language : {Language::kAmericanEnglish, Language::kBritishEnglish}) {
      // Opens the tagger and the letter-to-sound model as well, where there are any.
      if (opened->HasLexicon(language)) KOE_CHECK_OK(api::FrontEnd::Open(*opened, language));
    }
    return report;
  });
}

Result<std::string> FindBundle(const std::string& given_dir) {
  return api::Guard([&] { return bundle::FindBundle(given_dir); });
}

}  // namespace koe
